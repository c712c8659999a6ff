//! What client and server have in common, found out in rounds of a few objects each.
//!
//! Source: `find_common` and `do_fetch_pack_v2` in git's fetch-pack.c, with the commits that a client knows in place of
//! a walk over its history.

use crate::{ObjectId, advertisement::Version};

/// One client's side of a negotiation.
#[derive(Debug)]
pub struct Negotiation<'h> {
    version: Version,
    is_stateless: bool,
    /// What the client has and has not named yet.
    left: &'h [ObjectId],
    named: usize,
    /// How many are named in the next round; in version 0, until when they are counted.
    flush_at: usize,
    common: Vec<ObjectId>,
    in_vain: usize,
}

/// What a client says in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The objects that it has; a server that forgets is told of what is common again.
    pub haves: Vec<ObjectId>,
    /// Whether it has no more to say, so that the pack must follow.
    pub is_done: bool,
}

impl<'h> Negotiation<'h> {
    /// Returns the negotiation of a client that has these objects; a server that keeps no state between requests is told
    /// everything again.
    pub fn new(version: Version, is_stateless: bool, haves: &'h [ObjectId]) -> Self {
        Self {
            version,
            is_stateless: is_stateless || version == Version::V2,
            left: haves,
            named: 0,
            flush_at: INITIAL_FLUSH,
            common: Vec::new(),
            in_vain: 0,
        }
    }

    /// Returns the next round; the one that is done is the last.
    pub fn next_round(&mut self) -> Round {
        let room = match self.version {
            Version::V2 => self.flush_at,
            Version::V0 => self.flush_at.saturating_sub(self.named),
        };
        let (now, later) = self.left.split_at(room.min(self.left.len()));
        self.left = later;
        self.named += now.len();
        self.in_vain += now.len();
        let is_done = match self.version {
            Version::V2 => now.is_empty() || self.is_in_vain(),
            // In version 0 what is named last and the end of naming are one request.
            Version::V0 => now.len() < room || self.is_in_vain(),
        };
        self.flush_at = self.next_flush();
        let common = if self.is_stateless { self.common.as_slice() } else { &[] };
        Round { haves: [common, now].concat(), is_done }
    }

    /// Hears which objects the server has, too.
    pub fn heard(&mut self, common: &[ObjectId]) {
        for id in common {
            if !self.common.contains(id) {
                self.common.push(*id);
                self.in_vain = 0;
            }
        }
    }

    /// Asks no further: everything that is left is named now, for a server that knows no rounds.
    pub fn all_at_once(self) -> Round {
        Round { haves: self.left.to_vec(), is_done: true }
    }

    fn is_in_vain(&self) -> bool {
        !self.common.is_empty() && self.in_vain >= MAX_IN_VAIN
    }

    fn next_flush(&self) -> usize {
        let count = self.flush_at;
        if self.is_stateless {
            if count < LARGE_FLUSH { count * 2 } else { count / 10 * 11 }
        } else if count < PIPESAFE_FLUSH {
            count * 2
        } else {
            count + PIPESAFE_FLUSH
        }
    }
}

/// Source: git's fetch-pack.c, for all four.
const INITIAL_FLUSH: usize = 16;
const PIPESAFE_FLUSH: usize = 32;
const LARGE_FLUSH: usize = 16384;
const MAX_IN_VAIN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: u16) -> Vec<ObjectId> {
        (0..count).map(|number| ObjectId::parse(format!("{number:040x}").as_bytes()).unwrap()).collect()
    }

    /// The sizes of all rounds when the server finds none in common, and whether only the last is done.
    fn sizes(version: Version, is_stateless: bool, haves: &[ObjectId]) -> Vec<usize> {
        let mut negotiation = Negotiation::new(version, is_stateless, haves);
        let mut sizes = Vec::new();
        loop {
            let round = negotiation.next_round();
            sizes.push(round.haves.len());
            if round.is_done {
                return sizes;
            }
        }
    }

    #[test]
    fn rounds_grow_as_gits_do() {
        let many = ids(100);
        for (version, is_stateless, haves, expected) in [
            (Version::V2, true, 0, &[0][..]),
            (Version::V2, true, 1, &[1, 0]),
            (Version::V2, false, 17, &[16, 1, 0]),
            (Version::V2, true, 100, &[16, 32, 52, 0]),
            (Version::V0, true, 1, &[1]),
            (Version::V0, true, 16, &[16, 0]),
            (Version::V0, true, 100, &[16, 16, 32, 36]),
            (Version::V0, false, 100, &[16, 16, 32, 32, 4]),
        ] {
            assert_eq!(
                sizes(version, is_stateless, &many[..haves]),
                expected,
                "{version:?} {is_stateless} {haves}"
            );
        }
    }

    #[test]
    fn what_is_common_is_said_again_to_a_server_that_forgets() {
        let haves = ids(40);
        for (version, is_stateless, again) in
            [(Version::V2, true, 1), (Version::V2, false, 1), (Version::V0, true, 1), (Version::V0, false, 0)]
        {
            let mut negotiation = Negotiation::new(version, is_stateless, &haves);
            negotiation.next_round();
            negotiation.heard(&[haves[3], haves[3]]);
            let round = negotiation.next_round();
            let is_again = usize::from(round.haves[0] == haves[3]);
            assert_eq!(is_again, again, "{version:?} {is_stateless}");
        }
    }

    #[test]
    fn a_client_that_names_more_in_vain_gives_up() {
        let haves = ids(2_000);
        let mut negotiation = Negotiation::new(Version::V2, true, &haves);
        negotiation.next_round();
        negotiation.heard(&haves[..1]);
        let rounds = std::iter::from_fn(|| Some(negotiation.next_round())).take_while(|round| !round.is_done);
        // 32, 64 and 128 make 224; with the next the 256 are over.
        assert_eq!(rounds.count(), 3);
    }
}
