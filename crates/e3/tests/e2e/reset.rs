//! `reset`: what is done to the systems under test between their stages.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use e3_http::{BaseUrl, HttpSession, Request};
use e3_model::{Analysis, Run, StageOutcome, Topology};
use serde_json::{Value, json};

use crate::orchestrate::believable;
use crate::phases::bare_repositories;
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

#[test]
fn a_restore_undoes_pushes_pull_requests_and_merges() {
    let e3 = E3::new();
    write_experiment(&e3);
    let name = e3.run(&["provision", "-e", "undone"]).exits(0).stdout.trim().to_owned();
    let (loaded_refs, loaded) = (refs(&e3), database(&e3));
    assert!(loaded.values().any(|page| page["values"].as_array().is_some_and(|rows| rows.len() > 1)));

    let ran = e3.run(&["run", "-r", &name]).exits(0);
    let took = seconds(&ran.stderr, "is as it was loaded");
    println!("a restore after pushes, pull requests and merges took {took:?} s");
    assert_eq!(took.len(), 1, "{}", ran.stderr);
    assert!(took[0] < RESTORED_WITHIN.as_secs_f64(), "{took:?}");
    assert!(!ran.stderr.contains(" failed ") && !ran.stderr.contains("left behind"), "{}", ran.stderr);

    // The second stage only reads what no database has, so what is there is what the restore has brought back.
    assert_eq!(refs(&e3), loaded_refs);
    for (path, now) in database(&e3) {
        assert_eq!(Some(&now), loaded.get(&path), "{path}");
    }
    for repository in bare_repositories(e3.path().join("tmp")) {
        let fsck =
            Command::new("git").arg("-C").arg(&repository).args(["fsck", "--strict"]).output().unwrap();
        assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
    }

    // And there was something to undo.
    e3.run(&["gather", "-r", &name]).exits(0);
    believable(&e3, e3.run(&["analyze", "-r", &name]));
    let analysis: Analysis = e3.only_run().read().unwrap();
    let first = &analysis.threads[0].stages[0];
    for (script, op) in [
        ("web.PullRequestWorkflow", "CreatePullRequest"),
        ("web.PullRequestWorkflow", "Merge"),
        ("scm.PushChangesHttp", "Push"),
    ] {
        let done = first.ops.iter().find(|found| (found.script.as_str(), found.op.as_str()) == (script, op));
        assert!(done.is_some_and(|op| op.ok > 0), "{script} {op}");
    }
    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
}

/// Writes an experiment of one thread: a stage that pushes and merges, a restore, and a stage that changes nothing.
fn write_experiment(e3: &E3) {
    let job = |script: &str, weight: f64| json!({"script": script, "weight": weight});
    let writes = json!([job("web.PullRequestWorkflow", 0.5), job("scm.PushChangesHttp", 0.5)]);
    let generate = json!({
        "seed": 1, "projects": 1, "repositories": 2, "commits_min": 10, "commits_max": 40, "users": 4,
        "pull_requests": 10,
    });
    let snapshot =
        json!({"name": "undone", "description": "", "projects": [], "users": [], "generate": generate});
    let experiment = json!({
        "format": "e3/experiment", "version": 1, "name": "undone", "seed": 1, "reset": "restore",
        "duration": "6s", "warmUp": "0ms", "workload": "writes",
        "threads": [{
            "name": "1 node",
            "instance": {"provider": "local", "nodes": 1, "snapshot": "undone"},
            "worker": {"provider": "local"},
            "stages": [{"clients": 4}, {"clients": 1, "workload": "reads", "duration": "2s"}],
        }],
    });
    for (file, document) in [
        ("workloads/writes.json", writes),
        ("workloads/reads.json", json!([job("web.Status", 1.0)])),
        ("snapshots/undone.json", snapshot),
        ("experiments/undone.json", experiment),
    ] {
        e3.write(file, document.to_string().as_bytes());
    }
}

/// Returns every ref of every repository, as git lists them on disk.
fn refs(e3: &E3) -> BTreeMap<String, String> {
    let repositories = bare_repositories(e3.path().join("tmp"));
    assert!(!repositories.is_empty());
    let list = |repository: &std::path::PathBuf| {
        let output = Command::new("git").arg("-C").arg(repository).args(["for-each-ref"]).output().unwrap();
        assert!(output.status.success());
        (repository.display().to_string(), String::from_utf8(output.stdout).unwrap())
    };
    repositories.iter().map(list).collect()
}

/// Returns what the database of the only system holds, as far as REST shows it, by path: also what happened to each
/// repository and each pull request, with its time.
fn database(e3: &E3) -> BTreeMap<String, Value> {
    let run = e3.only_run();
    let topology: Topology = run.read().unwrap();
    let secrets = e3.home().read_secrets(run.name()).unwrap();
    let base = BaseUrl::parse(&topology.threads[0].instance.url).unwrap();
    let password = secrets.threads[0].admin_password.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut session = HttpSession::new(base).with_basic("admin", &password);
        let mut found = BTreeMap::new();
        let mut paths = vec![
            "/rest/api/1.0/projects".to_owned(),
            "/rest/api/1.0/users".into(),
            "/rest/api/1.0/repos".into(),
        ];
        while let Some(path) = paths.pop() {
            let separator = if path.contains('?') { '&' } else { '?' };
            let answer = session.send(Request::get(format!("{path}{separator}limit=1000"))).await.unwrap();
            assert_eq!(answer.status, 200, "{path}");
            let page: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
            assert_eq!(page["isLastPage"], true, "{path}");
            for row in page["values"].as_array().unwrap() {
                if path.ends_with("/repos") {
                    let (key, slug) = (&row["project"]["key"], &row["slug"]);
                    let of = format!("projects/{}/repos/{}", key.as_str().unwrap(), slug.as_str().unwrap());
                    paths.push(format!("/rest/audit/1.0/{of}/events"));
                    paths.push(format!("/rest/api/1.0/{of}/branches"));
                    paths.push(format!("/rest/api/1.0/{of}/pull-requests?state=ALL"));
                } else if let Some(of) = path.strip_suffix("?state=ALL") {
                    paths.push(format!("{of}/{}/activities", row["id"]));
                }
            }
            found.insert(path, page);
        }
        found
    })
}
