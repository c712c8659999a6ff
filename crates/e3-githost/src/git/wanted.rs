//! What a client wants of `upload-pack`, by its request, and whether it gets it, by the beginning of the answer.
//!
//! Source: git's `gitprotocol-v2` and `gitprotocol-pack`. Nothing is decided by this but what is counted and kept: git
//! reads every request itself.

use super::pkt::{self, Packet, Parsed};

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    /// Whether history is cut off somewhere.
    pub(crate) is_shallow: bool,
    /// Whether the client has said all, so that a pack follows whatever is in common.
    pub(crate) is_done: bool,
    /// How long the request is.
    pub(crate) length: usize,
}

/// The kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The refs, and nothing else.
    Refs,
    /// Everything, from a client that has nothing.
    Clone,
    /// What is new to a client that has something.
    Fetch,
}

impl Wanted {
    /// Returns whether these are whole packets of version 2 so far, without the flush that would end a request.
    pub(crate) fn is_cut_off(mut data: &[u8]) -> bool {
        loop {
            match pkt::parse(data) {
                Parsed::Packet(Packet::Flush, _) | Parsed::Wrong => return false,
                Parsed::Packet(_, rest) => data = rest,
                Parsed::Short => return true,
            }
        }
    }

    /// Reads a whole request in this version of git's protocol; none if it is something else, or not whole.
    pub(crate) fn of(data: &[u8], version: u8) -> Option<Self> {
        if version == 2 { Self::of_version_2(data) } else { Self::of_version_0(data) }
    }

    /// A command, its capabilities, its arguments, and a flush.
    fn of_version_2(data: &[u8]) -> Option<Self> {
        let mut rest = data;
        let mut wanted = Self { kind: Kind::Clone, is_shallow: false, is_done: false, length: 0 };
        let mut command = None;
        loop {
            let (packet, after) = next(rest)?;
            rest = after;
            match packet {
                Packet::Line(line) => match line.strip_prefix(b"command=") {
                    Some(name) => command = Some(name),
                    None => wanted.note(line),
                },
                Packet::Delimiter => {}
                Packet::Flush => break,
            }
        }
        match command? {
            b"ls-refs" => wanted.kind = Kind::Refs,
            b"fetch" => {}
            _ => return None,
        }
        wanted.length = data.len() - rest.len();
        Some(wanted)
    }

    /// Wishes and a flush, then what is there already, up to the end of the data.
    fn of_version_0(data: &[u8]) -> Option<Self> {
        let mut rest = data;
        let mut wanted = Self { kind: Kind::Clone, is_shallow: false, is_done: false, length: data.len() };
        let mut wishes = false;
        while !rest.is_empty() {
            let (packet, after) = next(rest)?;
            rest = after;
            match packet {
                Packet::Line(line) => {
                    wishes |= line.starts_with(b"want ");
                    wanted.note(line);
                }
                Packet::Flush => {}
                Packet::Delimiter => return None,
            }
        }
        wishes.then_some(wanted)
    }

    fn note(&mut self, line: &[u8]) {
        if line == b"done" {
            self.is_done = true;
        } else if line.starts_with(b"have ") {
            self.kind = Kind::Fetch;
        } else if line.starts_with(b"shallow ") || line.starts_with(b"deepen") {
            self.is_shallow = true;
        }
    }
}

fn next(data: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    match pkt::parse(data) {
        Parsed::Packet(packet, rest) => Some((packet, rest)),
        Parsed::Short | Parsed::Wrong => None,
    }
}

/// The beginning of what a client has said over a connection that stays.
#[derive(Debug, Default)]
pub(crate) struct Said(Vec<u8>);

impl Said {
    /// Hears on, as far as that is of interest.
    pub(crate) fn hear(&mut self, data: &[u8]) {
        let room = ENOUGH.saturating_sub(self.0.len());
        self.0.extend_from_slice(data.get(..room).unwrap_or(data));
    }

    /// Returns what the client wants in this version of git's protocol, by what was heard; none if nothing was.
    pub(crate) fn wanted(&self, version: u8) -> Option<Wanted> {
        let mut wanted =
            Wanted { kind: Kind::Clone, is_shallow: false, is_done: false, length: self.0.len() };
        let (mut rest, mut wants_pack) = (self.0.as_slice(), false);
        while let Some((packet, after)) = next(rest) {
            if let Packet::Line(line) = packet {
                wants_pack |= line == b"command=fetch" || (version != 2 && line.starts_with(b"want "));
                wanted.note(line);
            }
            rest = after;
        }
        if !wants_pack {
            wanted.kind = Kind::Refs;
        }
        (!self.0.is_empty()).then_some(wanted)
    }
}

/// Returns whether the answer that begins so has a pack, and does not only negotiate.
pub(crate) fn has_pack(mut answer: &[u8]) -> bool {
    while let Parsed::Packet(packet, rest) = pkt::parse(answer) {
        match packet {
            // Version 2 says so, some time before; in version 0 the first data of a side band does.
            Packet::Line(b"ready" | b"packfile" | [1..=3, ..]) => return true,
            Packet::Line(_) | Packet::Flush | Packet::Delimiter => {}
        }
        answer = rest;
    }
    // A packet that is cut off here, or a pack without a side band.
    answer.starts_with(b"PACK") || matches!(answer, [_, _, _, _, 1..=3, ..])
}

/// Wishes come before what is there already, of which one line is enough to know.
const ENOUGH: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::git::pkt::request;

    #[test]
    fn requests_of_real_clients_are_told_apart() {
        let fetch =
            ["command=fetch", "agent=git/2.47.3", "object-format=sha1", "|", "thin-pack", "ofs-delta"];
        let version_2 = |more: &[&str]| request(&[&fetch[..], more].concat());
        for (data, version, kind, is_shallow, is_done) in [
            (request(&["command=ls-refs", "|", "peel", "."]), 2, Kind::Refs, false, false),
            (version_2(&["want 1", "done", "."]), 2, Kind::Clone, false, true),
            (version_2(&["deepen 1", "want 1", "done", "."]), 2, Kind::Clone, true, true),
            (version_2(&["want 1", "have 2", "."]), 2, Kind::Fetch, false, false),
            (version_2(&["want 1", "have 2", "done", "."]), 2, Kind::Fetch, false, true),
            (request(&["want 1 ofs-delta", ".", "done"]), 0, Kind::Clone, false, true),
            (request(&["want 1 ofs-delta", "deepen 1", "."]), 0, Kind::Clone, true, false),
            (request(&["want 1", ".", "have 2", "."]), 0, Kind::Fetch, false, false),
        ] {
            let expected = Wanted { kind, is_shallow, is_done, length: data.len() };
            assert_eq!(Wanted::of(&data, version), Some(expected), "{}", String::from_utf8_lossy(&data));
        }
        // Over SSH more may follow.
        let two = [version_2(&["want 1", "done", "."]), b"0000".to_vec()].concat();
        assert_eq!(Wanted::of(&two, 2).unwrap().length, two.len() - 4);
    }

    #[test]
    fn a_connection_that_stays_is_judged_by_all_that_was_said() {
        let refs = request(&["command=ls-refs", "|", "."]);
        let fetch = request(&["command=fetch", "|", "want 1", "have 2", "."]);
        let mut said = Said::default();
        assert_eq!(said.wanted(2), None);
        said.hear(&refs);
        assert_eq!(said.wanted(2).map(|wanted| wanted.kind), Some(Kind::Refs));
        let (one, other) = fetch.split_at(40);
        said.hear(one);
        said.hear(other);
        assert_eq!(said.wanted(2).map(|wanted| wanted.kind), Some(Kind::Fetch));
        let mut said = Said::default();
        said.hear(&request(&["want 1 side-band-64k", "deepen 1", ".", "done"]));
        let wanted = said.wanted(0).unwrap();
        assert_eq!((wanted.kind, wanted.is_shallow), (Kind::Clone, true));
        said.hear(&vec![b'x'; 1 << 20]);
        assert_eq!(said.0.len(), ENOUGH);
    }

    #[test]
    fn what_is_not_whole_or_something_else_is_none() {
        let whole = request(&["command=fetch", "|", "want 1", "done", "."]);
        for end in 0..whole.len() {
            assert_eq!(Wanted::of(&whole[..end], 2), None, "{end}");
        }
        assert_eq!(Wanted::of(&request(&["command=object-info", "|", "."]), 2), None);
        assert_eq!(Wanted::of(b"", 0), None);
        assert_eq!(Wanted::of(b"0000", 0), None);
        assert_eq!(Wanted::of(b"zzzz", 0), None);
    }

    #[test]
    fn an_answer_with_a_pack_is_known_by_its_beginning() {
        let negotiation = request(&["acknowledgments", "ACK 1", "."]);
        let ready = request(&["acknowledgments", "ACK 1", "ready", "|", "packfile"]);
        let version_0 = [request(&["NAK"]), b"0015\x02Enumerating obj".to_vec()].concat();
        for (answer, expected) in [
            (negotiation, false),
            (ready, true),
            (request(&["shallow-info", "shallow 1", "|", "packfile"]), true),
            (request(&["NAK"]), false),
            (request(&["shallow 1", ".", "NAK"]), false),
            (version_0, true),
            ([request(&["NAK"]), b"PACK\0\0\0\x02".to_vec()].concat(), true),
        ] {
            assert_eq!(has_pack(&answer), expected, "{}", String::from_utf8_lossy(&answer));
        }
    }

    proptest! {
        #[test]
        fn no_data_breaks_the_parser(data in proptest::collection::vec(any::<u8>(), 0..200), version in 0_u8..3) {
            let _ = Wanted::of(&data, version);
            let _ = has_pack(&data);
        }
    }
}
