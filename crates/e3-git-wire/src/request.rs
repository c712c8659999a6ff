//! What this client asks, word for word as `git clone -q` and `git ls-remote` ask it.
//!
//! Source: packet traces (`GIT_TRACE_PACKET`) of git 2.47; gitprotocol-v2(5) and gitprotocol-pack(5) for the grammar.

use std::num::NonZeroU32;

use crate::{
    ObjectId,
    advertisement::Version,
    capabilities::Capabilities,
    fetch_answer::Wrapping,
    pkt_line::{write_delimiter, write_flush, write_line},
};

/// Returns the request for the refs whose names start with one of the prefixes; without prefixes, for all.
pub fn ls_refs(server: &Capabilities, prefixes: &[&str]) -> Vec<u8> {
    let mut body = command("ls-refs", server);
    write_line(&mut body, "peel");
    write_line(&mut body, "symrefs");
    if server.has_feature("ls-refs", "unborn") {
        write_line(&mut body, "unborn");
    }
    for prefix in prefixes {
        write_line(&mut body, &format!("ref-prefix {prefix}"));
    }
    write_flush(&mut body);
    body
}

/// A fetch, but for its objects: what is asked for beside them, and of whom.
#[derive(Debug, Clone, Copy)]
pub struct FetchRequest<'s> {
    /// The version that is spoken.
    pub version: Version,
    /// What the server can.
    pub server: &'s Capabilities,
    /// Whether the server forgets each request with its answer, as over HTTP.
    pub is_stateless: bool,
    /// Whether tags of what is sent are to be sent, too.
    pub include_tag: bool,
    /// How many commits of each history are wanted; none for all.
    pub depth: Option<NonZeroU32>,
    /// Whether files' contents are left out.
    pub is_blobless: bool,
}

impl FetchRequest<'_> {
    /// Returns what this asks that the server cannot do: `shallow` or `filter`; none if it can do all.
    ///
    /// `git` goes on without a filter; here a clone that is not what was asked for would be a wrong measurement.
    pub fn lacking(&self) -> Option<&'static str> {
        let asked = [("shallow", self.depth.is_some()), ("filter", self.is_blobless)];
        asked
            .into_iter()
            .find(|(feature, is_asked)| *is_asked && !self.knows(feature))
            .map(|(feature, _)| feature)
    }

    /// Returns the request for all objects that `wants` reach and `haves` do not; `is_done` says that the pack is to
    /// follow, whatever the server finds in common. With nothing to say and not done, it asks for the bounds alone.
    pub fn body(&self, wants: impl Iterator<Item = ObjectId>, haves: &[ObjectId], is_done: bool) -> Vec<u8> {
        let mut body = Vec::new();
        match self.version {
            Version::V2 => {
                body = command("fetch", self.server);
                for (argument, is_asked) in [
                    ("thin-pack", true),
                    ("no-progress", true),
                    ("include-tag", self.include_tag),
                    ("ofs-delta", true),
                ] {
                    if is_asked {
                        write_line(&mut body, argument);
                    }
                }
                self.write_bounds(&mut body);
                write_ids(&mut body, "want ", wants, "");
                write_ids(&mut body, "have ", haves.iter().copied(), "");
                if is_done {
                    write_line(&mut body, "done");
                }
                write_flush(&mut body);
            }
            Version::V0 => {
                write_ids(&mut body, "want ", wants, &self.words().0);
                self.write_bounds(&mut body);
                write_flush(&mut body);
                if is_done || !haves.is_empty() {
                    body.extend(Self::more_v0(haves, is_done));
                }
            }
        }
        body
    }

    /// Returns what a client adds in version 0 where the server remembers what it said before.
    pub fn more_v0(haves: &[ObjectId], is_done: bool) -> Vec<u8> {
        let mut body = Vec::new();
        write_ids(&mut body, "have ", haves.iter().copied(), "");
        if is_done {
            write_line(&mut body, "done");
        } else {
            write_flush(&mut body);
        }
        body
    }

    /// Returns how the pack will come.
    pub fn wrapping(&self) -> Wrapping {
        match self.version {
            Version::V2 => Wrapping::Bands,
            Version::V0 => self.words().1,
        }
    }

    /// Returns whether the server may send the pack before the client is done.
    pub fn is_pack_early(&self) -> bool {
        match self.version {
            Version::V2 => true,
            Version::V0 => self.is_stateless && self.server.has("no-done"),
        }
    }

    /// Returns whether the server says of each object that it has it, so that the client may ask in rounds.
    pub fn has_rounds(&self) -> bool {
        self.version == Version::V2 || self.server.has("multi_ack_detailed") || self.server.has("multi_ack")
    }

    /// Returns whether the client first asks where history ends, and only then for the pack.
    ///
    /// Source: `find_common` in git's fetch-pack.c, where `args->deepen` is set.
    pub fn asks_bounds_first(&self) -> bool {
        self.version == Version::V0 && self.is_stateless && self.depth.is_some()
    }

    /// Writes how much is wanted of what the wants reach.
    fn write_bounds(&self, body: &mut Vec<u8>) {
        if let Some(depth) = self.depth {
            write_line(body, &format!("deepen {depth}"));
        }
        if self.is_blobless {
            write_line(body, "filter blob:none");
        }
    }

    fn knows(&self, feature: &str) -> bool {
        match self.version {
            Version::V2 => self.server.has_feature("fetch", feature),
            Version::V0 => self.server.has(feature),
        }
    }

    /// Returns the words behind the first want of version 0.
    ///
    /// Source: `find_common` in git's fetch-pack.c.
    fn words(&self) -> (String, Wrapping) {
        let groups: [(&[&str], bool); 9] = [
            (&["multi_ack_detailed", "multi_ack"], true),
            (&["no-done"], self.is_stateless),
            (&["side-band-64k", "side-band"], true),
            (&["thin-pack"], true),
            (&["no-progress"], true),
            (&["include-tag"], self.include_tag),
            (&["ofs-delta"], true),
            (&["deepen-since"], true),
            (&["deepen-not"], true),
        ];
        let asked: Vec<_> =
            groups.into_iter().filter(|(_, is_asked)| *is_asked).map(|(group, _)| group).collect();
        let (mut words, wrapping) = v0_words(self.server, &asked);
        if self.is_blobless {
            words.push_str(" filter");
        }
        (words, wrapping)
    }
}

/// Writes a line for each id; the first is followed by these words.
fn write_ids(body: &mut Vec<u8>, before: &str, ids: impl Iterator<Item = ObjectId>, words: &str) {
    let mut words = words;
    for id in ids {
        write_line(body, &format!("{before}{id}{}", std::mem::take(&mut words)));
    }
}

/// Returns the request for one commit without its history and, where the server can filter, with no other object but
/// its root tree; and how the pack will come.
///
/// Nothing in it may lean on what is not in it, nor be named by its place: neither `thin-pack` nor `ofs-delta`.
pub fn fetch_tip(version: Version, server: &Capabilities, commit: ObjectId) -> (Vec<u8>, Wrapping) {
    fetch_plain(version, server, (commit, "deepen 1", "filter tree:1"))
}

/// Returns the request for so many commits of a commit's history and, where the server can filter, nothing else; and how
/// the pack will come.
pub fn fetch_history(
    version: Version,
    server: &Capabilities,
    commit: ObjectId,
    depth: NonZeroU32,
) -> (Vec<u8>, Wrapping) {
    fetch_plain(version, server, (commit, &format!("deepen {depth}"), "filter tree:0"))
}

/// Returns the request for a commit with that much of its history and of its trees, in a pack that leans on nothing.
fn fetch_plain(
    version: Version,
    server: &Capabilities,
    (commit, depth, filter): (ObjectId, &str, &str),
) -> (Vec<u8>, Wrapping) {
    let bounds = [("shallow", depth), ("filter", filter)];
    match version {
        Version::V2 => {
            let mut body = command("fetch", server);
            write_line(&mut body, "no-progress");
            write_line(&mut body, &format!("want {commit}"));
            write_depth(&mut body, bounds, |feature| server.has_feature("fetch", feature));
            write_line(&mut body, "done");
            write_flush(&mut body);
            (body, Wrapping::Bands)
        }
        Version::V0 => {
            let groups = [&["side-band-64k", "side-band"][..], &["no-progress"], &["shallow"], &["filter"]];
            let (words, wrapping) = v0_words(server, &groups);
            let mut body = Vec::new();
            write_line(&mut body, &format!("want {commit}{words}"));
            write_depth(&mut body, bounds, |feature| server.has(feature));
            write_flush(&mut body);
            write_line(&mut body, "done");
            (body, wrapping)
        }
    }
}

/// Writes how much is wanted, as far as the server knows the words: how many commits, and how deep in their trees.
///
/// Source: git-rev-list(1), `--filter=tree:<depth>`.
fn write_depth(body: &mut Vec<u8>, bounds: [(&str, &str); 2], knows: impl Fn(&str) -> bool) {
    for (feature, line) in bounds {
        if knows(feature) {
            write_line(body, line);
        }
    }
}

/// Returns the capabilities that the server knows, of each group the first, and how the pack will come.
fn v0_words(server: &Capabilities, groups: &[&[&str]]) -> (String, Wrapping) {
    let mut words = String::new();
    let mut wrapping = Wrapping::Bare;
    for group in groups {
        if let Some(word) = group.iter().find(|word| server.has(word)) {
            words.push(' ');
            words.push_str(word);
            if word.starts_with("side-band") {
                wrapping = Wrapping::Bands;
            }
        }
    }
    if server.has("agent") {
        words.push_str(" agent=");
        words.push_str(AGENT);
    }
    (words, wrapping)
}

fn command(name: &str, server: &Capabilities) -> Vec<u8> {
    let mut body = Vec::new();
    write_line(&mut body, &format!("command={name}"));
    if server.has("agent") {
        write_line(&mut body, &format!("agent={AGENT}"));
    }
    if server.has("object-format") {
        write_line(&mut body, "object-format=sha1");
    }
    write_delimiter(&mut body);
    body
}

/// Who asks, in Git's protocol.
const AGENT: &str = concat!("e3/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    static NOTHING: LazyLock<Capabilities> = LazyLock::new(Capabilities::default);

    fn everything(version: Version) -> FetchRequest<'static> {
        let server = &NOTHING;
        FetchRequest {
            version,
            server,
            is_stateless: false,
            include_tag: false,
            depth: None,
            is_blobless: false,
        }
    }

    #[test]
    fn version_2_asks_as_git_does() {
        let mut server = Capabilities::default();
        for line in ["agent=git/2.47.3", "ls-refs=unborn", "fetch=shallow", "object-format=sha1"] {
            server.add(line.as_bytes());
        }
        let agent = format!("{:04x}agent={AGENT}\n", AGENT.len() + 11);
        assert_eq!(
            String::from_utf8(ls_refs(&server, &["HEAD", "refs/heads/"])).unwrap(),
            format!(
                "0014command=ls-refs\n{agent}0017object-format=sha1\n00010009peel\n000csymrefs\n000bunborn\n\
                 0014ref-prefix HEAD\n001bref-prefix refs/heads/\n0000"
            )
        );
        let fetch = FetchRequest { server: &server, ..everything(Version::V2) };
        let start =
            format!("0012command=fetch\n{agent}0017object-format=sha1\n0001000ethin-pack\n0010no-progress\n");
        let (a, b) = (id('a'), id('b'));
        assert_eq!(
            String::from_utf8(fetch.body([a, b].into_iter(), &[], true)).unwrap(),
            format!("{start}000eofs-delta\n0032want {a}\n0032want {b}\n0009done\n0000")
        );
        let bounded =
            FetchRequest { include_tag: true, depth: NonZeroU32::new(1), is_blobless: true, ..fetch };
        assert_eq!(
            String::from_utf8(bounded.body([a].into_iter(), &[b], false)).unwrap(),
            format!(
                "{start}0010include-tag\n000eofs-delta\n000ddeepen 1\n0015filter blob:none\n0032want {a}\n0032have {b}\n0000"
            )
        );
        assert_eq!((fetch.lacking(), bounded.lacking()), (None, Some("filter")));
    }

    #[test]
    fn a_tip_is_asked_for_without_history_and_files_where_the_server_can() {
        let mut v2 = Capabilities::default();
        v2.add(b"fetch=shallow wait-for-done filter");
        let want = format!("0032want {}\n", id('a'));
        for (version, server, expected) in [
            (
                Version::V2,
                &v2,
                format!(
                    "0012command=fetch\n00010010no-progress\n{want}000ddeepen 1\n0012filter tree:1\n0009done\n0000"
                ),
            ),
            (
                Version::V2,
                &Capabilities::default(),
                format!("0012command=fetch\n00010010no-progress\n{want}0009done\n0000"),
            ),
            (
                Version::V0,
                &Capabilities::from_words(b"shallow side-band ofs-delta"),
                format!("0044want {} side-band shallow\n000ddeepen 1\n00000009done\n", id('a')),
            ),
        ] {
            let (body, _) = fetch_tip(version, server, id('a'));
            assert_eq!(String::from_utf8(body).unwrap(), expected);
        }
    }

    #[test]
    fn nothing_is_asked_that_the_server_does_not_know() {
        let bare = ls_refs(&Capabilities::default(), &[]);
        assert_eq!(String::from_utf8(bare).unwrap(), "0014command=ls-refs\n00010009peel\n000csymrefs\n0000");
        let server = Capabilities::from_words(b"ofs-delta");
        let fetch = FetchRequest { server: &server, ..everything(Version::V0) };
        let body = fetch.body([id('a'), id('b')].into_iter(), &[], true);
        let expected = format!("003cwant {} ofs-delta\n0032want {}\n00000009done\n", id('a'), id('b'));
        assert_eq!((String::from_utf8(body).unwrap(), fetch.wrapping()), (expected, Wrapping::Bare));
        let server = Capabilities::from_words(b"side-band");
        assert_eq!(FetchRequest { server: &server, ..fetch }.wrapping(), Wrapping::Bands);
    }
}
