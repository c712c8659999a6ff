//! Git's own words: the capabilities of each form of advertisement, learned from its answers.

use std::collections::HashMap;

use super::{Id, Refs};
use crate::git::pkt::{self, Packet, Parsed};

/// The forms that an advertisement takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// Protocol v0 of `upload-pack` over a connection that stays.
    Fetch,
    /// The same, one request at a time.
    FetchByHttp,
    /// Protocol v0 of `receive-pack`.
    Push,
    /// Protocol v2, which names no refs.
    Capabilities,
}

/// What was learned, for each form and each content of a repository's settings.
#[derive(Default)]
pub(super) struct Words {
    known: HashMap<(Form, Vec<u8>), Learned>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Learned {
    /// Everything.
    Whole(Vec<u8>),
    /// The capabilities before and after what HEAD leads to.
    Around(Vec<u8>, Vec<u8>),
}

impl Words {
    /// Returns the advertisement of these refs, if the words for it are known.
    pub(super) fn advertise(&self, form: Form, refs: &Refs) -> Option<Vec<u8>> {
        self.known.get(&(form, refs.settings.clone()))?.advertise(form, refs)
    }

    /// Returns whether git says that it serves `ls-refs`, with unborn branches.
    pub(super) fn serve_ls_refs(&self, refs: &Refs) -> bool {
        let learned = self.known.get(&(Form::Capabilities, refs.settings.clone()));
        let Some(Learned::Whole(data)) = learned else { return false };
        data.split(|byte| *byte == b'\n').any(|line| line.ends_with(b"ls-refs=unborn"))
    }

    /// Learns from git's answer for these refs, if this would then be ours too.
    pub(super) fn learn(&mut self, form: Form, refs: &Refs, answer: &[u8]) {
        let Some(learned) = Learned::from(form, answer) else { return };
        if learned.advertise(form, refs).as_deref() != Some(answer) {
            // Also when somebody pushes just now.
            tracing::debug!(?form, "git's advertisement is not understood");
            return;
        }
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert((form, refs.settings.clone()), learned);
    }
}

impl Learned {
    fn from(form: Form, answer: &[u8]) -> Option<Self> {
        if form == Form::Capabilities {
            return Some(Self::Whole(answer.to_vec()));
        }
        let Parsed::Packet(Packet::Line(line), _) = pkt::parse(answer) else { return None };
        let zero = line.iter().position(|byte| *byte == 0)?;
        let words = line.get(zero + 1..)?;
        if form == Form::Push {
            return Some(Self::Around(words.to_vec(), Vec::new()));
        }
        // Without it nobody knows where it would stand.
        let start = words.windows(SYMREF.len()).position(|window| window == SYMREF)?;
        let (before, rest) = words.split_at_checked(start)?;
        let rest = rest.get(SYMREF.len()..)?;
        let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        Some(Self::Around(before.to_vec(), rest.get(end..)?.to_vec()))
    }

    fn advertise(&self, form: Form, refs: &Refs) -> Option<Vec<u8>> {
        let (before, after) = match self {
            Self::Whole(data) => return Some(data.clone()),
            Self::Around(before, after) => (before, after),
        };
        let mut list = List { form, data: Vec::new(), words: Some([&[0], before.as_slice()].concat()) };
        if form != Form::Push {
            if let Some(words) = &mut list.words {
                if let (Some(_), Some(target)) = (&refs.head.id, &refs.head.target) {
                    words.extend_from_slice(SYMREF);
                    words.extend_from_slice(target);
                }
                words.extend_from_slice(after);
            }
            if let Some(id) = &refs.head.id {
                list.add(id, b"HEAD", refs.head.peeled.as_ref())?;
            }
        }
        for one in &refs.list {
            list.add(&one.id, &one.name, one.peeled.as_ref())?;
        }
        if list.words.is_some() {
            list.add(&NOTHING, b"capabilities^{}", None)?;
        }
        list.data.extend_from_slice(pkt::FLUSH);
        Some(list.data)
    }
}

struct List {
    form: Form,
    data: Vec<u8>,
    /// The capabilities, until the first line has taken them.
    words: Option<Vec<u8>>,
}

impl List {
    /// Adds the lines of a ref; none if one is too long for git's protocol.
    fn add(&mut self, id: &Id, name: &[u8], peeled: Option<&Id>) -> Option<()> {
        let words = self.words.take().unwrap_or_default();
        let mut written = pkt::write(&mut self.data, &[id, b" ", name, &words, b"\n"]);
        if let Some(peeled) = peeled.filter(|_| self.form != Form::Push) {
            written &= pkt::write(&mut self.data, &[peeled, b" ", name, b"^{}\n"]);
        }
        written.then_some(())
    }
}

const SYMREF: &[u8] = b" symref=HEAD:";
const NOTHING: Id = [b'0'; 40];
/// Repositories are all made with the same settings.
const MOST: usize = 64;
