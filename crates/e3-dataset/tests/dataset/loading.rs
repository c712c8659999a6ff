//! What `load` brings to a server, once, twice, and after it broke off.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use e3_bitbucket::PullRequestFilter;
use e3_dataset::{DatasetError, Target, generate, load};
use e3_model::{Branch, PullRequestState, Secret};

use crate::server::Server;
use crate::{git, small, team};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loading_twice_is_like_loading_once() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("x", &small(), cache.path()).await.unwrap();
    let server = Server::start(&dataset).await;
    let loaded = load(&dataset, &server.target).await.unwrap();
    assert_eq!((loaded.projects, loaded.repositories, loaded.users, loaded.created), (2, 3, 3, 8));
    let again = load(&dataset, &server.target).await.unwrap();
    assert_eq!((again.projects, again.repositories, again.users, again.created), (2, 3, 3, 0));
    assert_eq!(again.snapshot, loaded.snapshot);

    for repository in &dataset.repositories {
        let local = git(&repository.path, &["ls-remote", repository.path.to_str().unwrap()]);
        for (user, password) in &server.target.users {
            assert_eq!(
                server.ls_remote(&repository.project, &repository.slug, user, password),
                local,
                "as {user}"
            );
        }
    }
    let mut admin = server.admin();
    for (project, repository) in dataset.snapshot.repositories() {
        let described = admin.branches(project, &repository.name).await.unwrap();
        assert_eq!(
            by_name(described),
            by_name(repository.branches.clone()),
            "the snapshot is what the server says"
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pull_requests_are_opened_discussed_merged_and_declined() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("x", &team(), cache.path()).await.unwrap();
    let server = Server::start(&dataset).await;
    let loaded = load(&dataset, &server.target).await.unwrap();
    assert_eq!((loaded.pull_requests, loaded.created), (15, 2 + 3 + 5 + 15));
    let picture = server.picture(&dataset).await;
    let mut admin = server.admin();
    for (project, described) in loaded.snapshot.repositories() {
        let slug = &described.name;
        let found = admin.pull_requests(project, slug, PullRequestFilter::All).await.unwrap();
        let numbers: BTreeMap<&str, u64> =
            found.iter().map(|request| (request.title.as_str(), request.id)).collect();
        assert_eq!(found.len(), described.pull_requests.len());
        let branches = admin.branches(project, slug).await.unwrap();
        for (wanted, number) in described.pull_requests.iter().zip(1..) {
            assert_eq!(numbers[wanted.title.as_str()], number, "numbered in the snapshot's order");
            let one = admin.pull_request(project, slug, number).await.unwrap();
            assert_eq!(one.author.as_ref().unwrap().user.name, wanted.author);
            let state = serde_json::to_value(wanted.state).unwrap();
            assert_eq!(one.state, state.as_str().unwrap(), "{wanted:?}");
            assert_eq!(one.merge_commit().is_some(), wanted.state == PullRequestState::Merged);
            let from = format!("refs/heads/{}", wanted.from);
            let is_there = admin.contains(project, slug, "refs/heads/main", &from).await.unwrap();
            assert_eq!(is_there, wanted.state == PullRequestState::Merged, "{wanted:?}");
            for reviewer in &one.reviewers {
                let approves = wanted.state == PullRequestState::Merged
                    && wanted.reviewers.first() == Some(&reviewer.user.name);
                assert_eq!(reviewer.approved, approves, "{wanted:?}");
            }
            let activities = admin.activities(project, slug, number).await.unwrap();
            let mut said: Vec<_> = activities.into_iter().filter_map(|activity| activity.comment).collect();
            said.reverse();
            let said: Vec<_> =
                said.into_iter().map(|comment| (comment.author.unwrap().name, comment.text)).collect();
            let wanted: Vec<_> = (wanted.comments.iter())
                .map(|comment| (comment.author.clone(), comment.text.clone()))
                .collect();
            assert_eq!(said, wanted);
        }
        assert_eq!(by_name(branches), by_name(described.branches.clone()), "tips are those after the merges");
    }
    let keys: BTreeSet<_> = loaded.snapshot.users.iter().filter_map(|user| user.public_key.clone()).collect();
    assert_eq!(keys, server.target.public_keys.values().cloned().collect());

    let again = load(&dataset, &server.target).await.unwrap();
    assert_eq!((again.created, &again.snapshot), (0, &loaded.snapshot), "the merges are not undone");
    assert_eq!(server.picture(&dataset).await, picture);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_broke_off_anywhere_is_completed_without_doubles() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("x", &team(), cache.path()).await.unwrap();
    let whole = Server::start(&dataset).await;
    load(&dataset, &whole.target).await.unwrap();
    let expected = whole.picture(&dataset).await;

    let broken = Server::start(&dataset).await;
    let mut given_up = 0;
    let mut patience = Duration::from_millis(30);
    // Each time a little further, so that it breaks off in every part of a load.
    loop {
        match tokio::time::timeout(patience, load(&dataset, &broken.target)).await {
            Ok(loaded) => break drop(loaded.unwrap()),
            Err(_elapsed) => given_up += 1,
        }
        patience = patience * 5 / 4;
        assert!(given_up < 40, "a load never gets through");
    }
    let completed = load(&dataset, &broken.target).await.unwrap();
    assert_eq!(completed.created, 0);
    assert!(given_up >= 3, "only {given_up} loads broke off");
    let pictured = broken.picture(&dataset).await;
    for (part, lines) in &expected {
        assert_eq!(&pictured[part], lines, "{part}");
    }
    whole.stop().await;
    broken.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_of_something_else_is_not_overwritten() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("x", &team(), cache.path()).await.unwrap();
    let server = Server::start(&dataset).await;
    load(&dataset, &server.target).await.unwrap();

    let repository = &dataset.repositories[0];
    let (user, password) = server.target.users.first_key_value().unwrap();
    let url = server.clone_url(&repository.project, &repository.slug, user, password);
    let first = git(&repository.path, &["rev-list", "--max-parents=0", "main"]);
    git(&repository.path, &["push", "--quiet", &url, &format!("+{}:refs/heads/main", first.trim())]);
    let before = server.ls_remote(&repository.project, &repository.slug, user, password);
    let error = load(&dataset, &server.target).await.unwrap_err();
    let DatasetError::Foreign { branch, .. } = &error else { panic!("{error}") };
    assert_eq!(branch, "main");
    assert_eq!(server.ls_remote(&repository.project, &repository.slug, user, password), before);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_cannot_be_says_why() {
    let cache = tempfile::tempdir().unwrap();
    let dataset = generate("x", &small(), cache.path()).await.unwrap();
    let server = Server::start(&dataset).await;

    let mut forgetful = server.target.clone();
    let user = dataset.snapshot.users[1].username.clone();
    forgetful.users.remove(&user);
    let error = load(&dataset, &forgetful).await.unwrap_err();
    assert_eq!(error.to_string(), format!("there is no password for user {user}"));

    let stranger = Target { admin_password: Secret::new("wrong"), ..server.target.clone() };
    let error = load(&dataset, &stranger).await.unwrap_err();
    assert!(matches!(error, DatasetError::Server { .. }), "{error}");

    let nowhere = Target { url: "ftp://localhost".to_owned(), ..server.target.clone() };
    let error = load(&dataset, &nowhere).await.unwrap_err();
    assert!(matches!(error, DatasetError::Address { .. }), "{error}");

    let broken = dataset.repositories[0].path.join("objects");
    fs::remove_dir_all(&broken).unwrap();
    let error = load(&dataset, &server.target).await.unwrap_err();
    let DatasetError::Git { stderr, .. } = &error else { panic!("{error}") };
    assert!(!stderr.is_empty());
    assert!(!error.to_string().contains("correct horse"), "{error}");
    server.stop().await;
}

fn by_name(mut branches: Vec<Branch>) -> Vec<Branch> {
    branches.sort_by(|one, other| one.id.cmp(&other.id));
    branches
}
