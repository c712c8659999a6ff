//! Merges: what they make, what stops them, and many at once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{R, World, ask, refused};
use crate::harness::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_is_a_commit_of_git_and_the_branch_can_go() {
    let world = World::new().await;
    let from = world.branch("feature/x", "x", "x\n").await;
    let to = world.tip("main").await;
    world.open("feature/x").await;
    let can = world.get("1/merge").await;
    assert_eq!(can, json!({"canMerge": true, "conflicted": false, "outcome": "CLEAN", "vetoes": []}));
    refused(&world.post("1/merge", &json!({"message": ""})).await, 409, "PullRequestOutOfDateException");
    refused(&world.post("1/merge?version=1", &json!({})).await, 409, "PullRequestOutOfDateException");
    assert_eq!(world.post("1/merge?version=0", &json!({"strategyId": "squash"})).await.status, 400);
    let delete = "/rest/pull-request-source-branch-deletion/1.0/projects/PROJ/repos/repo/pull-requests/1";
    let dry = world.ask("ada", "POST", &format!("{delete}?dryRun=true"), &Value::Null).await;
    assert_eq!((dry.status.as_u16(), dry.body.len()), (204, 0), "{}", dry.text());
    let early = world.ask("ada", "POST", &format!("{delete}?dryRun=false"), &Value::Null).await;
    refused(&early, 409, "IllegalPullRequestStateException");

    let merged = world
        .ask(
            "bob",
            "POST",
            &format!("{R}/pull-requests/1/merge?avatarSize=16&version=0"),
            &json!({"message": "By hand"}),
        )
        .await;
    assert_eq!(merged.status, 200, "{}", merged.text());
    let body = merged.json();
    assert_eq!(
        (&body["state"], &body["version"], &body["closed"]),
        (&json!("MERGED"), &json!(2), &json!(true))
    );
    assert_eq!(
        (&body["fromRef"]["latestCommit"], &body["toRef"]["latestCommit"]),
        (&json!(from), &json!(to))
    );
    assert_eq!(body["closedDate"], body["updatedDate"]);
    let commit = body["properties"]["mergeCommit"]["id"].as_str().unwrap().to_owned();
    assert_eq!(body["properties"]["mergeCommit"]["displayId"].as_str().unwrap().len(), 11);
    assert_eq!(world.tip("main").await, commit);
    world.git(&["fetch", "--quiet", &world.server.clone_url("PROJ", "repo"), "main"]).await;
    let shown = world.git(&["show", "--no-patch", "--format=%P|%an|%ae|%cn|%B", "FETCH_HEAD"]).await;
    let message = "Pull request #1: Bring feature/x\n\nMerge in PROJ/repo from feature/x to main\n\nBy hand";
    assert_eq!(shown, format!("{to} {from}|bob|bob@example.com|bob|{message}"));
    assert_eq!(world.git(&["ls-tree", "--name-only", "FETCH_HEAD"]).await, "shared\nx");

    let again =
        refused(&world.post("1/merge?version=2", &json!({})).await, 409, "IllegalPullRequestStateException");
    assert_eq!(again["message"], "This pull request has already been merged.");
    let can = world.ask("ada", "GET", &format!("{R}/pull-requests/1/merge"), &Value::Null).await;
    refused(&can, 409, "IllegalPullRequestStateException");
    let gone = world.ask("ada", "DELETE", &format!("{R}/pull-requests/1"), &json!({"version": 2})).await;
    let gone = refused(&gone, 409, "IllegalPullRequestStateException");
    assert_eq!(gone["message"], "This pull request has already been merged and cannot be deleted.");
    let activity = world.get("1/activities").await["values"][0].clone();
    assert_eq!((&activity["action"], &activity["commit"]["id"]), (&json!("MERGED"), &json!(commit)));
    assert_eq!(activity["user"]["name"], "bob");

    for _ in 0..2 {
        let deleted = world.ask("ada", "POST", &format!("{delete}?dryRun=false"), &Value::Null).await;
        assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0), "{}", deleted.text());
        assert_eq!(world.tip("feature/x").await, "");
    }
    assert_eq!(world.get("1").await["fromRef"]["latestCommit"], json!(from), "it keeps what it brought");
    assert_eq!(world.get("1/changes").await["values"][0]["path"]["toString"], "x");
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_stop_a_merge_until_they_are_solved() {
    let world = World::new().await;
    world.branch("a", "shared", "mine\n").await;
    world.open("a").await;
    world.commit("shared", "theirs\n").await;
    world.push(&["main"]).await;
    let main = world.tip("main").await;
    for _ in 0..2 {
        let can = world.get("1/merge").await;
        assert_eq!(
            can,
            json!({"canMerge": false, "conflicted": true, "outcome": "CONFLICTED", "vetoes": []})
        );
    }
    let error =
        refused(&world.post("1/merge?version=0", &json!({})).await, 409, "PullRequestMergeVetoedException");
    assert_eq!((&error["conflicted"], &error["vetoes"]), (&json!(true), &json!([])));
    assert_eq!(error["message"], "The pull request has conflicts and cannot be merged.");
    assert_eq!(
        (world.tip("main").await, world.get("1").await["state"].clone()),
        (main.clone(), json!("OPEN"))
    );
    world.git(&["checkout", "--quiet", "a"]).await;
    world.git(&["merge", "--quiet", "-X", "ours", "-m", "Solve", "main"]).await;
    world.push(&["a"]).await;
    assert_eq!(world.get("1/merge").await["canMerge"], true);
    assert_eq!(
        world.post("1/merge?version=1", &json!({"message": "own", "autoSubject": false})).await.status,
        200
    );
    world.git(&["fetch", "--quiet", &world.server.clone_url("PROJ", "repo"), "main"]).await;
    assert_eq!(world.git(&["show", "--no-patch", "--format=%B", "FETCH_HEAD"]).await, "own");

    world.git(&["checkout", "--quiet", "--orphan", "island"]).await;
    world.commit("island", "x\n").await;
    world.push(&["island"]).await;
    let id = world.open("island").await["id"].clone();
    let can = world.get(&format!("{id}/merge")).await;
    assert_eq!(
        (&can["canMerge"], &can["outcome"], can["vetoes"].as_array().unwrap().len()),
        (&json!(false), &json!("UNKNOWN"), 1)
    );
    let error = refused(
        &world.post(&format!("{id}/merge?version=0"), &json!({})).await,
        409,
        "PullRequestMergeVetoedException",
    );
    assert_eq!(error["conflicted"], false);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_push_has_merged_is_merged() {
    let world = World::new().await;
    let tip = world.branch("a", "a", "a\n").await;
    world.open("a").await;
    world.push(&["a:main"]).await;
    let merged = world.post("1/merge?version=0", &json!({})).await;
    assert_eq!(
        (merged.status.as_u16(), &merged.json()["state"]),
        (200, &json!("MERGED")),
        "{}",
        merged.text()
    );
    assert_eq!(world.tip("main").await, tip, "there was nothing to commit");
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleaning_up_may_pass_on_who_depends_on_the_branch() {
    let world = World::new().await;
    world.branch("base", "base", "b\n").await;
    world.git(&["checkout", "--quiet", "-b", "top", "base"]).await;
    world.commit("top", "t\n").await;
    world.push(&["top"]).await;
    world.open("base").await;
    let wish = json!({"title": "Top", "fromRef": {"id": "top"}, "toRef": {"id": "base"}});
    assert_eq!(world.post("", &wish).await.status, 404, "only without the slash");
    assert_eq!(world.ask("ada", "POST", &format!("{R}/pull-requests"), &wish).await.status, 201);
    assert_eq!(world.post("1/merge?version=0", &json!({})).await.status, 200);
    let path = "/rest/pull-request-cleanup/latest/projects/PROJ/repos/repo/pull-requests/1";
    let check = world
        .ask("ada", "GET", &format!("{path}?deleteSourceRef=true&retargetDependents=true"), &Value::Null)
        .await;
    assert_eq!((check.status.as_u16(), check.json()), (200, json!({"canDeleteSourceRef": true})));
    let done =
        world.ask("ada", "POST", path, &json!({"deleteSourceRef": true, "retargetDependents": true})).await;
    assert_eq!(done.status, 204, "{}", done.text());
    assert_eq!(world.tip("base").await, "");
    let top = world.get("2").await;
    assert_eq!((&top["state"], &top["toRef"]["displayId"]), (&json!("OPEN"), &json!("main")));
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_repositorys_rules_veto_until_they_are_met() {
    let world = World::new().await;
    world.branch("a", "a", "a\n").await;
    world.open("a").await;
    let rules = json!({"requiredApprovers": 1, "requiredAllTasksComplete": true, "unapproveOnUpdate": true});
    let set = world.ask("admin", "POST", &format!("{R}/settings/pull-requests"), &rules).await;
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(world.post("1/blocker-comments", &json!({"text": "Do it"})).await.status, 201);
    let can = world.get("1/merge").await;
    assert_eq!(
        (&can["canMerge"], &can["conflicted"], &can["outcome"]),
        (&json!(false), &json!(false), &json!("CLEAN"))
    );
    assert_eq!(can["vetoes"].as_array().unwrap().len(), 2, "{can}");
    let error =
        refused(&world.post("1/merge?version=0", &json!({})).await, 409, "PullRequestMergeVetoedException");
    assert_eq!((&error["conflicted"], &error["vetoes"]), (&json!(false), &can["vetoes"]));
    let approve = || {
        world.ask(
            "bob",
            "POST",
            "/rest/api/latest/projects/PROJ/repos/repo/pull-requests/1/approve",
            &Value::Null,
        )
    };
    assert_eq!(approve().await.status, 200);
    let done = format!("{R}/pull-requests/1/blocker-comments/1");
    assert_eq!(world.ask("ada", "PUT", &done, &json!({"state": "RESOLVED", "version": 0})).await.status, 200);
    assert_eq!(world.get("1/merge").await["canMerge"], true);
    world.git(&["checkout", "--quiet", "a"]).await;
    world.commit("more", "x\n").await;
    world.push(&["a"]).await;
    let can = world.get("1/merge").await;
    assert_eq!(
        (&can["canMerge"], can["vetoes"].as_array().unwrap().len()),
        (&json!(false), 1),
        "it is another one now"
    );
    assert_eq!(approve().await.status, 200);
    assert_eq!(world.post("1/merge?version=1", &json!({})).await.status, 200);
    world.server.stop().await.unwrap();
}

/// Merges until it is done, as a client would that reads the version anew when it is told to.
async fn merge(server: &Server, id: usize) -> u16 {
    let path = format!("{R}/pull-requests/{id}");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let version = ask(server, "ada", "GET", &path, &Value::Null).await.json()["version"].clone();
        let answer =
            ask(server, "ada", "POST", &format!("{path}/merge?version={version}"), &Value::Null).await;
        match answer.status.as_u16() {
            200 => return 200,
            409 if answer.text().contains("retry the merge") && Instant::now() < deadline => {}
            status => panic!("{status}: {}", answer.text()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_merges_into_one_branch_on_two_nodes_beside_pushes_all_land() {
    const MANY: usize = 12;
    let world = World::new().await;
    let other = Server::start(&world.place.home(), "2").await;
    for n in 1..=MANY {
        world.branch(&format!("b{n}"), &format!("file-{n}"), "x\n").await;
        world.open(&format!("b{n}")).await;
    }
    let url = world.server.clone_url("PROJ", "repo");
    let pushes = async {
        let mut pushed = 0;
        for n in 0..8 {
            // A push is refused when a merge was faster.
            world.git(&["pull", "--quiet", "--rebase", &url, "main"]).await;
            world.commit(&format!("pushed-{n}"), "x\n").await;
            let push = ["-C", "work", "push", "--quiet", url.as_str(), "main"];
            pushed += usize::from(world.place.try_git(&push, &[]).await.0);
        }
        pushed
    };
    let merges = futures_util::future::join_all((1..=MANY).map(|n| {
        let server = if n % 2 == 0 { &world.server } else { &other };
        merge(server, n)
    }));
    let (pushed, merged) = tokio::join!(pushes, merges);
    assert_eq!(merged, vec![200; MANY]);
    world.git(&["pull", "--quiet", "--rebase", &url, "main"]).await;
    let files = world.git(&["ls-tree", "--name-only", "FETCH_HEAD"]).await;
    for n in 1..=MANY {
        assert!(files.lines().any(|file| file == format!("file-{n}")), "{n} is lost: {files}");
        let request = world.get(&n.to_string()).await;
        let commit = request["properties"]["mergeCommit"]["id"].as_str().unwrap().to_owned();
        assert_eq!((&request["state"], &request["version"]), (&json!("MERGED"), &json!(2)));
        world.git(&["merge-base", "--is-ancestor", &commit, "FETCH_HEAD"]).await;
    }
    let merges = world.git(&["rev-list", "--merges", "--count", "FETCH_HEAD"]).await;
    assert_eq!(merges, MANY.to_string(), "each once, {pushed} pushes between them");
    other.stop().await.unwrap();
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_close_one_request_one_wins() {
    let world = World::new().await;
    let other = Server::start(&world.place.home(), "2").await;
    for round in 1..=4 {
        let branch = format!("b{round}");
        world.branch(&branch, &branch, "x\n").await;
        world.open(&branch).await;
        let before = world.tip("main").await;
        let path = format!("{R}/pull-requests/{round}");
        let acts = (0..8).map(|n| {
            let server = if n % 2 == 0 { &world.server } else { &other };
            let act = if n < 6 { "merge" } else { "decline" };
            let path = format!("{path}/{act}?version=0");
            async move { ask(server, "ada", "POST", &path, &Value::Null).await }
        });
        let answers = futures_util::future::join_all(acts).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        let texts: Vec<String> =
            answers.iter().map(|answer| format!("{} {}", answer.status, answer.text())).collect();
        assert_eq!(won, 1, "{texts:#?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            let error = answer.json()["errors"][0].clone();
            let name = error["exceptionName"].as_str().unwrap().rsplit('.').next().unwrap();
            assert_eq!(answer.status, 409);
            assert!(
                ["IllegalPullRequestStateException", "PullRequestOutOfDateException"].contains(&name),
                "{error}"
            );
        }
        let now = world.get(&round.to_string()).await;
        let moved = world.tip("main").await != before;
        assert_eq!(now["state"] == "MERGED", moved, "the branch and the request agree: {now}");
    }
    other.stop().await.unwrap();
    world.server.stop().await.unwrap();
}
