//! Pushes of commits made in memory, judged by real git.

use e3_git::{GitError, NewCommit, Push, Remote, Tip, delete_branches, fetch_tip, push};
use e3_model::Outcome;
use e3_testkit::{Git, GitServerOptions, Shape, SshdOptions};

use crate::site::{Server, Site, repository};

async fn push_file(remote: &Remote, base: &Tip, branch: &str, content: &str) -> Result<Push, GitError> {
    let files = [("b.txt".to_owned(), content.as_bytes().to_vec()), ("a".to_owned(), b"a\n".to_vec())];
    let commit = NewCommit {
        directory: "e3",
        files: &files,
        message: "Change a file",
        author: "E3 <e3@example.com>",
        seconds: 1_700_000_000,
    };
    push(remote, &repository("r"), base, branch, &commit).await
}

async fn pushes_as_git_would<S: Server>(site: &Site<S>, filter: &str) {
    let git = Git::new(site.create("r", 7, Shape { binary_bytes: 20_000, ..Shape::seeded(7) }).await);
    git.run(&["config", "uploadpack.allowFilter", filter]);
    let remote = site.remote();
    let base = fetch_tip(&remote, &repository("r"), "main").await.unwrap();
    assert_eq!(base.commit.to_string(), git.run(&["rev-parse", "main"]));
    assert!(base.transfer.first_byte.is_some() && base.transfer.phases.advertisement_ns > 0);
    let content = "some text\n".repeat(30);
    let pushed = push_file(&remote, &base, "bugfix/1", &content).await.unwrap();

    git.run(&["fsck", "--strict", "--full"]);
    assert_eq!(git.run(&["rev-parse", "refs/heads/bugfix/1"]), pushed.commit.to_string());
    assert_eq!(git.run(&["show", "bugfix/1:e3/b.txt"]), content.trim_end());
    assert_eq!(git.run(&["rev-parse", "bugfix/1^"]), git.run(&["rev-parse", "main"]));
    // Everything else of the base stays.
    assert_eq!(git.run(&["diff", "--name-status", "main", "bugfix/1"]), "A\te3/a\nA\te3/b.txt");
    let log = git.run(&["log", "-1", "--format=%an %ae %at %s", "bugfix/1"]);
    assert_eq!(log, "E3 e3@example.com 1700000000 Change a file");
    assert!(pushed.pack_bytes > 0 && pushed.transfer.bytes_out > pushed.pack_bytes);
    assert!(pushed.transfer.first_byte.is_some() && pushed.transfer.phases.server_think_ns > 0);

    // The same branch again is overwritten, as by a forced push; on top of a pushed tip its directory is replaced.
    let again = push_file(&remote, &base, "bugfix/1", "other\n").await.unwrap();
    assert_ne!(again.commit, pushed.commit);
    assert_eq!(git.run(&["rev-parse", "bugfix/1"]), again.commit.to_string());
    let tip = fetch_tip(&remote, &repository("r"), "bugfix/1").await.unwrap();
    push_file(&remote, &tip, "bugfix/2", "more\n").await.unwrap();
    assert_eq!(git.run(&["diff", "--name-status", "bugfix/1", "bugfix/2"]), "M\te3/b.txt");

    delete_branches(&remote, &repository("r"), &["bugfix/1", "never", "bugfix/2"]).await.unwrap();
    assert_eq!(git.run(&["for-each-ref", "refs/heads/bugfix"]), "");
    // What is gone already needs no update.
    let gone = delete_branches(&remote, &repository("r"), &["bugfix/1"]).await.unwrap();
    assert_eq!(gone.pack_bytes, 0);
    git.run(&["fsck", "--strict", "--full"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_pushed_over_http_is_what_git_would_have_made() {
    pushes_as_git_would(&Site::http(GitServerOptions::default()).await, "true").await;
    let old = GitServerOptions { ignore_protocol: true, ..GitServerOptions::default() };
    pushes_as_git_would(&Site::http(old.clone()).await, "true").await;
    pushes_as_git_would(&Site::http(old).await, "false").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_pushed_over_ssh_is_what_git_would_have_made() {
    pushes_as_git_would(&Site::ssh(SshdOptions::default()).await, "false").await;
    let old = SshdOptions { ignore_protocol: true, ..SshdOptions::default() };
    pushes_as_git_would(&Site::ssh(old).await, "true").await;
}

async fn refusals_are_no_success<S: Server>(site: &Site<S>) {
    let git = Git::new(site.create("r", 7, Shape::seeded(7)).await);
    git.run(&["config", "receive.denyDeletes", "true"]);
    let remote = site.remote();
    let base = fetch_tip(&remote, &repository("r"), "main").await.unwrap();
    push_file(&remote, &base, "kept", "x\n").await.unwrap();
    let refused = delete_branches(&remote, &repository("r"), &["kept"]).await.unwrap_err();
    assert!(matches!(&refused, GitError::Refused { branch, .. } if branch == "refs/heads/kept"), "{refused}");
    assert_eq!(refused.outcome(), Outcome::Git);
    assert!(git.run(&["for-each-ref", "refs/heads/kept"]).contains("kept"));

    // A name that git does not allow.
    let bad = push_file(&remote, &base, "a..b", "x\n").await.unwrap_err();
    assert_eq!(bad.outcome(), Outcome::Git, "{bad}");

    // A branch whose name only begins so is another one.
    git.run(&["update-ref", "refs/heads/no-such-branch-at-all", "main"]);
    let lost = fetch_tip(&remote, &repository("r"), "no-such-branch").await.unwrap_err();
    assert!(matches!(lost, GitError::NoBranch { .. }), "{lost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_the_server_refuses_is_no_success() {
    refusals_are_no_success(&Site::http(GitServerOptions::default()).await).await;
    refusals_are_no_success(&Site::ssh(SshdOptions::default()).await).await;
}
