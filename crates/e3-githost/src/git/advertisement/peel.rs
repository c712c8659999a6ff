//! Which refs are annotated tags, and of what.
//!
//! An object's id says once and for all what it is, so the answers are kept. A loose object says it itself; about packed
//! ones git is asked, about all in one go.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::disk::{Reading, Stamps, id};
use super::{Id, Refs, lock};
use crate::git::{Call, GitError, git_dir};

/// What is known: an object that is no tag has none.
#[derive(Default)]
pub(super) struct Peeled {
    known: HashMap<Id, Option<Id>>,
}

impl Peeled {
    fn add(&mut self, more: impl IntoIterator<Item = (Id, Option<Id>)>) {
        if self.known.len() > MOST {
            self.known.clear();
        }
        self.known.extend(more);
    }

    /// Fills in what is known; false if something is not.
    fn fill(&self, reading: &mut Reading) -> bool {
        let mut all = true;
        let mut find = |id: &Id| {
            let found = self.known.get(id);
            all &= found.is_some();
            found.copied().flatten()
        };
        if let Some(id) = &reading.head.id {
            reading.head.peeled = find(id);
        }
        for one in &mut reading.list {
            one.peeled = find(&one.id);
        }
        all
    }
}

impl Call {
    /// Returns the refs with what tags are of; none if an object is missing, about which git has its own opinion.
    pub(super) async fn peel(&self, mut reading: Reading) -> Result<Option<(Refs, Stamps)>, GitError> {
        let peeled = &self.host.git.advertisements.peeled;
        let unknown = {
            let mut peeled = lock(peeled);
            peeled.add(reading.peeled.drain(..));
            if peeled.fill(&mut reading) {
                None
            } else {
                let ids = reading.list.iter().map(|one| one.id).chain(reading.head.id);
                let unknown = ids.filter(|id| !peeled.known.contains_key(id)).collect::<HashSet<Id>>();
                Some(Vec::from_iter(unknown))
            }
        };
        if let Some(unknown) = unknown {
            let Some(found) = self.ask(unknown).await? else { return Ok(None) };
            let mut peeled = lock(peeled);
            peeled.add(found);
            if !peeled.fill(&mut reading) {
                return Ok(None);
            }
        }
        let Reading { head, list, settings, stamps, .. } = reading;
        Ok(Some((Refs { head, list, settings, digest: std::sync::OnceLock::new() }, stamps)))
    }

    async fn ask(&self, ids: Vec<Id>) -> Result<Option<Vec<(Id, Option<Id>)>>, GitError> {
        let path = self.path();
        let looking = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            let packed: Vec<Id> = ids
                .into_iter()
                .filter(|id| match loose(&path, id) {
                    Some(peeled) => {
                        found.push((*id, peeled));
                        false
                    }
                    None => true,
                })
                .collect();
            (found, packed)
        });
        let (mut found, packed) =
            looking.await.map_err(|error| GitError::Pipe(std::io::Error::other(error)))?;
        if packed.is_empty() {
            return Ok(Some(found));
        }
        let mut input = Vec::with_capacity(packed.len() * LINE);
        for id in &packed {
            input.extend_from_slice(id);
            input.extend_from_slice(b"^{}\n");
        }
        let directory = git_dir(&self.path());
        let arguments = [directory.as_os_str(), "cat-file".as_ref(), "--batch-check=%(objectname)".as_ref()];
        let output = self.host.git.output(arguments, &input, packed.len().saturating_mul(LINE * 2)).await?;
        let mut lines = output.split(|byte| *byte == b'\n');
        for asked in packed {
            // The line about a missing object has more words.
            let Some(answer) = lines.next().and_then(id) else { return Ok(None) };
            found.push((asked, (answer != asked).then_some(answer)));
        }
        Ok(Some(found))
    }
}

/// Returns what a loose object is of if it is a tag; none if it is not loose, or not readable in one go.
fn loose(repository: &Path, object: &Id) -> Option<Option<Id>> {
    let mut object = *object;
    let mut peeled = None;
    for _ in 0..MOST_TAGS {
        let (folder, name) = std::str::from_utf8(&object).ok()?.split_at_checked(2)?;
        let file = std::fs::File::open(repository.join("objects").join(folder).join(name)).ok()?;
        let mut text = Vec::new();
        ZlibDecoder::new(file).take(HEAD).read_to_end(&mut text).ok()?;
        let kind = text.split(|byte| *byte == b' ').next()?;
        match kind {
            b"commit" | b"tree" | b"blob" => return Some(peeled),
            // Source: git's tag object: its size, a zero, then a line that names what it is of.
            b"tag" => {
                let start = text.iter().position(|byte| *byte == 0)? + 1;
                let line = text.get(start..)?.split(|byte| *byte == b'\n').next()?;
                object = id(line.strip_prefix(b"object ")?)?;
                peeled = Some(object);
            }
            _ => return None,
        }
    }
    None
}

/// Some 20 MB.
const MOST: usize = 200_000;
const LINE: usize = 45;
/// Holds an object's kind and size, and the first line of a tag.
const HEAD: u64 = 128;
/// Tags of tags are rare; longer chains are git's.
const MOST_TAGS: usize = 10;
