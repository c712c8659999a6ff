//! How often each effect was felt.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Cut,
    Error,
    Latency,
    Slow,
    Stall,
    Wait,
}

/// The counts of one node, by kind and route.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<(Kind, String), u64>>);

impl Counts {
    /// Counts an effect. Routes are bounded: those beyond it count as others.
    pub(super) fn add(&self, kind: Kind, route: &str) {
        let mut counts = self.lock();
        let is_known = counts.contains_key(&(kind, route.to_owned()));
        let route = if is_known || counts.len() < MOST { route } else { OTHERS };
        *counts.entry((kind, route.to_owned())).or_default() += 1;
    }

    /// Returns every count, by kind, then by route.
    pub(super) fn list(&self) -> Vec<(&'static str, String, u64)> {
        self.lock().iter().map(|((kind, route), count)| (kind.name(), route.clone(), *count)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Kind, String), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Error => "error",
            Self::Latency => "latency",
            Self::Slow => "slow",
            Self::Stall => "stall",
            Self::Wait => "wait",
        }
    }
}

const MOST: usize = 1000;
const OTHERS: &str = "others";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_without_end_take_a_bounded_room() {
        let counts = Counts::default();
        for number in 0..MOST + 5 {
            counts.add(Kind::Error, &format!("/{number}"));
        }
        counts.add(Kind::Error, "/0");
        let list = counts.list();
        assert_eq!(list.len(), MOST + 1);
        assert!(list.contains(&("error", "/0".to_owned(), 2)));
        assert!(list.contains(&("error", OTHERS.to_owned(), 5)));
    }
}
