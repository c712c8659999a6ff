//! Pushes of commits made in memory, judged by real git.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use e3_git::{GitError, NewCommit, RepositoryPath, delete_branches, push};
use e3_http::{BaseUrl, HttpSession};
use e3_model::Outcome;
use e3_testkit::{Git, GitServer, GitServerOptions, Shape, create_repository};

/// A server over one repository, which has the branch `main`.
struct Site {
    _directory: tempfile::TempDir,
    _server: GitServer,
    git: Git,
    base: String,
    session: HttpSession,
    path: RepositoryPath,
}

impl Site {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bare: PathBuf = directory.path().join("scm/P/r.git");
        let path = bare.clone();
        tokio::task::spawn_blocking(move || create_repository(&path, 7, &Shape::seeded(7))).await.unwrap();
        let server = GitServer::start(directory.path(), GitServerOptions::default()).await;
        let git = Git::new(bare);
        let base = git.run(&["symbolic-ref", "--short", "HEAD"]).trim().to_owned();
        let session = HttpSession::new(BaseUrl::parse(&server.url()).unwrap());
        let path = RepositoryPath::scm("P", "r");
        Self { _directory: directory, _server: server, git, base, session, path }
    }

    async fn push(&mut self, branch: &str, content: &[u8]) -> Result<e3_git::Push, GitError> {
        let commit = NewCommit {
            file: "e3.txt",
            content,
            message: "Change a file",
            author: "E3 <e3@example.com>",
            seconds: 1_700_000_000,
        };
        push(&mut self.session, &self.path, &self.base, branch, &commit).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_commit_is_what_git_would_have_made() {
    let mut site = Site::new().await;
    let content = "some text\n".repeat(30);
    let pushed = site.push("bugfix/1", content.as_bytes()).await.unwrap();

    site.git.run(&["fsck", "--strict", "--full"]);
    assert_eq!(site.git.run(&["rev-parse", "refs/heads/bugfix/1"]).trim(), pushed.commit.to_string());
    assert_eq!(site.git.run(&["show", "bugfix/1:e3.txt"]).trim_end(), content.trim_end());
    let parent = site.git.run(&["rev-parse", "bugfix/1^"]);
    assert_eq!(parent, site.git.run(&["rev-parse", &site.base]));
    let log = site.git.run(&["log", "-1", "--format=%an %ae %at %s", "bugfix/1"]);
    assert_eq!(log.trim(), "E3 e3@example.com 1700000000 Change a file");
    assert!(pushed.pack_bytes > 0 && pushed.transfer.bytes_out > pushed.pack_bytes);
    assert!(pushed.transfer.first_byte.is_some() && pushed.transfer.phases.server_think_ns > 0);

    // The same branch again is overwritten, as by a forced push.
    let again = site.push("bugfix/1", b"other\n").await.unwrap();
    assert_ne!(again.commit, pushed.commit);
    assert_eq!(site.git.run(&["rev-parse", "bugfix/1"]).trim(), again.commit.to_string());

    site.push("bugfix/2", b"more\n").await.unwrap();
    delete_branches(&mut site.session, &site.path, &["bugfix/1", "never", "bugfix/2"]).await.unwrap();
    assert_eq!(site.git.run(&["for-each-ref", "refs/heads/bugfix"]), "");
    // What is gone already needs no update.
    let gone = delete_branches(&mut site.session, &site.path, &["bugfix/1"]).await.unwrap();
    assert_eq!(gone.transfer.bytes_out, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_the_server_refuses_is_no_success() {
    let mut site = Site::new().await;
    site.git.run(&["config", "receive.denyDeletes", "true"]);
    site.push("kept", b"x\n").await.unwrap();
    let refused = delete_branches(&mut site.session, &site.path, &["kept"]).await.unwrap_err();
    assert!(matches!(&refused, GitError::Refused { branch, .. } if branch == "refs/heads/kept"), "{refused}");
    assert_eq!(refused.outcome(), Outcome::Git);
    assert!(site.git.run(&["for-each-ref", "refs/heads/kept"]).contains("kept"));

    // A name that git does not allow.
    let bad = site.push("a..b", b"x\n").await.unwrap_err();
    assert_eq!(bad.outcome(), Outcome::Git, "{bad}");

    site.base = "no-such-branch".to_owned();
    let lost = site.push("x", b"x\n").await.unwrap_err();
    assert!(matches!(lost, GitError::NoBranch { .. }), "{lost}");
}
