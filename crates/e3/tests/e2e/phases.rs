//! Each phase alone, in order, as the first E3's users know them.

use std::path::PathBuf;
use std::process::Command;

use e3_model::{Run, Snapshot, StageOutcome, ThreadId};

use crate::orchestrate::believable;
use crate::support::{E3, wait_for};

#[test]
fn each_phase_works_alone_and_the_pushed_repositories_are_whole() {
    let e3 = E3::new();
    let name = e3.run(&["provision", "-e", "smoke"]).exits(0).stdout.trim().to_owned();
    assert_eq!(e3.only_run().name().0, name);
    assert!(!e3.processes().is_empty(), "the systems under test stand after `provision` has ended");

    let snapshot = std::fs::read(e3.only_run().snapshot_file(ThreadId(0))).unwrap();
    let snapshot: Snapshot = serde_json::from_slice(&snapshot).unwrap();
    let asked = snapshot.repositories().count();
    let repositories = bare_repositories(e3.path().join("tmp"));
    assert_eq!(repositories.len(), 2 * asked, "{repositories:?}");
    for repository in &repositories {
        let fsck = Command::new("git")
            .arg("-C")
            .arg(repository)
            .args(["fsck", "--strict", "--full"])
            .output()
            .unwrap();
        assert!(fsck.status.success(), "{}: {}", repository.display(), String::from_utf8_lossy(&fsck.stderr));
        let heads = Command::new("git")
            .arg("-C")
            .arg(repository)
            .args(["rev-list", "--all", "--count"])
            .output()
            .unwrap();
        let commits: u64 = String::from_utf8(heads.stdout).unwrap().trim().parse().unwrap();
        assert!(commits >= 10, "{}: {commits} commits", repository.display());
    }

    e3.assert_secrets_are_nowhere();

    // What is not there yet says which command makes it.
    let early = e3.run(&["gather", "-r", &name]);
    assert_ne!(early.code, Some(0));
    assert!(early.stderr.contains("hint: ") && early.stderr.contains("e3 run"), "{}", early.stderr);

    e3.run(&["run", "-r", &name]).exits(0);
    e3.assert_secrets_are_nowhere();
    let again = e3.run(&["run", "-r", &name]).exits(30);
    assert!(again.stderr.contains("has run already") && again.stderr.contains("hint: "), "{}", again.stderr);
    e3.run(&["gather", "-r", &name]).exits(0);
    let analyzed = believable(&e3, e3.run(&["analyze", "-r", &name, "--json"]));
    assert_eq!(analyzed.json()["format"], "e3/analysis");
    let first = std::fs::read(e3.only_run().path().join("analysis.json")).unwrap();
    believable(&e3, e3.run(&["analyze", "-r", &name]));
    let second = std::fs::read(e3.only_run().path().join("analysis.json")).unwrap();
    assert_eq!(first, second, "same results, byte-identical analysis");
    e3.run(&["report", "-r", &name]).exits(0);

    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
    e3.run(&["deprovision", "-r", &name]).exits(0);
    let late = e3.run(&["run", "-r", &name]).exits(30);
    assert!(late.stderr.contains("was deprovisioned"), "{}", late.stderr);
}

#[test]
fn one_interrupt_keeps_what_was_measured_and_removes_the_rest() {
    let e3 = E3::new();
    let child = e3.command(&["orchestrate", "-e", "smoke"]).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    wait_for("the first stage", std::time::Duration::from_secs(60), || {
        let runs = e3.home().runs();
        let run = runs.first().ok_or("no run yet")?;
        let record: Run =
            e3.home().run(&run.0).and_then(|run| run.read()).map_err(|error| error.to_string())?;
        if record.stages.is_empty() { Err("no stage yet".to_owned()) } else { Ok(()) }
    });
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ran = crate::support::Ran::of(child.wait_with_output().unwrap()).exits(31);
    assert!(ran.stderr.contains("interrupted"), "{}", ran.stderr);
    e3.assert_nothing_left();
    let run = e3.only_run();
    let record: Run = run.read().unwrap();
    assert!(
        record.stages.iter().any(|stage| stage.outcome == StageOutcome::Interrupted),
        "{:#?}",
        record.stages
    );
    assert!(run.report_file().is_file());
}

/// Returns every bare repository below a folder.
pub(crate) fn bare_repositories(root: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        if folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
            found.push(folder);
            continue;
        }
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn pushes_arrive_and_their_branches_are_gone_after_each_stage() {
    let e3 = E3::new();
    e3.write("workloads/pushes.json", br#"[{"script": "scm.PushChangesHttp", "weight": 1.0}]"#);
    let experiment = e3.home().find(e3_model::Kind::Experiment, "smoke").unwrap().text;
    let experiment = experiment.replace("\"workload\": \"smoke\"", "\"workload\": \"pushes\"");
    e3.write("experiments/pushes.json", experiment.as_bytes());
    let name = e3.run(&["provision", "-e", "pushes"]).exits(0).stdout.trim().to_owned();
    let repositories = bare_repositories(e3.path().join("tmp"));
    let refs = || -> Vec<String> {
        let list = |repository: &PathBuf| {
            let output = Command::new("git").arg("-C").arg(repository).arg("for-each-ref").output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        repositories.iter().map(list).collect()
    };
    let loaded = refs();
    let ran = e3.run(&["run", "-r", &name]).exits(0);
    assert!(!ran.stderr.contains("failed") && !ran.stderr.contains("left behind"), "{}", ran.stderr);
    assert_eq!(refs(), loaded, "the branches that the stages made are gone again");
    for repository in &repositories {
        let fsck = Command::new("git").arg("-C").arg(repository).args(["fsck", "--strict"]).output().unwrap();
        assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
        // The pushed commits are there, though nothing leads to them any more.
        assert!(
            String::from_utf8_lossy(&fsck.stdout).contains("dangling commit"),
            "{}",
            repository.display()
        );
    }
    e3.run(&["gather", "-r", &name]).exits(0);
    let analyzed = e3.run(&["analyze", "-r", &name, "--json"]).json();
    let stage = &analyzed["threads"][0]["stages"][0];
    assert!(stage["total"]["ok"].as_u64().unwrap() > 0, "{:#}", stage["total"]);
    assert_eq!(stage["total"]["errors"], serde_json::json!({}));
    let pushes = stage["ops"].as_array().unwrap().iter().find(|op| op["op"] == "Push").unwrap();
    assert!(pushes["ok"].as_u64().unwrap() > 0, "{pushes:#}");
    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
}
