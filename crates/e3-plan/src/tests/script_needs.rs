//! What scripts need, against what snapshots have.

use e3_model::Need::{Admin, HttpUser, Repository, SshKey, WritableRepository};
use e3_model::{Kind, Need, Severity};
use serde_json::{Value, json};

use super::library::{QUICKSTART, Shelf, planned_with};

const SCRIPT: &str = "web.Dashboard";

/// Returns what the rule finds about one script with these needs on this snapshot, each as its severity and its message;
/// on machines elsewhere, where a dataset is not made by a recipe.
fn found(needs: &[Need], snapshot: &Value, weight: f64) -> Vec<String> {
    let elsewhere = json!({
        "duration": "10s", "workload": "w",
        "threads": [{
            "instance": {"template": "BitbucketDataCenter", "snapshot": "s"},
            "worker": {"template": "WorkerCluster"},
            // The same pair twice is one finding.
            "stages": [{"clients": 10}, {"clients": 20}],
        }],
    });
    let workload = json!([
        {"script": "bitbucket.web.Dashboard", "weight": weight},
        {"script": "web.Status", "weight": 1.0 - weight},
    ]);
    let shelf = Shelf::embedded()
        .with(Kind::Workload, "w", &workload.to_string())
        .with(Kind::Snapshot, "s", &snapshot.to_string())
        .needing(SCRIPT, needs);
    let findings = planned_with(&elsewhere.to_string(), &shelf).findings;
    let own = findings.0.into_iter().filter(|finding| finding.rule == "script-needs");
    own.map(|finding| {
        assert_eq!(finding.pointer, "/0/script");
        assert!(finding.hint.is_some() && finding.location.unwrap().file == "workloads/w.json");
        let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
        format!("{severity}: {}", finding.message)
    })
    .collect()
}

fn snapshot(users: &Value, repositories: &Value) -> Value {
    json!({"name": "s", "projects": [{"name": "P", "repos": repositories}], "users": users})
}

fn repository(name: &str, weight: f64, is_default: bool) -> Value {
    let branch =
        json!({"id": "refs/heads/main", "displayId": "main", "latestCommit": "c", "isDefault": is_default});
    json!({"name": name, "weight": weight, "branches": [branch]})
}

#[test]
fn what_a_snapshot_lacks_is_said_once_a_pair() {
    let user = json!([{"username": "ada"}]);
    let whole = json!([{"username": "ada", "password": "p", "private_key": "k"}]);
    let repositories = json!([repository("r", 1.0, true)]);
    let all = [HttpUser, SshKey, Admin, Repository, WritableRepository];
    let name = "web.Dashboard";
    for (needs, snapshot, expected) in [
        (&all[..], snapshot(&whole, &repositories), vec![]),
        (&[], snapshot(&json!([]), &json!([])), vec![]),
        (&[Admin], snapshot(&json!([]), &json!([])), vec![]),
        (
            &[HttpUser],
            snapshot(&json!([]), &repositories),
            vec![format!("error: {name} logs in as a user, and the snapshot \"s\" names no user")],
        ),
        (
            &[HttpUser],
            snapshot(&user, &repositories),
            vec![format!("warning: {name} logs in as a user, and the snapshot \"s\" has no user's password")],
        ),
        (
            &[SshKey],
            snapshot(&user, &repositories),
            vec![format!(
                "warning: {name} needs a user's private SSH key, and the snapshot \"s\" has no user's private key"
            )],
        ),
        (
            &[Repository],
            snapshot(&whole, &json!([])),
            vec![format!(
                "error: {name} draws a repository by weight, and the snapshot \"s\" names no repository"
            )],
        ),
        (
            &[Repository],
            snapshot(&whole, &json!([repository("r", 0.0, true)])),
            vec![format!(
                "error: {name} draws a repository by weight, and the snapshot \"s\" gives no repository a weight above 0"
            )],
        ),
        (&[Repository], snapshot(&whole, &json!([repository("r", 1.0, false)])), vec![]),
        (
            &[WritableRepository],
            snapshot(&whole, &json!([repository("r", 1.0, false)])),
            vec![format!(
                "error: {name} pushes on top of a repository's default branch, and the snapshot \"s\" names no \
                 repository's default branch"
            )],
        ),
        (
            &[WritableRepository],
            snapshot(&whole, &json!([repository("r", 0.5, false), repository("s", 0.5, true)])),
            vec![format!(
                "warning: {name} pushes on top of a repository's default branch, and the snapshot \"s\" does not name \
                 that of 1 of 2 repositories, to which nothing will be pushed"
            )],
        ),
    ] {
        assert_eq!(found(needs, &snapshot, 0.5), expected, "{needs:?} {snapshot}");
        assert_eq!(found(needs, &snapshot, 0.0), [""; 0], "a job of no weight runs nothing");
    }
}

#[test]
fn what_e3_makes_has_everything() {
    let all = [HttpUser, SshKey, Admin, Repository, WritableRepository];
    let made = json!({"generate": {
        "seed": 1, "projects": 1, "repositories": 1, "commits_min": 1, "commits_max": 3, "users": 1,
    }});
    assert_eq!(found(&all, &made, 0.5), [""; 0]);
    let scripts =
        ["scm.GitCloneOverHttp", "scm.GitLsRemoteHttp", SCRIPT, "web.Status", "scm.PushChangesHttp"];
    let shelf = scripts.iter().fold(Shelf::embedded(), |shelf, script| shelf.needing(script, &all));
    assert_eq!(planned_with(QUICKSTART, &shelf).findings.0, []);
}
