//! Seeded draws that are the same on every machine and in every version of E3.

use e3_model::Seed;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// One deterministic sequence of draws.
///
/// Draws use integers only and are made of the cipher's words here, so that no library's distribution can change them.
#[derive(Debug, Clone)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// Returns the sequence of one part of the whole; lanes are independent of each other.
    pub(crate) fn of(seed: Seed, lane: u64) -> Self {
        let mut bytes = [0; 32];
        for (part, word) in bytes.chunks_exact_mut(8).zip(0..) {
            part.copy_from_slice(&seed.fork(lane).fork(word).0.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// Returns a number below `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * end as u128;
        usize::try_from(wide >> 64).unwrap_or_default()
    }

    /// Returns a number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Returns a number below `end`, small ones more often.
    pub(crate) fn skewed(&mut self, end: usize) -> usize {
        let bound = self.below(end) + 1;
        self.below(bound.min(end))
    }

    /// Returns whether a chance of `hits` in `of` came true.
    pub(crate) fn chance(&mut self, hits: usize, of: usize) -> bool {
        self.below(of) < hits
    }

    /// Returns one of the words; an empty text when there are none.
    pub(crate) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let position = self.below(words.len());
        words.get(position).copied().unwrap_or_default()
    }

    /// Fills `bytes` with noise.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// Puts the items into a drawn order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_pinned() {
        // These must never change: every commit id depends on them.
        let mut draw = Draw::of(Seed(1), 0);
        let drawn: Vec<_> = (0..8).map(|_| draw.below(1000)).collect();
        assert_eq!(drawn, [553, 266, 371, 899, 11, 216, 304, 817]);
    }

    #[test]
    fn draws_stay_in_their_bounds() {
        let mut draw = Draw::of(Seed(2), 0);
        for _ in 0..1000 {
            assert!((3..=5).contains(&draw.between(3, 5)));
            assert!(draw.skewed(4) < 4);
        }
        assert_eq!((draw.below(0), draw.below(1), draw.skewed(0), draw.pick(&[])), (0, 0, 0, ""));
    }
}
