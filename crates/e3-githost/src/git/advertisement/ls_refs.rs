//! Protocol v2's `ls-refs`. Source: git's `gitprotocol-v2`, and the order of `ls-refs.c`.

use super::{Id, Refs};
use crate::git::pkt::{self, Packet, Parsed};

/// What a client wants listed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LsRefs {
    peel: bool,
    symrefs: bool,
    unborn: bool,
    /// Beginnings of names; all names if there are none.
    prefixes: Vec<Vec<u8>>,
}

/// What the beginning of a client's data is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    /// A request for refs, and what follows it.
    LsRefs(LsRefs, &'a [u8]),
    /// It could become one.
    Short,
    /// Something else, which is git's to answer.
    Other,
}

impl LsRefs {
    /// Reads a request from its command to its end.
    pub(crate) fn parse(mut data: &[u8]) -> Asked<'_> {
        let mut request = Self::default();
        let (mut commanded, mut arguments) = (false, false);
        loop {
            let (packet, rest) = match pkt::parse(data) {
                Parsed::Packet(packet, rest) => (packet, rest),
                Parsed::Short => return Asked::Short,
                Parsed::Wrong => return Asked::Other,
            };
            data = rest;
            match packet {
                Packet::Line(line) if !arguments => match line {
                    b"command=ls-refs" if !commanded => commanded = true,
                    b"object-format=sha1" => {}
                    _ if line.starts_with(b"agent=") || line.starts_with(b"server-option=") => {}
                    _ => return Asked::Other,
                },
                Packet::Line(line) if request.add(line) => {}
                Packet::Line(_) => return Asked::Other,
                Packet::Delimiter if commanded && !arguments => arguments = true,
                Packet::Flush if commanded => return Asked::LsRefs(request, rest),
                Packet::Delimiter | Packet::Flush => return Asked::Other,
            }
        }
    }

    fn add(&mut self, argument: &[u8]) -> bool {
        match argument {
            b"peel" => self.peel = true,
            b"symrefs" => self.symrefs = true,
            b"unborn" => self.unborn = true,
            _ => match argument.strip_prefix(b"ref-prefix ") {
                Some(prefix) if self.prefixes.len() < MOST_PREFIXES => self.prefixes.push(prefix.to_vec()),
                _ => return false,
            },
        }
        true
    }

    /// Returns the answer; none if it cannot be said in git's protocol.
    pub(super) fn answer(&self, refs: &Refs) -> Option<Vec<u8>> {
        let mut data = Vec::new();
        let head = &refs.head;
        let target = head.target.as_deref();
        if head.id.is_some() || (self.unborn && self.symrefs && target.is_some()) {
            self.line(&mut data, (head.id.as_ref(), b"HEAD"), (target, head.peeled.as_ref()))?;
        }
        for one in &refs.list {
            self.line(&mut data, (Some(&one.id), &one.name), (one.target.as_deref(), one.peeled.as_ref()))?;
        }
        data.extend_from_slice(pkt::FLUSH);
        Some(data)
    }

    fn line(
        &self,
        data: &mut Vec<u8>,
        (id, name): (Option<&Id>, &[u8]),
        (target, peeled): (Option<&[u8]>, Option<&Id>),
    ) -> Option<()> {
        if !self.prefixes.is_empty() && !self.prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            return Some(());
        }
        let id = id.map_or(&b"unborn"[..], |id| id);
        let mut parts = vec![id, b" ", name];
        if let Some(target) = target.filter(|_| self.symrefs) {
            parts.extend([b" symref-target:", target]);
        }
        if let Some(peeled) = peeled.filter(|_| self.peel) {
            parts.extend([&b" peeled:"[..], peeled]);
        }
        parts.push(b"\n");
        pkt::write(data, &parts).then_some(())
    }
}

/// Fewer than git itself stops filtering at.
const MOST_PREFIXES: usize = 65_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::git::pkt::request;

    #[test]
    fn requests_of_real_clients_are_understood() {
        let data = request(&[
            "command=ls-refs",
            "agent=git/2.47.3",
            "object-format=sha1",
            "|",
            "peel",
            "symrefs",
            "unborn",
            "ref-prefix HEAD",
            "ref-prefix refs/heads/",
            ".",
        ]);
        let prefixes = vec![b"HEAD".to_vec(), b"refs/heads/".to_vec()];
        let expected = LsRefs { peel: true, symrefs: true, unborn: true, prefixes };
        assert_eq!(LsRefs::parse(&[&data, &b"0000"[..]].concat()), Asked::LsRefs(expected, b"0000"));
        for end in 0..data.len() {
            assert_eq!(LsRefs::parse(&data[..end]), Asked::Short, "{end}");
        }
        assert_eq!(LsRefs::parse(&request(&["command=ls-refs", "."])), Asked::LsRefs(LsRefs::default(), b""));
    }

    #[test]
    fn everything_else_is_left_to_git() {
        for lines in [
            &["command=fetch", "|", "done", "."][..],
            &["."],
            &["|"],
            &["agent=x", "."],
            &["command=ls-refs", "command=ls-refs", "."],
            &["command=ls-refs", "object-format=sha256", "."],
            &["command=ls-refs", "what=ever", "."],
            &["command=ls-refs", "|", "what", "."],
            &["command=ls-refs", "|", "|"],
        ] {
            assert_eq!(LsRefs::parse(&request(lines)), Asked::Other, "{lines:?}");
        }
        assert_eq!(LsRefs::parse(b"zzzz"), Asked::Other);
    }

    proptest! {
        #[test]
        fn no_data_breaks_the_parser(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = LsRefs::parse(&data);
            let _ = LsRefs::parse(&[b"0014command=ls-refs\n", data.as_slice()].concat());
        }
    }
}
