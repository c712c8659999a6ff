//! SIGKILL at random moments: `deprovision` cleans up, and the samples are there up to the last second.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e3_model::{Plan, Run, Seed};
use e3_samples::Names;

use crate::support::E3;

#[test]
fn killed_at_ten_moments_it_leaves_nothing_that_deprovision_does_not_remove() {
    let mut with_samples = 0;
    for moment in 0..10_u64 {
        // Seeded moments over the whole length of a smoke run: the first ones while it sets up, the last while it ends.
        let jitter = Seed(2026).fork(moment).0 % 700;
        let delay = Duration::from_millis(50 + moment * 700 + jitter);
        with_samples += u32::from(kill_after(delay));
    }
    assert!(with_samples > 0, "no moment hit a running stage");
}

/// Kills a run after that time; returns whether a stage was running then and its samples were checked.
fn kill_after(delay: Duration) -> bool {
    let e3 = E3::new();
    let started = Instant::now();
    let mut child = e3.command(&["orchestrate", "-e", "smoke", "-q"]).spawn().unwrap();
    while started.elapsed() < delay && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    let killed_ns = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    child.wait().unwrap();

    let runs = e3.home().runs();
    let Some(run) = runs.first() else {
        // It was killed before it had begun a run: nothing may stand.
        e3.assert_nothing_left();
        return false;
    };
    let checked = samples_are_complete(&e3, killed_ns);
    e3.run(&["deprovision", "-r", &run.0]).exits(0);
    e3.assert_nothing_left();
    let directory = e3.home().run(&run.0).unwrap();
    if directory.read::<Run>().is_ok_and(|record| !record.stages.is_empty()) {
        e3.run(&["gather", "-r", &run.0]).exits(0);
        let code = e3.run(&["analyze", "-r", &run.0]).code;
        assert!(matches!(code, Some(0 | 32)), "what was measured can be analysed, but exited {code:?}");
    }
    checked
}

/// Checks that samples reach up to a second before the kill, where a stage had been running that long.
fn samples_are_complete(e3: &E3, killed_ns: u128) -> bool {
    let run = e3.only_run();
    let (Ok(plan), Ok(record)) = (run.read::<Plan>(), run.read::<Run>()) else { return false };
    let Some(last) = record.stages.last() else { return false };
    let (_, stage) = plan.stage(last.stage).unwrap();
    let since_start = killed_ns.saturating_sub(u128::from(last.started_unix_ns));
    let load_ended = u128::from(stage.duration.as_nanos());
    // Within the first second nothing need be there yet, and the last clients may think until the end.
    if since_start < 1_000_000_000 {
        return false;
    }
    let samples = e3_samples::read(&run.stage_directory(last.stage), &Names::of(stage)).unwrap();
    let newest = samples.iter().map(|sample| u128::from(sample.ended_ns)).max().unwrap_or(0);
    // One second by promise, and as much again for the slowest op and thought of a busy machine.
    let bound = since_start.min(load_ended).saturating_sub(2_000_000_000);
    assert!(newest >= bound, "newest sample at {newest} ns, killed at {since_start} ns");
    !samples.is_empty()
}
