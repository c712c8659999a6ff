//! Every script against a real githost: nothing fails, everything is measured, nothing is left that was not meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use e3_bitbucket::{Bitbucket, PullRequestFilter};
use e3_http::BaseUrl;
use e3_model::{Analysis, Topology};
use serde_json::{Value, json};

use crate::orchestrate::believable;
use crate::phases::bare_repositories;
use crate::support::E3;

#[test]
fn all_scripts_run_without_a_failure_and_leave_what_they_mean_to() {
    let e3 = E3::new();
    let scripts = e3.run(&["list", "scripts", "--json"]).exits(0).json()["scripts"].clone();
    let scripts = scripts.as_array().unwrap();
    write_experiment(&e3, scripts);
    let name = e3.run(&["provision", "-e", "all-scripts"]).exits(0).stdout.trim().to_owned();
    let folders = bare_repositories(e3.path().join("tmp"));
    let (before, files) = (state(&e3), files(&folders));

    let ran = e3.run(&["run", "-r", &name]).exits(0);
    assert!(!ran.stderr.contains("failed") && !ran.stderr.contains("left behind"), "{}", ran.stderr);
    let after = state(&e3);
    assert_eq!(after.branches, before.branches, "no branch is left");
    assert_eq!(after.open, before.open, "no open pull request is left, and none that was there is gone");
    assert!(after.merged > before.merged, "pull requests were merged");
    for (folder, before) in &files {
        let now = files_of(folder);
        let lost: Vec<_> = before.difference(&now).collect();
        assert!(lost.is_empty(), "merges changed what was there: {lost:?}");
        let fsck = git(folder, &["fsck", "--strict"]);
        assert!(!fsck.contains("error"), "{}: {fsck}", folder.display());
    }

    e3.run(&["gather", "-r", &name]).exits(0);
    believable(&e3, e3.run(&["analyze", "-r", &name]));
    let analysis: Analysis = e3.only_run().read().unwrap();
    let stage = &analysis.threads[0].stages[0];
    assert_eq!(stage.total.errors, BTreeMap::new());
    assert_eq!(stage.honesty.ssh_ciphers, ["aes128-gcm@openssh.com"]);
    let mut wrong = Vec::new();
    for script in scripts {
        for op in script["ops"].as_array().unwrap() {
            let (script, op) = (script["name"].as_str().unwrap(), op["name"].as_str().unwrap());
            let measured = stage.ops.iter().find(|found| found.script == script && found.op == op);
            let ok = measured.map_or(0, |measured| measured.ok);
            if (ok > 0) == NEVER.contains(&op) {
                wrong.push(format!("{script} {op}: {ok}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {}", stage.total.ok);
    e3.run(&["deprovision", "-r", &name]).exits(0);
    e3.assert_nothing_left();
}

/// The ops that never happen: nothing was refused, so nothing was declined; every clone was behind, so there was something
/// new; and what only servers since 9.0 are asked.
const NEVER: [&str; 3] = ["Decline", "NothingNew", "DefaultBranchCommit"];

/// Writes an experiment of all scripts on a dataset that has open pull requests to look at.
fn write_experiment(e3: &E3, scripts: &[Value]) {
    let weight = |name: &str| match name {
        // Its iterations have thirty ops, and its rarest op comes in half of them.
        "web.PullRequestWorkflow" | "web.ViewPullRequest" => 3.0,
        // A client that looks at the same repository twice finds it changed in between.
        "persona.CiFleet" => 4.0,
        _ => 1.0,
    };
    let names: Vec<&str> = scripts.iter().map(|script| script["name"].as_str().unwrap()).collect();
    let sum: f64 = names.iter().map(|name| weight(name)).sum();
    let jobs: Vec<_> = names
        .iter()
        .map(|name| json!({"script": name, "weight": weight(name) / sum, "arguments": arguments(name)}))
        .collect();
    let generate = json!({
        "seed": 1, "projects": 1, "repositories": 2, "commits_min": 10, "commits_max": 40, "users": 4,
        "pull_requests": 10,
    });
    let snapshot =
        json!({"name": "all-scripts", "description": "", "projects": [], "users": [], "generate": generate});
    let experiment = json!({
        "format": "e3/experiment", "version": 1, "name": "all-scripts", "seed": 1, "mix": "ops",
        "duration": "12s", "warmUp": "0ms", "workload": "all-scripts",
        "threads": [{
            "name": "1 node",
            "instance": {"provider": "local", "nodes": 1, "snapshot": "all-scripts"},
            "worker": {"provider": "local"},
            "stages": [{"clients": 4}],
        }],
    });
    for (file, document) in [
        ("workloads/all-scripts.json", Value::Array(jobs)),
        ("snapshots/all-scripts.json", snapshot),
        ("experiments/all-scripts.json", experiment),
    ] {
        e3.write(file, document.to_string().as_bytes());
    }
}

/// Returns what a script is told; most are told nothing.
fn arguments(script: &str) -> Value {
    match script {
        "http.Request" => json!({"path": "/status"}),
        // Its step has the name under which the list of scripts has every step.
        "http.Sequence" => {
            json!({"steps": [{"name": "STEP", "path": "/status", "extract": {"state": "/state"}}]})
        }
        "persona.CiFleet" => json!({"poll": "100ms"}),
        // However few turns an agent gets on a busy machine, each has its clone.
        "persona.SshBuildAgent" | "persona.HttpBuildAgent" => json!({"poll": "100ms", "cloneEvery": "100ms"}),
        _ => json!({}),
    }
}

/// What REST shows of a system.
#[derive(Debug, PartialEq)]
struct State {
    branches: BTreeSet<String>,
    open: BTreeSet<String>,
    merged: usize,
}

fn state(e3: &E3) -> State {
    let run = e3.only_run();
    let topology: Topology = run.read().unwrap();
    let instance = &topology.threads[0].instance;
    let secrets = e3.home().read_secrets(run.name()).unwrap();
    let base = BaseUrl::parse(&instance.url).unwrap();
    let mut bitbucket = Bitbucket::new(base, &instance.admin, &secrets.threads[0].admin_password);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut state = State { branches: BTreeSet::new(), open: BTreeSet::new(), merged: 0 };
        for project in bitbucket.projects().await.unwrap() {
            for repository in bitbucket.repositories(&project.key).await.unwrap() {
                let (key, slug) = (&project.key, &repository.slug);
                for branch in bitbucket.branches(key, slug).await.unwrap() {
                    state.branches.insert(format!("{key}/{slug} {}", branch.id));
                }
                for pull_request in bitbucket.pull_requests(key, slug, PullRequestFilter::All).await.unwrap()
                {
                    let shown = format!("{key}/{slug} {} {}", pull_request.id, pull_request.title);
                    match pull_request.state.as_str() {
                        "OPEN" => _ = state.open.insert(shown),
                        "MERGED" => state.merged += 1,
                        _ => {}
                    }
                }
            }
        }
        state
    })
}

fn files(folders: &[PathBuf]) -> BTreeMap<PathBuf, BTreeSet<String>> {
    assert!(!folders.is_empty());
    folders.iter().map(|folder| (folder.clone(), files_of(folder))).collect()
}

/// Returns the files of the default branch with their modes and ids.
fn files_of(folder: &Path) -> BTreeSet<String> {
    git(folder, &["ls-tree", "-r", "HEAD"]).lines().map(str::to_owned).collect()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "git {arguments:?} in {}: {text}", folder.display());
    text
}
