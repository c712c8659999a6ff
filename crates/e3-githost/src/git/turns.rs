//! Whose turn it is to run Git: a bounded number at once, a bounded queue, a bounded wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of one node.
pub(crate) struct Turns {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    wait: Duration,
}

/// It was nobody's turn in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    #[error("{0} git operations are waiting already")]
    QueueFull(usize),
    #[error("waited {0:?} for a turn to run git")]
    WaitedTooLong(Duration),
}

impl Turns {
    pub(crate) fn new(at_once: usize, queue: usize, wait: Duration) -> Self {
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(at_once)), waiting: AtomicUsize::new(0), queue, wait }
    }

    /// Waits for a turn, in the order of asking; it lasts as long as the permit lives.
    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, Busy> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Place::take(&self.waiting, self.queue)?;
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Busy::WaitedTooLong(self.wait))
    }
}

/// A place in the queue, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, queue: usize) -> Result<Self, Busy> {
        let before = waiting.fetch_add(1, Ordering::AcqRel);
        let place = Self(waiting);
        if before >= queue { Err(Busy::QueueFull(before)) } else { Ok(place) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn waits_in_a_bounded_queue_for_a_bounded_time() {
        let turns = Turns::new(1, 1, WAIT);
        let first = turns.take().await.unwrap();
        let second = turns.take();
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(turns.take().await.unwrap_err(), Busy::QueueFull(1));
        assert_eq!(second.await.unwrap_err(), Busy::WaitedTooLong(WAIT));
        let third = turns.take();
        tokio::pin!(third);
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(first);
        assert!(third.await.is_ok());
    }
}
