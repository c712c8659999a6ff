//! The cut: what ends the ops that the grace has not.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Ends what runs under it, once; a clone is the same cut.
///
/// A cancellation token does this too, but takes a lock that all clients share each time one of them is polled. This
/// costs the look at a flag.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_made: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Cut {
    /// Makes the cut.
    pub(crate) fn make(&self) {
        self.0.is_made.store(true, Ordering::Release);
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.drain(..).for_each(Waker::wake);
    }

    /// Awaits a future, or the cut; returns none when the cut was made before the future was ready.
    ///
    /// # Cancellation
    /// When this future is dropped, so is the other.
    pub(crate) async fn limit<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut known: Option<Waker> = None;
        poll_fn(|context| {
            if known.as_ref().is_none_or(|waker| !waker.will_wake(context.waker())) {
                let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.push(context.waker().clone());
                known = Some(context.waker().clone());
            }
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                // After the waker was left: a cut that did not see it is seen here.
                Poll::Pending if self.0.is_made.load(Ordering::Acquire) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_pending_is_cut_and_what_is_ready_is_not() {
        let cut = Cut::default();
        assert_eq!(cut.limit(ready(1)).await, Some(1));
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let cut = cut.clone();
                tokio::spawn(async move { cut.limit(pending::<()>()).await })
            })
            .collect();
        tokio::task::yield_now().await;
        cut.make();
        for task in waiting {
            let ended = tokio::time::timeout(Duration::from_secs(10), task).await.unwrap();
            assert_eq!(ended.unwrap(), None);
        }
        assert_eq!(cut.limit(pending::<()>()).await, None, "it stays made");
        assert_eq!(cut.limit(ready(2)).await, Some(2), "what needs no time has it");
    }
}
