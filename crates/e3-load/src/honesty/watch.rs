//! The event loop and the descriptors, looked at as often as there is something to see.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::descriptors;
use crate::lag::LagMeter;

/// Watches the event loop and the descriptors until the end, or until the token is cancelled; returns how late the loop
/// woke a task that was due every [`TICK`], and the most descriptors that were open.
///
/// To wake a process that has nothing else to do costs more than all the rest of the meter. So each tick is looked at for
/// [`ALERT`] after the start and after one that was late; when all were in time for so long, only every
/// [`CALM_TICKS`]th, and one that is in time answers for those before it. What makes one tick in a hundred late, the
/// least that a 99th percentile shows, is found within seconds and never out of sight again; something rarer may be missed.
///
/// A tick that a stall delayed counts with its own delay, so that a stall weighs by its length; otherwise a worker that
/// stood still for half its stage would show one late tick among many in time. The timer's own millisecond is taken off.
pub(super) async fn watch((origin, end): (Instant, Instant), over: &CancellationToken) -> (LagMeter, u64) {
    let delays = LagMeter::of_one_task();
    let mut most = descriptors::open();
    let (mut last, mut counted_at, mut alert_until) = (origin, origin, origin + ALERT);
    loop {
        // Before the end each is looked at too, so that none is left out.
        let is_calm = last >= alert_until && last + TICK * CALM_TICKS < end;
        let ticks = if is_calm { CALM_TICKS } else { 1 };
        let due = last + TICK * ticks;
        tokio::select! {
            biased;
            () = over.cancelled() => break,
            () = sleep_until(due.min(end)) => {}
        }
        if due >= end {
            break;
        }
        let now = Instant::now();
        let late = delay(due, now);
        delays.note_many(late, if late > IN_TIME { 1 } else { u64::from(ticks) });
        last = due;
        while last + TICK < now.min(end) {
            last += TICK;
            delays.note(delay(last, now));
        }
        if late > IN_TIME {
            alert_until = now + ALERT;
        }
        if last.saturating_duration_since(counted_at) >= DESCRIPTOR_INTERVAL {
            counted_at = last;
            most = most.max(descriptors::open());
        }
    }
    (delays, most.max(descriptors::open()))
}

fn delay(due: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(due).saturating_sub(TIMER)
}

/// Delays are told of points in time that are so far apart.
const TICK: Duration = Duration::from_millis(10);
/// How many ticks pass between two looks while all is well.
const CALM_TICKS: u32 = 10;
/// How long every tick is looked at once one was late.
const ALERT: Duration = Duration::from_secs(2);
/// How late the runtime's timer wakes a task at most when nothing holds it up.
const TIMER: Duration = Duration::from_millis(1);
/// Up to half of what makes a stage client-bound, a delay is no reason to look more often.
const IN_TIME: Duration = Duration::from_millis(5);
const DESCRIPTOR_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// Watches for so long while a task holds the runtime up, for `held_ms` at a time, 5 ms after each multiple of `every_ms`.
    async fn watched(for_ms: u64, every_ms: u64, held_ms: u64) -> crate::lag::Lags {
        let origin = Instant::now();
        let end = origin + Duration::from_millis(for_ms);
        let over = CancellationToken::new();
        let watching = watch((origin, end), &over);
        let holding = async {
            for begin_ms in (every_ms..for_ms).step_by(usize::try_from(every_ms).unwrap()) {
                sleep_until(origin + Duration::from_millis(begin_ms + 5)).await;
                // Simulated time goes on while nothing else does.
                tokio::time::advance(Duration::from_millis(held_ms)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            (delays, _) = watching => delays.lags(),
            () = holding => unreachable!("it holds the runtime up for ever"),
        }
    }

    fn count(lags: &crate::lag::Lags) -> u64 {
        lags.buckets.iter().map(|bucket| bucket.count).sum()
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_loop_is_in_time_and_every_tick_is_answered_for() {
        for for_ms in [50, 1_995, 60_000, 3_600_000] {
            let lags = watched(for_ms, for_ms + 1, 1).await;
            assert_eq!(lags.max_ms, 0.0, "{for_ms}");
            assert_eq!(count(&lags), for_ms.div_ceil(10) - 1, "{for_ms} ms: those before the end");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_holds_it_up_is_found_and_never_out_of_sight() {
        // 35 ms of each half second: ticks that are 30, 20 and 10 ms late, six of a hundred.
        let lags = watched(300_000, 500, 35).await;
        // The timer's millisecond is taken off, and classes are 3.2 % wide.
        assert!((lags.max_ms - 29.0).abs() < 1e-9 && (lags.p99_ms / 29.0 - 1.0).abs() < 0.032, "{lags:?}");
        let late: u64 = lags.buckets.iter().filter(|bucket| bucket.up_to_us > 1_024).map(|it| it.count).sum();
        assert_eq!((count(&lags), late), (29_999, 599 * 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_weighs_by_its_length() {
        // Long calm, it looks 95 ms after the stall has begun: late by 904 ms, then by 894 and so on.
        for (for_ms, every_ms, p99_ms, why) in [
            (10_000, 5_000, 814.0, "the tenth largest of a thousand"),
            (60_000, 50_000, 314.0, "the sixtieth largest of six thousand"),
        ] {
            let lags = watched(for_ms, every_ms, 1_000).await;
            assert!((lags.max_ms - 904.0).abs() < 1e-9, "{why}: {lags:?}");
            assert!((lags.p99_ms / p99_ms - 1.0_f64).abs() < 0.032, "{why}: {lags:?}");
        }
    }
}
