//! Rehearsals: a stage's faults are in its samples, in its analysis and in the report, and in no other stage.

use std::io::Write as _;
use std::process::{Command, Stdio};

use e3_model::{Analysis, Fault, Run, StageAnalysis, StageOutcome, Stamp, Topology};
use serde_json::{Value, json};

use crate::support::{E3, Ran, files};

/// Writes an experiment of one thread with these stages, each for two seconds; all clone over HTTP.
fn write_experiment(e3: &E3, nodes: u32, stages: &Value) {
    let experiment = json!({
        "format": "e3/experiment", "version": 1, "name": "rehearsal", "seed": 1,
        "duration": "2s", "warmUp": "0ms", "workload": "clones", "opTimeout": "30s",
        "threads": [{
            "name": "rehearsed",
            "instance": {"provider": "local", "nodes": nodes, "snapshot": "smoke"},
            "worker": {"provider": "local"},
            "stages": stages,
        }],
    });
    e3.write("experiments/rehearsal.json", experiment.to_string().as_bytes());
    e3.write("workloads/clones.json", br#"[{"script": "scm.GitCloneOverHttp", "weight": 1}]"#);
}

/// Asserts that a run went through, whatever the machine was busy with, and returns what was found.
fn analysis(e3: &E3, ran: &Ran) -> Vec<StageAnalysis> {
    assert!(matches!(ran.code, Some(0 | 32)), "{:?}\n{}", ran.code, ran.stderr);
    let mut analysis: Analysis = e3.only_run().read().unwrap();
    analysis.threads.remove(0).stages
}

fn median(stage: &StageAnalysis) -> f64 {
    let latency = stage.total.latency.as_ref().unwrap_or_else(|| panic!("no success in {}", stage.stage));
    latency.p50_ms.unwrap_or_else(|| panic!("too few in {}: {}", stage.stage, stage.total.count))
}

#[test]
fn what_a_stage_is_disturbed_by_is_in_its_numbers_and_in_no_other_stages() {
    let e3 = E3::new();
    let slow = json!([{"route": "fetch", "latency": "200ms"}]);
    let failing = json!([{"route": "fetch", "errorRate": 0.2, "status": 503}]);
    write_experiment(
        &e3,
        2,
        &json!([
            {"clients": 2},
            {"clients": 2, "faults": slow},
            {"clients": 2, "faults": failing},
            {"clients": 2},
        ]),
    );
    let ran = e3.run(&["orchestrate", "-e", "rehearsal"]);
    let stages = analysis(&e3, &ran);
    let [before, slowed, failed, after] = stages.as_slice() else { panic!("four stages") };

    // Every clone of the second stage waited for its pack; the fastest of all shows that none went without.
    let fastest = slowed.total.latency.as_ref().unwrap().min_ms;
    assert!(fastest >= 200.0, "{fastest} ms");
    let shift = median(slowed) - median(before);
    assert!((150.0..400.0).contains(&shift), "the median shifted by {shift} ms, {} before", median(before));
    assert_eq!(slowed.total.error_rate, Some(0.0));

    let (count, errors) = (failed.total.count, &failed.total.errors);
    let served: u64 = errors.get("http-5xx").copied().unwrap_or(0);
    assert_eq!(errors.values().sum::<u64>(), served, "nothing else fails: {errors:?}");
    // Within five standard deviations of a binomial of 0.2.
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let (share, bound) = (served as f64 / count as f64, 5.0 * (0.16 / count as f64).sqrt());
    assert!(count >= 20 && (share - 0.2).abs() < bound, "{served} of {count}");

    for clean in [before, after] {
        assert_eq!((clean.total.error_rate, &clean.faults), (Some(0.0), &Vec::new()), "{}", clean.stage);
        assert!(!clean.stamps.contains(&Stamp::Disturbed));
        assert!(clean.total.latency.as_ref().unwrap().min_ms < 200.0);
    }
    for (disturbed, faults) in [(slowed, slow), (failed, failing)] {
        let expected: Vec<Fault> = serde_json::from_value(faults).unwrap();
        assert_eq!(disturbed.faults, expected);
        assert!(disturbed.stamps.contains(&Stamp::Disturbed));
    }
    let report = files(e3.only_run().path()).into_iter().find(|path| path.ends_with("report/index.html"));
    let report = std::fs::read_to_string(report.unwrap()).unwrap();
    for said in ["Rehearsal: the system was disturbed on purpose in 2 of 4 stages", "fetch: +200\u{a0}ms"] {
        assert!(report.contains(said), "{said}");
    }
    e3.assert_nothing_left();
}

#[test]
fn dropped_connections_and_an_interrupt_leave_a_system_alone_again() {
    let e3 = E3::new();
    write_experiment(
        &e3,
        1,
        &json!([{"clients": 2, "duration": "1m", "faults": [{"route": "fetch", "dropRate": 1}]}]),
    );
    let name = e3.run(&["provision", "-e", "rehearsal"]).exits(0).stdout.trim().to_owned();
    let mut running = e3.command(&["run", "-r", &name]);
    let running = running.stdout(Stdio::null()).spawn().unwrap();
    let faults = |what: &str, is_there: bool| {
        crate::support::wait_for(what, std::time::Duration::from_secs(30), || {
            let shown = switch(&e3, &["--json"], "").json();
            let count = shown[0]["faults"].as_array().unwrap().len();
            if (count == 1) == is_there { Ok(()) } else { Err(shown.to_string()) }
        });
    };
    faults("the stage's faults to be on", true);
    std::thread::sleep(std::time::Duration::from_secs(2));
    Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    let ran = Ran::of(running.wait_with_output().unwrap()).exits(31);
    faults("them to be off again", false);
    let record: Run = e3.only_run().read().unwrap();
    assert_eq!(record.stages[0].outcome, StageOutcome::Interrupted, "{}", ran.stderr);
    e3.run(&["gather", "-r", &name]).exits(0);
    let stages = analysis(&e3, &e3.run(&["analyze", "-r", &name]));
    let total = &stages[0].total;
    assert_eq!(total.ok, 0, "every pack was cut off");
    assert!(
        total.count > 0 && total.errors.keys().all(|kind| !kind.starts_with("http")),
        "{:?}",
        total.errors
    );
    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
}

/// Runs `e3 githost faults` against the only node of the only run.
fn switch(e3: &E3, flags: &[&str], input: &str) -> Ran {
    let run = e3.only_run();
    let topology: Topology = run.read().unwrap();
    let secrets = e3.home().read_secrets(run.name()).unwrap();
    let url = topology.threads[0].instance.nodes[0].url.clone();
    let mut arguments = vec!["githost", "faults", "--url", &url];
    arguments.extend(flags);
    let mut command = e3.command(&arguments);
    command.env("E3_PASSWORD", secrets.threads[0].admin_password.expose()).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that reads nothing may have ended before.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn a_node_is_disturbed_by_hand_and_left_alone_again() {
    let e3 = E3::new();
    write_experiment(&e3, 1, &json!([{"clients": 1}]));
    let name = e3.run(&["provision", "-e", "rehearsal"]).exits(0).stdout.trim().to_owned();
    let none = switch(&e3, &[], "").exits(0).stdout;
    assert!(none.starts_with("http://127.0.0.1:") && none.ends_with("  nothing\n"), "{none}");
    let one = switch(&e3, &["--route", "fetch", "--latency", "200ms", "--error-rate", "0.1"], "").exits(0);
    assert!(one.stdout.ends_with("  fetch: +200 ms, 10 % fail with 500\n"), "{}", one.stdout);
    let list = r#"[{"route": "git", "slots": 4}, {"stall": {"for": "2s", "every": "1m"}}]"#;
    let two = switch(&e3, &["--set", "-", "--json"], list).exits(0).json();
    let expected: Vec<Fault> = serde_json::from_str(list).unwrap();
    assert_eq!(serde_json::from_value::<Vec<Fault>>(two[0]["faults"].clone()).unwrap(), expected);
    let refused = switch(&e3, &["--route", "clone", "--slots", "1"], "").exits(2);
    assert!(refused.stderr.contains("there is no route \"clone\""), "{}", refused.stderr);
    let stranger = switch(&e3, &["--user", "nobody", "--clear"], "").exits(1);
    assert!(stranger.stderr.contains("HTTP status 401"), "{}", stranger.stderr);
    assert_eq!(switch(&e3, &["--json"], "").exits(0).json()[0]["faults"].as_array().unwrap().len(), 2);
    assert_eq!(switch(&e3, &["--clear", "--json"], "").exits(0).json()[0]["faults"], json!([]));
    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
}

#[test]
fn a_system_that_is_there_already_is_not_disturbed() {
    let e3 = E3::new();
    write_experiment(&e3, 1, &json!([{"clients": 1, "faults": [{"slots": 1}]}]));
    let text = std::fs::read_to_string(e3.path().join("experiments/rehearsal.json")).unwrap();
    let existing = text.replacen("\"provider\":\"local\"", "\"provider\":\"existing\"", 1);
    assert_ne!(existing, text);
    e3.write("experiments/rehearsal.json", existing.as_bytes());
    let refused = e3.run(&["orchestrate", "-e", "rehearsal"]).exits(10);
    let said = "a system of the provider \"existing\" cannot be disturbed";
    assert!(refused.stderr.contains(said) && refused.stderr.contains("error[faults]"), "{}", refused.stderr);
}
