//! A worker whose runtime is held up for known times: the honesty meter must speak of it, and of nothing less.
//!
//! What takes the CPU away holds up every task alike while time goes on, which is what a throttled cgroup or a busy
//! sibling looks like from within. `cargo xtask bench honesty` shows the same with real ones.

use std::time::Duration;

use e3_model::{Arrival, ClientBound, Distribution, Honesty, Span, StagePlan};
use tokio::time::Instant;

use crate::world::{closed, open, perform, takes};

/// Performs a plan of a minute while the runtime is held up for `held_ms` at a time, 5 ms after each multiple of
/// `every_ms`, so that the meter's ticks, which are multiples of 10 ms, are late by 25 ms at most when it is 30 ms.
async fn held_up(plan: &StagePlan, held_ms: u64, every_ms: u64) -> Honesty {
    let origin = Instant::now();
    let holding = tokio::spawn(async move {
        for begin_ms in (5..).step_by(usize::try_from(every_ms).unwrap()) {
            tokio::time::sleep_until(origin + Duration::from_millis(begin_ms)).await;
            // Simulated time goes on while no other task does.
            tokio::time::advance(Duration::from_millis(held_ms)).await;
        }
    });
    let seen = perform(plan, &takes(5)).await;
    holding.abort();
    seen.report.honesty
}

/// Returns whether the meter speaks of late clients, and of a late event loop; what else it looks at is the machine's.
fn spoken(honesty: &Honesty) -> (bool, bool) {
    let bound = honesty.client_bound();
    let says = |is: fn(&ClientBound) -> bool| bound.iter().any(is);
    (
        says(|bound| matches!(bound, ClientBound::SchedulingLag(_))),
        says(|bound| matches!(bound, ClientBound::EventLoopDelay(_))),
    )
}

#[tokio::test(start_paused = true)]
async fn a_starved_worker_makes_the_meter_speak_and_an_idle_one_never_does() {
    let thinking = Distribution::Constant(Span::from_millis(10));
    let closed = StagePlan { think_time: thinking, ..closed(4, 60) };
    let open = open(Arrival::Constant, 250.0, 64, 60);
    for (held_ms, every_ms, (lag, delay), why) in [
        (0, 1_000, (false, false), "an idle worker"),
        (9, 100, (false, false), "less than the limit, though often"),
        (30, 100, (true, true), "three times the limit, three tenths of the time"),
        (30, 700, (true, true), "four ticks in a hundred"),
        (30, 12_000, (false, false), "so seldom that no 99th percentile is late"),
        // A client of the closed model is late once for each stall, however long.
        (1_000, 20_000, (false, true), "seldom, but a twentieth of the time"),
    ] {
        let honesty = held_up(&closed, held_ms, every_ms).await;
        assert_eq!(spoken(&honesty), (lag, delay), "closed: {why}: {honesty:?}");
        let honesty = held_up(&open, held_ms, every_ms).await;
        assert_eq!(spoken(&honesty), (delay, delay), "open: {why}: {honesty:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_meter_says_how_late_it_was() {
    let plan = open(Arrival::Constant, 100.0, 64, 60);
    let honesty = held_up(&plan, 30, 100).await;
    // Ticks are 25, 15 and 5 ms late, less the timer's own millisecond; arrivals are due at the same times.
    for (found, theory, what) in [
        (honesty.event_loop_delay_p99_ms, 24.0, "delay"),
        (honesty.event_loop_delay_max_ms, 24.0, "longest delay"),
        (honesty.scheduling_lag_p99_ms, 25.0, "lag"),
        (honesty.scheduling_lag_max_ms, 25.0, "longest lag"),
    ] {
        assert!((found / theory - 1.0_f64).abs() < 0.032, "{what}: {found} ms for {theory} ms");
    }
}
