//! How long an op may take, without setting the runtime's timer for each.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use tokio::task::coop::unconstrained;
use tokio::time::{Sleep, sleep_until};

use crate::Instant;

/// The timer of one client's ops, one after another.
///
/// The runtime's timers are behind a lock that all threads share, and hardly an op needs its own. So this one stays set
/// from op to op: when it rings for an op that ended long ago, it is set anew for the one under way.
#[derive(Debug, Default)]
pub(crate) struct OpTimer(Option<Armed>);

#[derive(Debug)]
struct Armed {
    timer: Pin<Box<Sleep>>,
    /// Whom the timer wakes.
    wakes: Waker,
}

impl OpTimer {
    /// Awaits some work until then at most; returns none when the time was up first.
    ///
    /// # Cancellation
    /// When the future is dropped, so is the work.
    pub(crate) async fn limit<W: Future>(&mut self, until: Instant, work: W) -> Option<W::Output> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.poll_over(until, context).map(|()| None),
        })
        .await
    }

    fn poll_over(&mut self, until: Instant, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker();
        let Armed { timer, wakes } = match &mut self.0 {
            // It will ring in time, and wake this very task.
            Some(Armed { timer, wakes })
                if wakes.will_wake(waker) && timer.deadline() <= until && !timer.is_elapsed() =>
            {
                return Poll::Pending;
            }
            Some(armed) => armed,
            none => none.insert(Armed { timer: Box::pin(sleep_until(until)), wakes: waker.clone() }),
        };
        wakes.clone_from(waker);
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        loop {
            // Work that uses up its turn every time must not keep the time from being up.
            ready!(pin!(unconstrained(timer.as_mut())).poll(context));
            if timer.deadline() == until {
                return Poll::Ready(());
            }
            timer.as_mut().reset(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_op_has_its_own_time_whatever_the_timer_was_set_to() {
        let mut timer = OpTimer::default();
        for (allowed, takes, why) in [
            (500, 100, "sets the timer"),
            (500, 499, "the timer rings in between"),
            (500, 600, "too long, though the timer was set for an op before"),
            (500, 501, "too long, right after one that was"),
            (20, 10, "a shorter time than the timer is set to"),
            (20, 30, "too long, though the timer was set later"),
            (10_000, 9_000, "a longer time than ever"),
            (0, 0, "no time, and none needed"),
            (0, 1, "no time"),
        ] {
            let begun = Instant::now();
            let until = begun + Duration::from_millis(allowed);
            let ended = timer.limit(until, sleep(Duration::from_millis(takes))).await;
            let elapsed = begun.elapsed().as_millis();
            assert_eq!(ended.is_some(), takes < allowed || takes == 0, "{why}: {elapsed} ms");
            assert_eq!(elapsed, u128::from(takes.min(allowed)), "{why}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_always_uses_up_its_turn_is_ended_too() {
        let greedy = async {
            loop {
                tokio::task::coop::consume_budget().await;
                sleep(Duration::ZERO).await;
            }
        };
        let until = Instant::now() + Duration::from_millis(5);
        let ticking = async {
            while Instant::now() < until {
                tokio::time::advance(Duration::from_millis(1)).await;
            }
        };
        let mut timer = OpTimer::default();
        let (ended, ()) = tokio::join!(timer.limit(until, greedy), ticking);
        assert!(ended.is_none());
    }
}
