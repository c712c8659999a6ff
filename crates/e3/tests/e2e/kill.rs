//! Signals at fifty seeded moments: nothing stays that `deprovision` does not remove, and the samples are there up to
//! the last second.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e3_model::{Plan, Run, Seed};
use e3_samples::Names;
use rustix::process::{Pid, Signal};

use crate::support::{E3, wait_for};

#[test]
fn killed_at_twenty_moments_it_leaves_nothing_that_deprovision_does_not_remove() {
    at_moments(20, &[Signal::KILL], |e3, _| {
        for run in e3.home().runs() {
            e3.run(&["deprovision", "-r", &run.0]).exits(0);
        }
    });
}

#[test]
fn terminated_at_ten_moments_it_removes_everything_itself() {
    at_moments(10, &[Signal::TERM], ended_by_itself);
}

#[test]
fn hung_up_at_ten_moments_it_removes_everything_itself() {
    at_moments(10, &[Signal::HUP], ended_by_itself);
}

#[test]
fn interrupted_twice_at_ten_moments_it_ends_at_once() {
    at_moments(10, &[Signal::INT, Signal::INT], |e3, _| {
        for run in e3.home().runs() {
            e3.run(&["deprovision", "-r", &run.0]).exits(0);
        }
    });
}

/// A signal that comes before e3 listens for it ends it as any process, and then nothing had been begun.
fn ended_by_itself(e3: &E3, status: ExitStatus) {
    use std::os::unix::process::ExitStatusExt as _;
    match status.code() {
        Some(code) => assert!(matches!(code, 0 | 31 | 32), "{code}"),
        None => assert!(status.signal().is_some() && e3.home().runs().is_empty(), "{status:?}"),
    }
}

/// Runs a small experiment once for each moment, ends it there by these signals, and looks at what is left.
fn at_moments(count: u32, signals: &[Signal], clean_up: impl Fn(&E3, ExitStatus)) {
    let mut with_samples = 0;
    for moment in 0..count {
        // Seeded moments over the whole length of a run: the first ones while it sets up, the last while it ends.
        let slot = LENGTH_MS / u64::from(count);
        let seed = Seed(2026).fork(u64::from(moment)).fork(signals.len() as u64);
        let delay = Duration::from_millis(u64::from(moment) * slot + seed.0 % slot);
        with_samples += u32::from(end_after(delay, signals, &clean_up));
    }
    assert!(with_samples > 0, "no moment hit a running stage");
}

/// Ends a run after that time; returns whether a stage was running then and its samples were checked.
fn end_after(delay: Duration, signals: &[Signal], clean_up: impl Fn(&E3, ExitStatus)) -> bool {
    let e3 = E3::new();
    e3.write("experiments/brief.json", BRIEF.as_bytes());
    let started = Instant::now();
    let mut child = e3.command(&["orchestrate", "-e", "brief", "-q"]).spawn().unwrap();
    while started.elapsed() < delay && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    for signal in signals {
        // One that has ended on its own takes no signal, and is as good a case as any.
        let _ = rustix::process::kill_process(pid, *signal);
    }
    let ended_ns = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let status = ended(&mut child);

    let Some(run) = e3.home().runs().into_iter().next() else {
        // It ended before it had begun a run: nothing may stand.
        e3.assert_nothing_left();
        return false;
    };
    let checked = samples_are_complete(&e3, ended_ns);
    clean_up(&e3, status);
    e3.assert_nothing_left();
    let directory = e3.home().run(&run.0).unwrap();
    if directory.read::<Run>().is_ok_and(|record| !record.stages.is_empty()) {
        e3.run(&["gather", "-r", &run.0]).exits(0);
        let code = e3.run(&["analyze", "-r", &run.0]).code;
        assert!(matches!(code, Some(0 | 32)), "what was measured can be analysed, but exited {code:?}");
    }
    checked
}

fn ended(child: &mut Child) -> ExitStatus {
    wait_for("the end of e3", Duration::from_secs(60), || {
        child.try_wait().unwrap().ok_or_else(|| "it still runs".to_owned())
    })
}

/// Checks that samples reach up to a second before the end, where a stage had been running that long.
fn samples_are_complete(e3: &E3, ended_ns: u128) -> bool {
    let run = e3.only_run();
    let (Ok(plan), Ok(record)) = (run.read::<Plan>(), run.read::<Run>()) else { return false };
    let Some(last) = record.stages.last() else { return false };
    let (_, stage) = plan.stage(last.stage).unwrap();
    let since_start = ended_ns.saturating_sub(u128::from(last.started_unix_ns));
    let load_ended = u128::from(stage.duration.as_nanos());
    // Within the first second nothing need be there yet, and the last clients may think until the end.
    if since_start < 1_000_000_000 {
        return false;
    }
    let samples = e3_samples::read(&run.stage_directory(last.stage), &Names::of(stage)).unwrap();
    let newest = samples.iter().map(|sample| u128::from(sample.ended_ns)).max().unwrap_or(0);
    // One second by promise, and as much again for the slowest op and thought of a busy machine.
    let bound = since_start.min(load_ended).saturating_sub(2_000_000_000);
    assert!(newest >= bound, "newest sample at {newest} ns, ended at {since_start} ns");
    !samples.is_empty()
}

/// About as long as one run of the experiment takes with unoptimised binaries.
const LENGTH_MS: u64 = 4_000;

/// Two systems, one stage each.
const BRIEF: &str = r#"{
  "order": "interleaved", "duration": "1200ms", "mix": "ops", "workload": "smoke",
  "thinkTime": {"distribution": "exponential", "mean": "40ms"},
  "threads": [
    {"name": "1 node", "instance": {"nodes": 1, "snapshot": "smoke"}, "stages": [{"clients": 4}]},
    {"name": "2 nodes", "instance": {"nodes": 2, "snapshot": "smoke"}, "stages": [{"clients": 4}]}
  ]
}"#;
