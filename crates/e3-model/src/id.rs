//! Identifiers: newtypes, so that a client is never mistaken for a worker.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// Returns the position as an index into the slice that this identifier counts.
            pub fn index(self) -> usize {
                usize::try_from(self.0).unwrap_or(usize::MAX)
            }
        }
    };
}

index!(
    /// A thread's position in the experiment, from 0; shown and stored from 1 (`thread-001`).
    ThreadId(u32)
);
index!(
    /// A stage's position in its thread, from 0 (`stage-000`).
    StageId(u32)
);
index!(
    /// A worker's position in its thread's fleet, from 0; shown from 1 (`worker-001`).
    WorkerId(u32)
);
index!(
    /// A client's position in its stage, from 0, over all workers.
    ClientId(u32)
);
index!(
    /// A job's position in its stage's workload, from 0.
    JobId(u16)
);
index!(
    /// An op's position among its script's ops, from 0.
    OpId(u16)
);

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread-{:03}", u64::from(self.0) + 1)
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stage-{:03}", self.0)
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker-{:03}", u64::from(self.0) + 1)
    }
}

/// One stage of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct StageRef {
    /// The thread.
    pub thread: ThreadId,
    /// The stage within that thread.
    pub stage: StageId,
}

impl fmt::Display for StageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.thread, self.stage)
    }
}

/// A run's name: experiment, then the UTC second at which it was planned; also its directory's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunName(pub String);

impl RunName {
    /// Returns whether the name can be a directory's name and nothing else: no separator, no leading dot.
    pub fn is_valid(name: &str) -> bool {
        !name.is_empty()
            && name.len() <= 200
            && !name.starts_with('.')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+:".contains(c))
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A seed for one deterministic sequence of draws; 53 bits, so that every JSON reader keeps it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seed(#[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))] pub u64);

impl Seed {
    /// Returns an independent seed for the part of the whole that `lane` names.
    ///
    /// Source: the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    #[must_use]
    pub fn fork(self, lane: u64) -> Self {
        let mut z = self.0.wrapping_add(lane.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self((z ^ (z >> 31)) & ((1 << 53) - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forked_seeds_differ_and_stay_within_53_bits() {
        let seeds: std::collections::BTreeSet<_> = (0..10_000).map(|lane| Seed(7).fork(lane)).collect();
        assert_eq!(seeds.len(), 10_000);
        assert!(seeds.iter().all(|seed| seed.0 < 1 << 53));
        assert_eq!(Seed(7).fork(3), Seed(7).fork(3));
    }

    #[test]
    fn run_names_cannot_leave_their_directory() {
        for bad in ["", ".", "..", "a/b", "../x", "a\\b", "a b", ".hidden", "a\0"] {
            assert!(!RunName::is_valid(bad), "{bad:?}");
        }
        for good in ["quickstart-2026-11-22T20-05-31", "x", "mixed-test-2016-12-31T23:59:59"] {
            assert!(RunName::is_valid(good), "{good:?}");
        }
    }
}
