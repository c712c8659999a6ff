//! What people say and think.

use serde_json::{Value, json};

use super::{R, World, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comments_are_said_changed_answered_and_taken_back() {
    let world = World::new().await;
    let tip = world.branch("a", "a", "a\n").await;
    let base = world.git(&["rev-parse", "main"]).await;
    world.open("a").await;
    let said = world.post("1/comments?version=2", &json!({"text": "Well <b>done</b>"})).await;
    assert_eq!(said.status, 201, "{}", said.text());
    assert!(said.header("location").ends_with("/pull-requests/1/comments/1"), "{}", said.header("location"));
    let body = said.json();
    assert_eq!(
        (&body["text"], &body["version"], &body["author"]["name"]),
        (&json!("Well <b>done</b>"), &json!(0), &json!("ada"))
    );
    assert_eq!(
        (&body["severity"], &body["state"], &body["tasks"]),
        (&json!("NORMAL"), &json!("OPEN"), &json!([]))
    );
    assert_eq!(
        body["permittedOperations"],
        json!({"editable": true, "transitionable": true, "deletable": true})
    );
    assert_eq!(world.get("1/comments/1").await, body);
    let reply = json!({"text": "Thanks", "parent": {"id": 1}});
    let reply = world.ask("bob", "POST", &format!("{R}/pull-requests/1/comments"), &reply).await;
    assert_eq!(reply.status, 201);
    assert_eq!(world.get("1/comments/1").await["comments"][0]["text"], "Thanks");
    assert_eq!(world.get("1").await["participants"][0]["user"]["name"], "bob", "who speaks takes part");

    let one = format!("{R}/pull-requests/1/comments/1");
    let edit = |who: &'static str, body: Value| {
        let (world, one) = (&world, one.clone());
        async move { world.ask(who, "PUT", &one, &body).await }
    };
    assert_eq!(edit("bob", json!({"text": "Mine", "version": 0})).await.status, 401);
    let edited = edit("ada", json!({"text": "Better", "version": 0})).await.json();
    assert_eq!((&edited["text"], &edited["version"]), (&json!("Better"), &json!(1)));
    refused(&edit("ada", json!({"text": "Worse", "version": 0})).await, 409, "CommentOutOfDateException");
    assert_eq!(edit("ada", json!({"text": " ", "version": 1})).await.status, 400);
    let delete = |who: &'static str, id: i64, version: i64| {
        let world = &world;
        async move {
            world
                .ask(
                    who,
                    "DELETE",
                    &format!("{R}/pull-requests/1/comments/{id}?version={version}"),
                    &Value::Null,
                )
                .await
        }
    };
    refused(&delete("ada", 1, 1).await, 409, "CommentDeletionException");
    assert_eq!(delete("ada", 2, 0).await.status, 401);
    refused(&delete("bob", 2, 7).await, 409, "CommentOutOfDateException");
    assert_eq!(delete("bob", 2, 0).await.status, 204);
    refused(&delete("bob", 2, 0).await, 404, "NoSuchCommentException");

    let anchor = json!({"path": "a", "line": 1, "lineType": "ADDED", "fileType": "TO"});
    let about = json!({"text": "This line", "anchor": anchor});
    assert_eq!(world.post("1/comments", &about).await.status, 201);
    let page = world.get("1/comments?path=a").await;
    let expected = json!({"fromHash": base, "toHash": tip, "line": 1, "lineType": "ADDED", "fileType": "TO", "path": "a", "diffType": "EFFECTIVE"});
    assert_eq!(page["values"][0]["anchor"], expected);
    assert_eq!(world.get("1/comments?path=b").await["values"], json!([]));
    assert_eq!(
        world.ask("ada", "GET", &format!("{R}/pull-requests/1/comments"), &Value::Null).await.status,
        400
    );
    let activities = world.get("1/activities").await;
    let about = &activities["values"][0];
    assert_eq!((&about["action"], &about["commentAction"]), (&json!("COMMENTED"), &json!("ADDED")));
    assert_eq!(
        (&about["comment"]["text"], &about["commentAnchor"]["path"]),
        (&json!("This line"), &json!("a"))
    );
    assert_eq!(
        (&activities["values"][1]["comment"]["text"], activities["values"].as_array().unwrap().len()),
        (&json!("Better"), 3)
    );

    for (body, status) in [
        (json!({"text": ""}), 400),
        (json!({"text": "x".repeat(40_000)}), 400),
        (json!({"text": "x", "parent": {"id": 999}}), 404),
        (json!({"text": "x", "anchor": {"path": "../x"}}), 400),
        (json!({"text": "x", "anchor": {"path": "a", "lineType": "X"}}), 400),
        (json!({"text": "x", "anchor": {"path": "a", "toHash": "--help"}}), 400),
    ] {
        assert_eq!(world.post("1/comments", &body).await.status, status, "{body}");
    }
    let mut parent = 1;
    let mut deepest = 0;
    loop {
        let answer = world.post("1/comments", &json!({"text": "x", "parent": {"id": parent}})).await;
        if answer.status != 201 {
            assert_eq!(answer.status, 400);
            break;
        }
        parent = answer.json()["id"].as_i64().unwrap();
        deepest += 1;
        assert!(deepest < 100, "threads have a bound");
    }
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_comments_that_can_be_resolved() {
    let world = World::new().await;
    world.branch("a", "a", "a\n").await;
    world.open("a").await;
    let task = world.post("1/blocker-comments", &json!({"text": "Do it"})).await;
    assert_eq!((task.status.as_u16(), &task.json()["severity"]), (201, &json!("BLOCKER")));
    assert_eq!(world.get("1/blocker-comments?count=true").await, json!({"OPEN": 1}));
    let path = format!("{R}/pull-requests/1/blocker-comments/1");
    let done = world.ask("bob", "PUT", &path, &json!({"state": "RESOLVED", "version": 0})).await.json();
    assert_eq!((&done["state"], &done["version"]), (&json!("RESOLVED"), &json!(1)), "{done}");
    assert_eq!(world.get("1/blocker-comments?state=OPEN").await["values"], json!([]));
    assert_eq!(world.get("1/blocker-comments").await["size"], 1);
    assert_eq!(world.ask("ada", "PUT", &path, &json!({"state": "DONE", "version": 1})).await.status, 400);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reviewers_think_for_themselves() {
    let world = World::new().await;
    let tip = world.branch("a", "a", "a\n").await;
    world.open("a").await;
    let participants = format!("{R}/pull-requests/1/participants");
    let added =
        world.ask("ada", "POST", &participants, &json!({"user": {"name": "bob"}, "role": "REVIEWER"})).await;
    assert_eq!((added.status.as_u16(), &added.json()["role"]), (200, &json!("REVIEWER")));
    let set = |who: &'static str, whom: &'static str, body: Value| {
        let (world, path) = (&world, format!("{participants}/{whom}"));
        async move { world.ask(who, "PUT", &path, &body).await }
    };
    let approved = set("bob", "bob", json!({"user": {"name": "bob"}, "status": "APPROVED"})).await.json();
    assert_eq!(
        (&approved["approved"], &approved["status"], &approved["role"]),
        (&json!(true), &json!("APPROVED"), &json!("REVIEWER"))
    );
    assert_eq!(approved["lastReviewedCommit"], json!(tip));
    assert_eq!(set("ada", "bob", json!({"status": "APPROVED"})).await.status, 401);
    assert_eq!(set("bob", "bob", json!({"status": "FINE"})).await.status, 400);
    refused(&set("ada", "ada", json!({"status": "APPROVED"})).await, 409, "IllegalPullRequestStateException");
    assert_eq!(set("bob", "bob", json!({"status": "NEEDS_WORK"})).await.json()["status"], "NEEDS_WORK");
    let back = world.ask("bob", "DELETE", &format!("{R}/pull-requests/1/approve"), &Value::Null).await;
    assert_eq!((back.status.as_u16(), &back.json()["status"]), (200, &json!("UNAPPROVED")));
    let actions: Vec<Value> = world.get("1/activities").await["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].clone())
        .collect();
    assert_eq!(actions, ["UNAPPROVED", "REVIEWED", "APPROVED", "OPENED"]);
    assert_eq!(world.get("1/participants").await["size"], 2);
    assert_eq!(world.ask("ada", "DELETE", &format!("{participants}/bob"), &Value::Null).await.status, 204);
    assert_eq!(world.get("1/participants").await["size"], 1);
    assert_eq!(world.get("1").await["version"], 0, "opinions do not change the request");
    world.post("1/decline?version=0", &Value::Null).await;
    let late = world.ask("bob", "POST", &format!("{R}/pull-requests/1/approve"), &Value::Null).await;
    refused(&late, 409, "IllegalPullRequestStateException");
    world.server.stop().await.unwrap();
}
