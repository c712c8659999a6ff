//! The real git as a client: what it pushes, how it fails, and what it leaves.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use e3_git::{ForkedGit, ForkedOptions, GitError, NewCommit, SshKey, fetch_tip, push};
use e3_http::BaseUrl;
use e3_model::{Outcome, Secret, SshEndpoint, with_causes};
use e3_testkit::{Git, GitServerOptions, Loopback, Shape, SshdOptions, answer, wait_for, wait_for_blocking};

use crate::{
    nginx::USER,
    site::{Server, Site, endpoint, repository},
};

const BOUND: Duration = Duration::from_secs(20);

async fn pushes_what_the_native_client_pushes<S: Server>(site: &Site<S>) {
    let git = Git::new(site.create("r", 7, Shape { binary_bytes: 20_000, ..Shape::seeded(7) }).await);
    let (forked, remote, repository) = (site.forked(), site.remote(), repository("r"));
    let files = [("b.txt".to_owned(), "text\n".repeat(30).into_bytes()), ("a".to_owned(), b"a\n".to_vec())];
    let commit = NewCommit {
        directory: "e3",
        files: &files,
        message: "Change a file",
        author: "E3 <e3@example.com>",
        seconds: 1_700_000_000,
    };
    let tip = forked.fetch_tip(&repository, "main").await.unwrap();
    assert_eq!(tip.commit.to_string(), git.run(&["rev-parse", "main"]));
    let made = tip.commit(&forked, &commit).await.unwrap();
    let pushed = forked.push(&repository, &made, "bugfix/1").await.unwrap();
    assert_eq!(git.run(&["rev-parse", "refs/heads/bugfix/1"]), pushed.commit.to_string());
    assert_eq!(git.run(&["diff", "--name-status", "main", "bugfix/1"]), "A\te3/a\nA\te3/b.txt");
    let base = fetch_tip(&remote, &repository, "main").await.unwrap();
    let native = push(&remote, &repository, &base, "bugfix/2", &commit).await.unwrap();
    assert_eq!(native.commit, pushed.commit, "the same commit");

    // On top of a pushed tip its directory is replaced; the same branch again is overwritten.
    let tip = forked.fetch_tip(&repository, "bugfix/1").await.unwrap();
    let fewer = NewCommit { files: &files[..1], ..commit };
    let made = tip.commit(&forked, &fewer).await.unwrap();
    for branch in ["bugfix/2", "bugfix/3"] {
        forked.push(&repository, &made, branch).await.unwrap();
        assert_eq!(git.run(&["diff", "--name-status", "bugfix/1", branch]), "D\te3/a");
    }
    forked.delete_branches(&repository, &["bugfix/1", "never", "bugfix/2", "bugfix/3"]).await.unwrap();
    forked.delete_branches(&repository, &["bugfix/1"]).await.unwrap();
    assert_eq!(git.run(&["for-each-ref", "refs/heads/bugfix"]), "");
    git.run(&["fsck", "--strict", "--full"]);

    git.run(&["config", "receive.denyDeletes", "true"]);
    // Git pushes nothing on top of what the server has no more.
    let tip = forked.fetch_tip(&repository, "main").await.unwrap();
    let made = tip.commit(&forked, &commit).await.unwrap();
    forked.push(&repository, &made, "kept").await.unwrap();
    let refused = forked.delete_branches(&repository, &["kept"]).await.unwrap_err();
    assert!(
        matches!(&refused, GitError::Refused { branch, reason, .. } if branch == "refs/heads/kept" && reason.contains("prohibited")),
        "{refused}"
    );
    let bad = forked.push(&repository, &made, "a..b").await.unwrap_err();
    assert_eq!(bad.outcome(), Outcome::Git, "{bad}");
    let lost = forked.fetch_tip(&repository, "ma").await;
    assert!(matches!(lost, Err(GitError::NoBranch { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_pushes_over_http_what_the_native_client_pushes() {
    pushes_what_the_native_client_pushes(&Site::nginx().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_pushes_over_ssh_what_the_native_client_pushes() {
    pushes_what_the_native_client_pushes(&Site::ssh(SshdOptions::default()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_over_http_have_the_native_clients_outcomes() {
    let site = Site::nginx().await;
    let git = Git::new(site.create("r", 1, Shape::seeded(1)).await);
    let base = BaseUrl::parse(&site.server.url()).unwrap();
    let options = ForkedOptions::default();
    let wrong = ForkedGit::http(&base, USER, &Secret::new("wrong-password"), &options).unwrap();
    let error = wrong.ls_remote(&repository("r")).await.unwrap_err();
    assert!(matches!(error, GitError::Unauthorized { .. }), "{error:?}");
    let anonymous = ForkedGit::anonymous_http(&base, &options).unwrap();
    let error = anonymous.clone_bare(&repository("r")).await.err().unwrap();
    assert!(matches!(error, GitError::Unauthorized { .. }), "{error:?}");
    let error = site.forked().clone_bare(&repository("missing")).await.err().unwrap();
    assert!(matches!(error, GitError::NotFound { .. }), "{error:?}");

    let tip = site.forked().fetch_tip(&repository("r"), "main").await.unwrap();
    git.run(&["config", "http.receivepack", "false"]);
    let commit = NewCommit { directory: "d", files: &[], message: "m", author: "E <e@x>", seconds: 1 };
    let made = tip.commit(&site.forked(), &commit).await.unwrap();
    let error = site.forked().push(&repository("r"), &made, "b").await.unwrap_err();
    assert!(matches!(error, GitError::Forbidden { .. }), "{error:?}");

    for (status, outcome) in [(503, Outcome::Http5xx), (429, Outcome::Http429), (200, Outcome::Protocol)] {
        let server = Loopback::serve(move |_| async move { answer(status, &[], "a page\n") }).await;
        let forked = at(&server.url(), &options);
        let error = forked.ls_remote(&repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{status}: {}", with_causes(&error));
    }
    let hangs_up = Loopback::raw(|stream, _| async move { drop(stream) }).await;
    let error = at(&hangs_up.url(), &options).ls_remote(&repository("r")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{}", with_causes(&error));
    let closed = format!("http://127.0.0.1:{}", closed_port());
    let error = at(&closed, &options).ls_remote(&repository("r")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused, "{}", with_causes(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_or_corrupt_pack_is_no_clone() {
    type Change = fn(&[u8]) -> Vec<u8>;
    let cut: Change = |body| body[..body.len() / 2].to_vec();
    let corrupt: Change = |body| {
        let mut body = body.to_vec();
        let middle = body.len() / 2;
        body[middle] ^= 0xff;
        body
    };
    for change in [cut, corrupt] {
        let tamper = move |service: &str, request: &[u8], body: bytes::Bytes| {
            let asks = |words: &[u8]| request.windows(words.len()).any(|window| window == words);
            let is_pack = service == "git-upload-pack" && asks(b"command=fetch");
            if is_pack { change(&body).into() } else { body }
        };
        let tamper = Some(std::sync::Arc::new(tamper) as _);
        let site = Site::http(GitServerOptions { tamper, ..GitServerOptions::default() }).await;
        site.create("r", 2, Shape { binary_bytes: 50_000, ..Shape::seeded(2) }).await;
        let forked = site.forked();
        let error = forked.clone_bare(&repository("r")).await.err().unwrap();
        assert_eq!(error.outcome(), Outcome::Protocol, "{}", with_causes(&error));
        nothing_is_left(&forked).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_over_ssh_have_the_native_clients_outcomes() {
    let site = Site::ssh(SshdOptions::default()).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let options = ForkedOptions::default();
    let error = site.forked().clone_bare(&repository("missing")).await.err().unwrap();
    assert!(
        matches!(&error, GitError::Remote { message, .. } if message.contains("does not appear to be a git repository")),
        "{error:?}"
    );
    let stranger = SshKey::generate().unwrap();
    let denied = ForkedGit::ssh(&endpoint(&site.server), &stranger, &options).unwrap();
    let error = denied.ls_remote(&repository("r")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Git);
    assert!(with_causes(&error).contains("Permission denied"), "{}", with_causes(&error));
    let other = SshEndpoint { host_key: stranger.public(), ..endpoint(&site.server) };
    let changed = ForkedGit::ssh(&other, &stranger, &options).unwrap();
    let error = changed.ls_remote(&repository("r")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Git);
    assert!(with_causes(&error).contains("Host key verification failed"), "{}", with_causes(&error));
    let closed = SshEndpoint { url: format!("ssh://127.0.0.1:{}", closed_port()), ..other };
    let refused = ForkedGit::ssh(&closed, &stranger, &options).unwrap();
    let error = refused.ls_remote(&repository("r")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused, "{}", with_causes(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn git_that_takes_too_long_is_killed_with_its_children() {
    let silent = silent().await;
    let options = ForkedOptions { bound: Duration::from_millis(400), ..ForkedOptions::default() };
    let forked = at(&silent.url(), &options);
    let begun = Instant::now();
    let error = forked.clone_bare(&repository("r")).await.err().unwrap();
    assert_eq!(error.outcome(), Outcome::Timeout, "{error:?}");
    assert!(begun.elapsed() < BOUND);
    nothing_is_left(&forked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_operation_leaves_no_process_and_no_file() {
    let (silent, site) = (
        silent().await,
        Site::ssh(SshdOptions { run: Some("exec cat >/dev/null".to_owned()), ..SshdOptions::default() })
            .await,
    );
    let over_http = {
        let base = BaseUrl::parse(&silent.url()).unwrap();
        ForkedGit::http(&base, "ada", &Secret::new("hunter2"), &ForkedOptions::default()).unwrap()
    };
    for (forked, children) in [(over_http, 2), (site.forked(), 2)] {
        let (git, cloning) = (forked.clone(), repository("r"));
        let begun = wait_for("git and its child", BOUND, || {
            let running = processes(forked.directory());
            std::future::ready(if running.len() >= children { Ok(()) } else { Err(format!("{running:?}")) })
        });
        tokio::select! {
            ended = git.clone_bare(&cloning) => panic!("{:?}", ended.err()),
            () = begun => {}
        }
        drop(git);
        nothing_is_left(&forked).await;
    }
}

#[test]
fn a_runtime_that_ends_leaves_no_process_and_no_file() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let silent = runtime.block_on(silent());
    let forked = at(&silent.url(), &ForkedOptions::default());
    let (git, directory) = (forked.clone(), forked.directory().to_owned());
    runtime.spawn(async move { git.clone_bare(&repository("r")).await.map(drop) });
    wait_for_blocking("git and its child", BOUND, || {
        let running = processes(&directory);
        if running.len() >= 2 { Ok(()) } else { Err(format!("{running:?}")) }
    });
    drop(runtime);
    wait_for_blocking("the end of git", BOUND, || left(&directory));
    drop(forked);
    assert!(!directory.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_see_the_password() {
    let silent = silent().await;
    let base = BaseUrl::parse(&silent.url()).unwrap();
    let forked = ForkedGit::http(&base, "ada", &Secret::new("hunter2"), &ForkedOptions::default()).unwrap();
    let directory = forked.directory().to_owned();
    let looked = wait_for("git and its child", BOUND, || {
        let running = processes(&directory);
        // `ada:hunter2` in base 64.
        let hidden = |text: &str| !text.contains("hunter2") && !text.contains("YWRhOmh1bnRlcjI");
        for (_, seen) in &running {
            assert!(hidden(seen), "{seen}");
        }
        std::future::ready(if running.len() >= 2 { Ok(()) } else { Err(format!("{running:?}")) })
    });
    let asked = repository("r");
    tokio::select! {
        _ = forked.ls_remote(&asked) => panic!("a silent server answered"),
        () = looked => {}
    }
    let text = format!("{forked:?} {}", fs::read_to_string(directory.join("config")).unwrap());
    assert!(text.contains("YWRhOmh1bnRlcjI") && !format!("{forked:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_are_gone_when_they_are_dropped() {
    let site = Site::http(GitServerOptions::default()).await;
    site.create("r", 3, Shape::seeded(3)).await;
    let forked = site.forked();
    let cloned = repository("r");
    let (one, other) = tokio::join!(forked.clone_bare(&cloned), forked.clone_bare(&cloned));
    assert_eq!(one.as_ref().unwrap().objects, other.as_ref().unwrap().objects);
    let directory = forked.directory().to_owned();
    assert!(left(&directory).is_err(), "two clones are there");
    drop((one, other));
    nothing_is_left(&forked).await;
    drop((forked, site));
    assert!(!directory.exists());
}

fn at(url: &str, options: &ForkedOptions<'_>) -> ForkedGit {
    ForkedGit::anonymous_http(&BaseUrl::parse(url).unwrap(), options).unwrap()
}

/// A server that accepts and never says a word.
async fn silent() -> Loopback {
    Loopback::raw(|stream, _| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await
}

fn closed_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

async fn nothing_is_left(forked: &ForkedGit) {
    wait_for("the end of git and its files", BOUND, || std::future::ready(left(forked.directory()))).await;
}

/// Returns what is left beside a client's own files, if anything is.
fn left(directory: &Path) -> Result<(), String> {
    let own: BTreeSet<&str> = ["config", "home", "key", "known_hosts"].into();
    let found: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !own.contains(name.as_str()))
        .collect();
    let running = processes(directory);
    if found.is_empty() && running.is_empty() { Ok(()) } else { Err(format!("{found:?} {running:?}")) }
}

/// Returns the processes whose environment leads to a directory: each with what others can see of it.
fn processes(directory: &Path) -> Vec<(u32, String)> {
    let needle = directory.display().to_string();
    let ids = fs::read_dir("/proc").unwrap().flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| {
        let read = |file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        let arguments = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        environment.contains(&needle).then(|| (id, format!("{arguments}\n{environment}")))
    })
    .collect()
}
