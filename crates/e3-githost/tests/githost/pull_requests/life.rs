//! From the first wish to the last: what is made, changed, refused, and told.

use serde_json::{Value, json};

use super::{R, World, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_request_is_made_as_recorded() {
    let world = World::new().await;
    let from = world.branch("feature/one", "one", "1\n").await;
    let wish = json!({
        "title": "One", "description": "The first.", "state": "OPEN", "open": true, "closed": false, "locked": false,
        "fromRef": {"id": "refs/heads/feature/one", "repository": {"slug": "repo", "project": {"key": "PROJ"}}},
        "toRef": {"id": "main"},
        "reviewers": [{"user": {"name": "bob"}}]
    });
    let all = format!("{R}/pull-requests");
    let made = world.ask("ada", "POST", &all, &wish).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.header("location"), format!("{}{R}/pull-requests/1", world.server.base));
    let body = made.json();
    assert_eq!((&body["id"], &body["version"], &body["state"]), (&json!(1), &json!(0), &json!("OPEN")));
    assert_eq!(
        (&body["open"], &body["closed"], &body["locked"]),
        (&json!(true), &json!(false), &json!(false))
    );
    assert_eq!(body["fromRef"]["latestCommit"], json!(from));
    assert_eq!(
        (&body["fromRef"]["displayId"], &body["toRef"]["id"]),
        (&json!("feature/one"), &json!("refs/heads/main"))
    );
    assert_eq!(body["toRef"]["repository"]["project"]["key"], "PROJ");
    assert_eq!((&body["author"]["user"]["name"], &body["author"]["role"]), (&json!("ada"), &json!("AUTHOR")));
    assert_eq!(body["reviewers"][0]["user"]["name"], "bob");
    assert_eq!(
        body["links"]["self"][0]["href"],
        format!("{}/projects/PROJ/repos/repo/pull-requests/1", world.server.base)
    );
    for absent in ["closedDate", "properties"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    assert_eq!(world.get("1").await, body);

    let again = refused(&world.ask("bob", "POST", &all, &wish).await, 409, "DuplicatePullRequestException");
    assert_eq!(again["existingPullRequest"], body);
    let branches = |from: &str, to: &str| json!({"title": "x", "fromRef": {"id": from}, "toRef": {"id": to}});
    let empty = world.ask("ada", "POST", &all, &branches("main", "feature/one")).await;
    let empty = refused(&empty, 409, "EmptyPullRequestException");
    assert_eq!(
        empty["message"],
        "Branch \"feature/one\" is already up-to-date with branch \"main\" in repository \"repo\"."
    );
    for (from, to, missing) in
        [("none", "main", "none"), ("main", "../../x", "../../x"), ("refs/tags/x", "main", "refs/tags/x")]
    {
        let error =
            refused(&world.ask("ada", "POST", &all, &branches(from, to)).await, 404, "NoSuchCommitException");
        let message = format!("Repository \"repo\" of project with key \"PROJ\" has no branch \"{missing}\"");
        assert_eq!(error["message"], json!(message));
    }
    for (wish, context) in [
        (json!({"fromRef": {"id": "a"}, "toRef": {"id": "b"}}), "title"),
        (json!({"title": " ", "fromRef": {"id": "a"}, "toRef": {"id": "b"}}), "title"),
        (json!({"title": "x", "toRef": {"id": "b"}}), "fromRef"),
        (json!({"title": "x", "fromRef": {"id": "a"}}), "toRef"),
        (json!(null), "fromRef"),
    ] {
        let answer = world.ask("ada", "POST", &all, &wish).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["errors"][0]["context"]),
            (400, &json!(context)),
            "{wish}"
        );
    }
    let elsewhere =
        json!({"title": "x", "fromRef": {"id": "a", "repository": {"slug": "other"}}, "toRef": {"id": "b"}});
    refused(&world.ask("ada", "POST", &all, &elsewhere).await, 409, "InvalidPullRequestTargetException");
    world.branch("feature/two", "two", "2\n").await;
    let mut wish = branches("feature/two", "main");
    wish["reviewers"] =
        json!([{"user": {"name": "ada"}}, {"user": {"name": "nobody"}}, {"user": {"name": "BOB"}}]);
    let error =
        refused(&world.ask("ada", "POST", &all, &wish).await, 409, "InvalidPullRequestReviewersException");
    assert_eq!(error["context"], "reviewers");
    assert_eq!(error["reviewerErrors"].as_array().unwrap().len(), 2);
    assert_eq!(error["validReviewers"][0]["name"], "bob");
    refused(
        &world.ask("ada", "GET", &format!("{all}/9999"), &Value::Null).await,
        404,
        "NoSuchPullRequestException",
    );
    refused(
        &world.ask("ada", "GET", &format!("{all}/x"), &Value::Null).await,
        404,
        "NoSuchPullRequestException",
    );
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_need_the_version_that_there_is() {
    let world = World::new().await;
    world.branch("a", "a", "a\n").await;
    world.git(&["branch", "other", "main"]).await;
    world.push(&["other"]).await;
    world.open("a").await;
    let one = format!("{R}/pull-requests/1");
    let put = |body: Value| {
        let one = one.clone();
        let world = &world;
        async move { world.ask("ada", "PUT", &one, &body).await }
    };
    let changed = put(json!({"version": 0, "title": "New", "description": "Text", "reviewers": [{"user": {"name": "bob"}}]})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let body = changed.json();
    assert_eq!(
        (&body["version"], &body["title"], &body["description"]),
        (&json!(1), &json!("New"), &json!("Text"))
    );
    assert_eq!(body["reviewers"][0]["user"]["name"], "bob");
    let error =
        refused(&put(json!({"version": 0, "title": "Old"})).await, 409, "PullRequestOutOfDateException");
    assert_eq!((&error["currentVersion"], &error["expectedVersion"]), (&json!(1), &json!(0)));
    assert_eq!(error["pullRequest"]["title"], "New");
    refused(&put(json!({"title": "No version"})).await, 409, "PullRequestOutOfDateException");
    let moved = put(json!({"version": 1, "toRef": {"id": "refs/heads/other"}, "reviewers": []})).await.json();
    assert_eq!((&moved["toRef"]["displayId"], &moved["title"]), (&json!("other"), &json!("New")));
    assert_eq!(moved["reviewers"], json!([]));
    refused(&put(json!({"version": 2, "toRef": {"id": "none"}})).await, 404, "NoSuchCommitException");
    let updates = world.get("1/activities").await;
    assert_eq!(updates["values"][0]["removedReviewers"][0]["name"], "bob");
    assert_eq!(updates["values"][1]["addedReviewers"][0]["name"], "bob");

    for version in ["", "?version=0", "?version=-1"] {
        refused(
            &world.post(&format!("1/decline{version}"), &Value::Null).await,
            409,
            "PullRequestOutOfDateException",
        );
    }
    assert_eq!(world.post("1/decline?version=x", &Value::Null).await.status, 400);
    let request = http::Request::post(world.server.url(&format!("{one}/decline?avatarSize=16&version=2")))
        .header("authorization", crate::harness::authorization("ada", "secret"))
        .header("content-type", "application/json");
    let declined = world.server.send(request, "null").await;
    assert_eq!(declined.status, 200, "{}", declined.text());
    let body = declined.json();
    assert_eq!(
        (&body["state"], &body["version"], &body["open"]),
        (&json!("DECLINED"), &json!(3), &json!(false))
    );
    assert_eq!(body["closedDate"], body["updatedDate"]);
    let error = refused(
        &world.post("1/decline?version=3", &json!({})).await,
        409,
        "IllegalPullRequestStateException",
    );
    assert_eq!(error["message"], "This pull request has already been declined.");
    refused(&world.post("1/merge?version=3", &json!({})).await, 409, "IllegalPullRequestStateException");
    refused(&world.post("1/reopen?version=1", &json!({})).await, 409, "PullRequestOutOfDateException");
    let reopened = world.post("1/reopen", &json!({"version": 3})).await.json();
    assert_eq!((&reopened["state"], &reopened["version"]), (&json!("OPEN"), &json!(4)));
    assert!(reopened.get("closedDate").is_none());

    let delete = |who: &'static str, version: i64| {
        let (world, one) = (&world, one.clone());
        async move { world.ask(who, "DELETE", &one, &json!({"version": version})).await }
    };
    assert_eq!(delete("bob", 4).await.status, 401);
    refused(&delete("ada", 9123).await, 409, "PullRequestOutOfDateException");
    assert_eq!(delete("ada", 4).await.status, 204);
    refused(&delete("ada", 4).await, 404, "NoSuchPullRequestException");
    world.open("a").await;
    assert_eq!(world.get("2").await["id"], 2, "numbers are not given twice");
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_one_follows_its_branches_and_a_closed_one_does_not() {
    let world = World::new().await;
    let first = world.branch("a", "a", "a\n").await;
    assert_eq!(world.open("a").await["fromRef"]["latestCommit"], json!(first));
    world.git(&["checkout", "--quiet", "a"]).await;
    let second = world.commit("b", "b\n").await;
    world.push(&["a"]).await;
    let now = world.get("1").await;
    assert_eq!((&now["fromRef"]["latestCommit"], &now["version"]), (&json!(second), &json!(1)));
    assert_eq!(world.get("1").await["version"], 1, "noticed once");
    let activity = world.get("1/activities").await["values"][0].clone();
    assert_eq!((&activity["action"], &activity["previousFromHash"]), (&json!("RESCOPED"), &json!(first)));
    assert_eq!((&activity["fromHash"], &activity["added"]["total"]), (&json!(second), &json!(1)));
    assert_eq!(activity["added"]["commits"][0]["message"], "Write b");

    world.git(&["checkout", "--quiet", "main"]).await;
    let main = world.commit("c", "c\n").await;
    world.push(&["main"]).await;
    let now = world.get("1").await;
    assert_eq!(
        (&now["toRef"]["latestCommit"], &now["version"]),
        (&json!(main), &json!(1)),
        "the target is not its own"
    );
    assert_eq!(world.post("1/decline?version=1", &Value::Null).await.status, 200);
    world.branch("a", "a", "other\n").await;
    let closed = world.get("1").await;
    assert_eq!((&closed["fromRef"]["latestCommit"], &closed["version"]), (&json!(second), &json!(2)));

    world.branch("gone", "g", "g\n").await;
    let id = world.open("gone").await["id"].clone();
    world.push(&[":gone"]).await;
    let declined = world.get(&id.to_string()).await;
    assert_eq!(declined["state"], "DECLINED", "what it would bring is not there any more");
    refused(
        &world.post(&format!("{id}/reopen?version={}", declined["version"]), &Value::Null).await,
        404,
        "NoSuchCommitException",
    );
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_contents_are_what_it_would_bring() {
    let world = World::new().await;
    world.git(&["checkout", "--quiet", "-b", "a", "main"]).await;
    world.commit("dir file.txt", "one\ntwo\n").await;
    let tip = world.commit("shared", "line 0\nchanged\n").await;
    world.push(&["a"]).await;
    world.git(&["checkout", "--quiet", "main"]).await;
    world.commit("elsewhere", "not of the branch\n").await;
    world.push(&["main"]).await;
    world.open("a").await;
    let changes = world.get("1/changes?start=0&limit=1000&changeScope=unreviewed").await;
    let paths: Vec<&str> = changes["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["path"]["toString"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["dir file.txt", "shared"]);
    assert_eq!(
        (&changes["values"][0]["type"], &changes["values"][1]["type"]),
        (&json!("ADD"), &json!("MODIFY"))
    );
    assert_eq!((&changes["toHash"], &changes["isLastPage"]), (&json!(tip), &json!(true)));
    let commits = world.get("1/commits?limit=1").await;
    assert_eq!((&commits["values"][0]["id"], &commits["isLastPage"]), (&json!(tip), &json!(false)));
    let query =
        "contextLines=-1&withComments=true&autoSrcPath=undefined&avatarSize=64&markup=true&whitespace=";
    let diff = world.get(&format!("1/diff/dir%20file.txt?{query}")).await;
    assert_eq!(diff["diffs"].as_array().unwrap().len(), 1);
    assert_eq!(diff["diffs"][0]["hunks"][0]["segments"][0]["lines"][1]["line"], "two");
    assert_eq!(world.get("1/diff").await["diffs"].as_array().unwrap().len(), 2);
    let raw = world.ask("ada", "GET", &format!("{R}/pull-requests/1.diff"), &Value::Null).await;
    assert!(
        raw.text().starts_with("diff --git ") && raw.header("content-type").starts_with("text/plain"),
        "{}",
        raw.text()
    );
    let patch = world.ask("ada", "GET", &format!("{R}/pull-requests/1.patch"), &Value::Null).await;
    assert_eq!(patch.text().matches("\nSubject: ").count(), 2, "{}", patch.text());
    let missing = world.ask("ada", "GET", &format!("{R}/pull-requests/9.diff"), &Value::Null).await;
    refused(&missing, 404, "NoSuchPullRequestException");
    let base = world.get("1/merge-base").await;
    assert_eq!(base["message"], "Write shared");
    world.server.stop().await.unwrap();
}
