//! A wall clock that jumps while a stage runs: no latency, rate or order may follow it.

use std::process::Stdio;
use std::time::Duration;

use e3_model::{Analysis, StageOutcome};

use crate::support::{E3, Ran, wait_for};

#[test]
fn a_clock_that_jumps_moves_no_number() {
    let library = faketime();
    let e3 = E3::new();
    let offset = e3.write("offset", b"+0");
    let child = e3
        .command(&["orchestrate", "-e", "smoke"])
        .env("LD_PRELOAD", &library)
        .env("FAKETIME_TIMESTAMP_FILE", &offset)
        .env("FAKETIME_NO_CACHE", "1")
        // Monotonic clocks do not jump on any machine.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // An hour forward in the first stage, two hours back in the second.
    for (stage, jump) in [("thread-001/stage-000", "+3600"), ("thread-002/stage-000", "-3600")] {
        wait_for(stage, Duration::from_secs(60), || {
            let run = e3.home().runs().into_iter().next().ok_or("no run yet")?;
            let directory = e3.home().run(&run.0).map_err(|error| error.to_string())?;
            let segments = directory.path().join(stage).join("segments");
            std::fs::read_dir(&segments)
                .map_err(|error| error.to_string())?
                .next()
                .ok_or("no segment yet")?
                .ok();
            Ok(())
        });
        std::fs::write(&offset, jump).unwrap();
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(matches!(ran.code, Some(0 | 32)), "{:?}: {}", ran.code, ran.stderr);
    e3.assert_nothing_left();
    let analysis: Analysis = e3.only_run().read().unwrap();
    let mut stages: Vec<_> = analysis.threads.iter().flat_map(|thread| &thread.stages).collect();
    stages.sort_by_key(|stage| stage.position);
    let started: Vec<u64> = stages.iter().map(|stage| stage.started_unix_ns / 1_000_000_000).collect();
    let [first, second, third, _] = started[..] else { panic!("{started:?}") };
    assert!(second > first + 3_000 && third + 6_000 < second, "the clock has jumped twice: {started:?}");
    for stage in stages {
        assert_eq!(stage.outcome, StageOutcome::Completed, "{}", stage.stage);
        assert_eq!(stage.window_end_ms, stage.planned_ms, "{}", stage.stage);
        let slowest = stage.total.latency.as_ref().map_or(0.0, |latency| latency.max_ms);
        assert!((0.0..60_000.0).contains(&slowest), "{}: {slowest} ms", stage.stage);
        assert!(stage.total.count > 10, "{}: {} ops", stage.stage, stage.total.count);
    }
}

/// Returns libfaketime, which changes what a process takes for the wall clock.
fn faketime() -> std::path::PathBuf {
    let found = std::fs::read_dir("/usr/lib")
        .unwrap()
        .flatten()
        .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
        .chain([std::path::PathBuf::from("/usr/lib/faketime/libfaketimeMT.so.1")])
        .find(|path| path.is_file());
    found.expect(
        "libfaketime is not installed; install it with: cargo xtask tools, or apt-get install faketime",
    )
}
