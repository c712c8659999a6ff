//! How many ops a share may still begin.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

/// The ops that all clients of a share together may still begin, in a stage that ends by a count.
#[derive(Debug)]
pub struct OpBudget {
    left: AtomicU64,
    used_up: CancellationToken,
}

impl OpBudget {
    /// Returns a budget of so many ops, which cancels the token when the last one is taken: clients that think or have
    /// not started need not wait for ops that will never come. A budget of none is used up at once.
    pub fn new(operations: u64, used_up: CancellationToken) -> Self {
        if operations == 0 {
            used_up.cancel();
        }
        Self { left: AtomicU64::new(operations), used_up }
    }

    /// Returns how many are left.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes one op; returns whether there was one.
    pub(crate) fn take(&self) -> bool {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if taken == Ok(1) {
            self.used_up.cancel();
        }
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_exactly_what_there_is() {
        let used_up = CancellationToken::new();
        let budget = OpBudget::new(10_000, used_up.clone());
        let taken: usize = std::thread::scope(|scope| {
            let taking: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..5_000).filter(|_| budget.take()).count())).collect();
            taking.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 10_000);
        assert!(used_up.is_cancelled());
    }

    #[test]
    fn the_last_one_taken_tells_the_others() {
        let used_up = CancellationToken::new();
        let budget = OpBudget::new(2, used_up.clone());
        assert!(budget.take() && !used_up.is_cancelled());
        assert_eq!(budget.left(), 1);
        assert!(budget.take() && used_up.is_cancelled());
        assert!(!budget.take());
        let none = CancellationToken::new();
        assert!(!OpBudget::new(0, none.clone()).take() && none.is_cancelled());
    }
}
