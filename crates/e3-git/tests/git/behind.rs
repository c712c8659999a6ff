//! Clones that are behind: where they stand, and what a fetch brings them.

use std::num::NonZeroU32;

use e3_git::{GitError, ObjectId, Updated, fetch, history};
use e3_testkit::{Git, GitServerOptions, Shape, SshdOptions, wait_for};

use crate::site::{Server, Site, repository};

/// Returns the first parents of a branch, newest first.
fn first_parents(git: &Git, branch: &str) -> Vec<ObjectId> {
    let listed = git.run(&["rev-list", "--first-parent", branch]);
    listed.lines().map(|line| ObjectId::parse(line.as_bytes()).unwrap()).collect()
}

fn depth(commits: u32) -> NonZeroU32 {
    NonZeroU32::new(commits).unwrap()
}

async fn knows_the_latest_commits<S: Server>(site: &Site<S>, filters: bool) {
    let slug = format!("known-{filters}");
    let shape = Shape { commits: 30, detached_head: false, ..Shape::seeded(9) };
    let git = Git::new(site.create(&slug, 9, shape).await);
    git.run(&["config", "uploadpack.allowFilter", if filters { "true" } else { "false" }]);
    let (remote, repository) = (site.remote(), repository(&slug));
    let known = first_parents(&git, "main");
    assert!(known.len() > 5, "{known:?}");
    for asked in [1, 2, 5, 1_000] {
        for branch in [Some("main"), Some("refs/heads/main"), None] {
            let found = history(&remote, &repository, branch, depth(asked)).await.unwrap();
            let expected = known.iter().copied().take(asked.try_into().unwrap()).collect::<Vec<_>>();
            assert_eq!((found.branch.as_str(), found.commits), ("main", expected), "{asked} of {branch:?}");
            assert!(found.transfer.bytes_in > 0 && found.transfer.first_byte.is_some());
        }
    }
    let missing = history(&remote, &repository, Some("mai"), depth(1)).await;
    assert!(matches!(missing, Err(GitError::NoBranch { .. })), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_commits_are_known_over_http_and_ssh_in_either_version() {
    for ignore_protocol in [false, true] {
        let http = Site::http(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await;
        knows_the_latest_commits(&http, true).await;
        knows_the_latest_commits(&http, false).await;
    }
    knows_the_latest_commits(&Site::ssh(SshdOptions::default()).await, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_client_finds_out_whether_anything_is_new() {
    let site = Site::http(GitServerOptions::default()).await;
    let shape = Shape { commits: 12, detached_head: false, ..Shape::seeded(4) };
    let git = Git::new(site.create("r", 4, shape).await);
    let (forked, remote, repository) = (site.forked(), site.remote(), repository("r"));
    let known = first_parents(&git, "main");
    let main = Updated::Branches(vec!["main".to_owned()]);
    for (behind, named) in [(0_usize, Some("main")), (1, None), (3, Some("main")), (1_000, Some("main"))] {
        let base = forked.base(&repository, named, behind.try_into().unwrap()).await.unwrap();
        assert_eq!(base.branch, "main");
        assert_eq!(base.commit, known[behind.min(known.len() - 1)], "{behind} behind");
        // As often as one likes: the clone stays behind.
        for _ in 0..2 {
            assert_eq!(forked.fetch_since(&repository, &base).await.unwrap(), behind > 0, "{behind} behind");
        }
        let native = fetch(&remote, &repository, &main, &[base.commit]).await.unwrap();
        assert_eq!(native.pack.is_some(), behind > 0, "{behind} behind");
    }
    for (named, expected) in [
        (Some("main"), Some(("main".to_owned(), known[0]))),
        (None, Some(("main".to_owned(), known[0]))),
        (Some("mai"), None),
    ] {
        assert_eq!(forked.find_branch(&repository, named).await.unwrap(), expected, "{named:?}");
    }
    assert!(forked.clone_shallow(&repository).await.unwrap().objects > 0);

    let mut base = forked.base(&repository, Some("main"), 2).await.unwrap();
    assert!(forked.update(&repository, &mut base).await.unwrap(), "it was behind");
    assert_eq!(base.commit, known[0]);
    assert!(!forked.update(&repository, &mut base).await.unwrap(), "it no longer is");
    git.run(&["update-ref", "-d", "refs/heads/main"]);
    for lost in [
        forked.base(&repository, Some("main"), 2).await.err(),
        forked.fetch_since(&repository, &base).await.err(),
        forked.base(&repository, None, 0).await.err(),
    ] {
        assert!(matches!(lost, Some(GitError::NoBranch { .. })), "{lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_brings_only_what_is_newer_than_its_clone() {
    let site = Site::http(GitServerOptions::default()).await;
    let shape = Shape { commits: 12, detached_head: false, binary_bytes: 100_000, ..Shape::seeded(4) };
    let git = Git::new(site.create("r", 4, shape).await);
    let (forked, repository) = (site.forked(), repository("r"));
    let base = forked.base(&repository, Some("main"), 1).await.unwrap();
    let has = |commit: ObjectId| {
        let found = std::fs::read_dir(forked.directory()).unwrap().filter(|entry| {
            let clone = Git::new(entry.as_ref().unwrap().path());
            clone.directory().join("HEAD").exists()
                && clone.output(&["cat-file", "-e", &commit.to_string()], b"").status.success()
        });
        found.count()
    };
    let known = first_parents(&git, "main");
    wait_for("newer clones to go", std::time::Duration::from_secs(20), || async {
        // What helped to make it is removed off the clock.
        match (has(known[0]), has(base.commit)) {
            (0, 1) => Ok(()),
            found => Err(format!("{found:?} clones have the newest commit and the one before")),
        }
    })
    .await;
}
