//! Nodes that died in the middle of a merge: what they left is finished or forgotten.

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};

use super::{R, World};

/// A pull request whose merge a node had written down when it died: the merge's commit is made, the branch is where it was.
async fn left_behind(world: &World, branch: &str) -> (i64, String) {
    let from = world.branch(branch, branch, "x\n").await;
    let id = world.open(branch).await["id"].as_i64().unwrap();
    let to = world.tip("main").await;
    let repository = world.place.home().join("repositories/1.git");
    let git_dir = format!("--git-dir={}", repository.display());
    let tree = world.place.git(&[&git_dir, "merge-tree", "--write-tree", &to, &from]).await;
    let commit = ["commit-tree", &tree, "-p", &to, "-p", &from, "-m", "Merge"];
    let commit = world.place.git(&[&[git_dir.as_str()][..], &commit].concat()).await;
    let mut database = database(world).await;
    sqlx::query(
        "INSERT INTO pull_request_merges (pull_request, repository_id, to_ref, from_commit, to_commit, merge_commit, user_id)
         SELECT key, repository_id, to_ref, ?, ?, ?, 1 FROM pull_requests WHERE number = ?",
    )
    .bind(&from)
    .bind(&to)
    .bind(&commit)
    .bind(id)
    .execute(&mut database)
    .await
    .unwrap();
    (id, commit)
}

async fn database(world: &World) -> SqliteConnection {
    let data = world.place.home().join("data");
    let file = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "sqlite")).unwrap();
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(std::time::Duration::from_secs(10));
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn under_way(world: &World) -> i64 {
    let mut database = database(world).await;
    let row = sqlx::query("SELECT count(*) FROM pull_request_merges").fetch_one(&mut database).await.unwrap();
    row.get(0)
}

async fn move_main(world: &World, commit: &str) {
    let repository = world.place.home().join("repositories/1.git");
    let git_dir = format!("--git-dir={}", repository.display());
    world.place.git(&[&git_dir, "update-ref", "refs/heads/main", commit]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_that_reached_the_branch_is_finished_by_whoever_looks() {
    let world = World::new().await;
    let (id, commit) = left_behind(&world, "a").await;
    move_main(&world, &commit).await;
    let found = world.get(&id.to_string()).await;
    assert_eq!((&found["state"], &found["version"]), (&json!("MERGED"), &json!(2)));
    assert_eq!(found["properties"]["mergeCommit"]["id"], json!(commit));
    assert_eq!(found["toRef"]["latestCommit"].as_str().unwrap(), world.git(&["rev-parse", "main"]).await);
    let activity = world.get(&format!("{id}/activities")).await["values"][0].clone();
    assert_eq!((&activity["action"], &activity["user"]["name"]), (&json!("MERGED"), &json!("admin")));

    // Others have pushed on top of it meanwhile, and it is looked for in the list.
    world.git(&["pull", "--quiet", &world.server.clone_url("PROJ", "repo"), "main"]).await;
    let (id, commit) = left_behind(&world, "b").await;
    move_main(&world, &commit).await;
    world.git(&["pull", "--quiet", &world.server.clone_url("PROJ", "repo"), "main"]).await;
    world.commit("more", "x\n").await;
    world.push(&["main"]).await;
    let list = |state: &'static str| {
        let world = &world;
        async move {
            world.ask("ada", "GET", &format!("{R}/pull-requests?state={state}"), &Value::Null).await.json()
        }
    };
    assert_eq!(list("MERGED").await["size"], 2);
    assert_eq!(list("OPEN").await["size"], 0);
    assert_eq!(world.get(&id.to_string()).await["state"], "MERGED");
    assert_eq!(under_way(&world).await, 0);
    world.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_that_did_not_reach_the_branch_is_forgotten() {
    let world = World::new().await;
    let (id, commit) = left_behind(&world, "a").await;
    assert_eq!(world.get(&id.to_string()).await["state"], "OPEN");
    let merged = world.post(&format!("{id}/merge?version=0"), &Value::Null).await;
    assert_eq!(merged.status, 200, "{}", merged.text());
    let made = merged.json()["properties"]["mergeCommit"]["id"].clone();
    assert_ne!(made, json!(commit));
    assert_eq!(made, json!(world.tip("main").await));
    assert_eq!(under_way(&world).await, 0);

    world.git(&["pull", "--quiet", &world.server.clone_url("PROJ", "repo"), "main"]).await;
    let (id, _) = left_behind(&world, "b").await;
    let declined = world.post(&format!("{id}/decline?version=0"), &Value::Null).await;
    assert_eq!(
        (declined.status.as_u16(), &declined.json()["state"]),
        (200, &json!("DECLINED")),
        "{}",
        declined.text()
    );
    assert_eq!(under_way(&world).await, 0);

    let (id, _) = left_behind(&world, "c").await;
    let path = format!("{R}/pull-requests/{id}");
    let changed = world.ask("ada", "PUT", &path, &json!({"version": 0, "title": "New"})).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["title"]),
        (200, &json!("New")),
        "{}",
        changed.text()
    );
    world.server.stop().await.unwrap();
}
