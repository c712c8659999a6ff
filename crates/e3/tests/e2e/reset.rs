//! `reset`: what is done to the systems under test between their stages.

use std::time::Duration;

use e3_http::{BaseUrl, HttpSession, Request};
use e3_model::{Run, StageOutcome, Topology};
use serde_json::json;

use crate::support::E3;

/// How long a restore may take, by the promise that is made for it.
const RESTORED_WITHIN: Duration = Duration::from_secs(5);

fn provisioned(e3: &E3, reset: &str) -> String {
    let experiment = e3.home().find(e3_model::Kind::Experiment, "smoke").unwrap().text;
    let experiment = experiment.replacen("\"seed\": 1,", &format!("\"seed\": 1, \"reset\": \"{reset}\","), 1);
    e3.write("experiments/reset.json", experiment.as_bytes());
    e3.run(&["provision", "-e", "reset"]).exits(0).stdout.trim().to_owned()
}

/// Returns the seconds that the lines about resets name.
fn seconds(stderr: &str, done: &str) -> Vec<f64> {
    let lines = stderr.lines().filter_map(|line| line.split_once(&format!("{done} after ")));
    lines.map(|(_, rest)| rest.trim().trim_end_matches(" s").parse().unwrap()).collect()
}

/// Makes a project in every system, and returns for each whether it was made or is there.
fn projects(e3: &E3, make: bool) -> Vec<bool> {
    let run = e3.only_run();
    let topology: Topology = run.read().unwrap();
    let secrets = e3.home().read_secrets(run.name()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut found = Vec::new();
        for (thread, secrets) in topology.threads.iter().zip(&secrets.threads) {
            let base = BaseUrl::parse(&thread.instance.url).unwrap();
            let mut session = HttpSession::new(base).with_basic("admin", &secrets.admin_password);
            let request = if make {
                Request::json("/rest/api/1.0/projects", &json!({"key": "LATER", "name": "Made later"}))
            } else {
                Request::get("/rest/api/1.0/projects/LATER")
            };
            let answer = session.send(request).await.unwrap();
            assert!(matches!(answer.status, 200 | 201 | 404), "{}", answer.text().unwrap());
            found.push(answer.status != 404);
        }
        found
    })
}

#[test]
fn a_restore_brings_back_the_loaded_state_before_each_later_stage() {
    let e3 = E3::new();
    let name = provisioned(&e3, "restore");
    assert_eq!(projects(&e3, true), [true, true]);
    let topology = std::fs::read(e3.only_run().path().join("topology.json")).unwrap();
    let ran = e3.run(&["run", "-r", &name]).exits(0);
    let took = seconds(&ran.stderr, "is as it was loaded");
    assert_eq!(took.len(), 2, "one of two stages of each thread comes after a restore: {}", ran.stderr);
    assert!(took.iter().all(|seconds| *seconds < RESTORED_WITHIN.as_secs_f64()), "{took:?}");
    assert_eq!(projects(&e3, false), [false, false], "what was made after the load is gone");

    // The same ports, the same data: nobody notices but by what is missing.
    assert_eq!(std::fs::read(e3.only_run().path().join("topology.json")).unwrap(), topology);
    let record: Run = e3.only_run().read().unwrap();
    assert!(record.stages.iter().all(|stage| stage.outcome == StageOutcome::Completed), "{record:#?}");
    assert!(!ran.stderr.contains(" failed "), "{}", ran.stderr);
    e3.assert_secrets_are_nowhere();
    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
}

#[test]
fn a_restart_keeps_what_was_made() {
    let e3 = E3::new();
    let name = provisioned(&e3, "restart");
    assert_eq!(projects(&e3, true), [true, true]);
    let ran = e3.run(&["run", "-r", &name]).exits(0);
    assert_eq!(seconds(&ran.stderr, "was restarted").len(), 2, "{}", ran.stderr);
    assert_eq!(projects(&e3, false), [true, true]);
    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
}
