//! Which pull requests are found where, and by whom.

use serde_json::{Value, json};

use super::{R, World, ids, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_filtered_ordered_and_paged() {
    let world = World::new().await;
    for name in ["a", "b", "c", "d"] {
        world.branch(name, name, "x\n").await;
        world.open(name).await;
    }
    world.post("2/decline?version=0", &Value::Null).await;
    world.post("3/merge?version=0", &Value::Null).await;
    assert_eq!(
        world.ask("bob", "POST", &format!("{R}/pull-requests/4/approve"), &Value::Null).await.status,
        200
    );
    let list = |query: &'static str| {
        let world = &world;
        async move { world.ask("ada", "GET", &format!("{R}/pull-requests{query}"), &Value::Null).await }
    };
    for (query, expected) in [
        ("", &[4, 1][..]),
        ("?state=OPEN&order=OLDEST", &[1, 4]),
        ("?state=all", &[4, 3, 2, 1]),
        ("?state=DECLINED", &[2]),
        ("?state=MERGED&order=newest", &[3]),
        ("?state=ALL&limit=2&start=1", &[3, 2]),
        ("?at=refs/heads/main", &[4, 1]),
        ("?at=refs/heads/a", &[]),
        ("?at=refs/heads/a&direction=OUTGOING", &[1]),
        ("?filterText=bring%20D", &[4]),
        ("?filterText=%25", &[]),
        ("?username.1=bob", &[4]),
        ("?username.1=bob&role.1=PARTICIPANT&approved.1=true", &[4]),
        ("?username.1=bob&approved.1=false", &[]),
        ("?username.1=ada&role.1=AUTHOR&username.2=bob", &[4]),
        ("?username.1=nobody", &[]),
    ] {
        let answer = list(query).await;
        assert_eq!(ids(&answer.json()), expected, "{query}: {}", answer.text());
    }
    let page = list("?state=ALL&limit=2").await.json();
    assert_eq!((&page["nextPageStart"], &page["isLastPage"]), (&json!(2), &json!(false)));
    for bad in ["?state=x", "?order=x", "?direction=x", "?limit=0"] {
        assert_eq!(list(bad).await.status, 400, "{bad}");
    }

    let commit = world.git(&["rev-parse", "a"]).await;
    let of = |commit: String| {
        let world = &world;
        async move { world.ask("ada", "GET", &format!("{R}/commits/{commit}/pull-requests"), &Value::Null).await }
    };
    assert_eq!(ids(&of(commit).await.json()), [1]);
    let merged = world.git(&["rev-parse", "c"]).await;
    assert_eq!(ids(&of(merged).await.json()), [3], "those made before the merge do not bring it");
    let merge = world.get("3").await["properties"]["mergeCommit"]["id"].as_str().unwrap().to_owned();
    assert_eq!(ids(&of(merge).await.json()), [3]);
    let main = world.git(&["rev-parse", "main"]).await;
    assert_eq!(ids(&of(main).await.json()), [0_i64; 0]);
    refused(&of("0".repeat(40)).await, 404, "NoSuchCommitException");
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inbox_and_dashboard_are_the_users_own() {
    let world = World::new().await;
    for name in ["a", "b"] {
        world.branch(name, name, "x\n").await;
        let wish = json!({"title": name, "fromRef": {"id": name}, "toRef": {"id": "main"}, "reviewers": [{"user": {"name": "bob"}}]});
        assert_eq!(world.ask("ada", "POST", &format!("{R}/pull-requests"), &wish).await.status, 201);
    }
    let get = |who: &'static str, path: &'static str| {
        let world = &world;
        async move { world.ask(who, "GET", &format!("/rest/api/latest/{path}"), &Value::Null).await }
    };
    assert_eq!(get("bob", "inbox/pull-requests/count").await.json(), json!({"count": 2}));
    assert_eq!(get("ada", "inbox/pull-requests/count").await.json(), json!({"count": 0}));
    assert_eq!(ids(&get("bob", "inbox/pull-requests").await.json()), [2, 1]);
    assert_eq!(ids(&get("ada", "inbox/pull-requests?role=author&limit=1").await.json()), [2]);
    assert_eq!(get("ada", "inbox/pull-requests?role=x").await.status, 400);
    world.ask("bob", "POST", &format!("{R}/pull-requests/1/approve"), &Value::Null).await;
    assert_eq!(get("bob", "inbox/pull-requests/count").await.json(), json!({"count": 1}), "it is reviewed");
    world.post("2/decline?version=0", &Value::Null).await;
    assert_eq!(get("bob", "inbox/pull-requests/count").await.json(), json!({"count": 0}), "it is closed");
    for (path, expected) in [
        ("dashboard/pull-requests", &[2, 1][..]),
        ("dashboard/pull-requests?state=OPEN", &[1]),
        ("dashboard/pull-requests?role=AUTHOR", &[]),
        ("dashboard/pull-requests?role=REVIEWER&participantStatus=APPROVED,NEEDS_WORK", &[1]),
        ("dashboard/pull-requests?closedSince=3600&order=CLOSED_DATE", &[2]),
    ] {
        assert_eq!(ids(&get("bob", path).await.json()), expected, "{path}");
    }
    assert_eq!(get("bob", "dashboard/pull-requests?user=ada").await.status, 401);
    assert_eq!(ids(&get("admin", "dashboard/pull-requests?user=ada&role=AUTHOR").await.json()), [2, 1]);
    assert_eq!(get("bob", "dashboard/pull-requests?state=x").await.status, 400);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_that_the_user_pushed_are_suggested() {
    let world = World::new().await;
    let url = format!("http://ada:secret@{}/scm/PROJ/repo.git", world.server.host());
    world.git(&["checkout", "--quiet", "-b", "feature/mine", "main"]).await;
    let commit = world.commit("mine", "x\n").await;
    world.git(&["push", "--quiet", &url, "feature/mine"]).await;
    world.branch("admins", "theirs", "x\n").await;
    world.git(&["ls-remote", &url]).await;
    let suggestions = || {
        let path =
            "/rest/api/latest/dashboard/pull-request-suggestions?changesSince=86400&limit=3&avatarSize=16";
        let world = &world;
        async move { world.ask("ada", "GET", path, &Value::Null).await.json() }
    };
    let page = suggestions().await;
    assert_eq!(
        (&page["size"], &page["limit"], &page["isLastPage"]),
        (&json!(1), &json!(3), &json!(true)),
        "{page}"
    );
    let suggestion = &page["values"][0];
    assert_eq!(
        suggestion["fromRef"],
        json!({"id": "refs/heads/feature/mine", "displayId": "feature/mine", "type": "BRANCH"})
    );
    assert_eq!(suggestion["toRef"]["displayId"], "main");
    assert_eq!(
        (&suggestion["refChange"]["toHash"], &suggestion["refChange"]["type"]),
        (&json!(commit), &json!("ADD"))
    );
    assert_eq!(suggestion["repository"]["slug"], "repo");
    world.open("feature/mine").await;
    assert_eq!(suggestions().await["values"], json!([]), "it is proposed");
    world.server.stop().await.unwrap();
}
