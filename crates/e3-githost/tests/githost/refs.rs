//! What the server says about refs without git is what git says, byte for byte, and never old.

use std::process::Stdio;

use bytes::Bytes;
use http::Request;
use tokio::io::AsyncWriteExt;

use crate::harness::{Place, Server, basic};
use crate::ssh::Key;

/// What the server tells its git.
const SETTINGS: [&str; 8] = [
    "-c",
    "uploadpack.allowFilter=true",
    "-c",
    "uploadpack.allowAnySHA1InWant=true",
    "-c",
    "receive.fsckObjects=true",
    "-c",
    "receive.shallowUpdate=false",
];

/// Requests for refs: as git sends them, and in corners.
fn requests() -> Vec<Vec<u8>> {
    let lines = [
        &["command=ls-refs", "agent=git/x", "object-format=sha1", "|", "peel", "symrefs", "unborn", "."][..],
        &["command=ls-refs", "|", "peel", "symrefs", "."],
        &["command=ls-refs", "|", "symrefs", "unborn", "ref-prefix HEAD", "."],
        &["command=ls-refs", "|", "peel", "ref-prefix refs/tags/", "."],
        &["command=ls-refs", "|", "unborn", "ref-prefix refs/heads/", "ref-prefix refs/heads/feature", "."],
        &[
            "command=ls-refs",
            "server-option=x",
            "|",
            "ref-prefix refs/tags/v1",
            "ref-prefix refs/heads/m",
            ".",
        ],
        &["command=ls-refs", "|", "ref-prefix nothing", "."],
        &["command=ls-refs", "|", "ref-prefix ", "."],
        &["command=ls-refs", "."],
    ];
    let line = |line: &&str| match *line {
        "|" => b"0001".to_vec(),
        "." => b"0000".to_vec(),
        text => format!("{:04x}{text}\n", text.len() + 5).into_bytes(),
    };
    lines.iter().map(|lines| lines.iter().flat_map(line).collect()).collect()
}

/// Runs a service of git on the repository itself and returns what it says.
async fn by_git(place: &Place, repository: &str, words: &[&str], (protocol, input): (&str, &[u8])) -> Bytes {
    let arguments = [&SETTINGS[..], words, &[repository]].concat();
    let mut command = place.command(&arguments, &[("GIT_PROTOCOL", protocol)]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).await.unwrap();
    child.wait_with_output().await.unwrap().stdout.into()
}

async fn advertised(server: &Server, service: &str, protocol: &str) -> Bytes {
    let path = format!("/scm/PROJ/repo.git/info/refs?service=git-{service}");
    let request = Request::get(server.url(&path)).header("authorization", basic());
    let answer = server.send(request.header("git-protocol", protocol), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), format!("application/x-git-{service}-advertisement"));
    let before = format!("# service=git-{service}\n");
    let before = format!("{:04x}{before}0000", before.len() + 4);
    answer.body.strip_prefix(before.as_bytes()).map_or(answer.body.clone(), Bytes::copy_from_slice)
}

async fn listed(server: &Server, request: &[u8]) -> Bytes {
    let post =
        Request::post(server.url("/scm/PROJ/repo.git/git-upload-pack")).header("authorization", basic());
    let post = post.header("content-type", "application/x-git-upload-pack-request");
    let answer = server.send(post.header("git-protocol", "version=2"), request.to_vec()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/x-git-upload-pack-result");
    answer.body
}

fn show(data: &Bytes) -> String {
    data.escape_ascii().to_string().replace("\\n", "\n")
}

/// Compares everything that the server says over HTTP.
async fn compare(place: &Place, server: &Server, repository: &str, shape: &str) {
    for (service, protocol) in [
        ("upload-pack", "version=0"),
        ("upload-pack", "version=1"),
        ("upload-pack", "version=2"),
        ("receive-pack", "version=2"),
    ] {
        let words = [service, "--stateless-rpc", "--http-backend-info-refs"];
        let expected = by_git(place, repository, &words, (protocol, b"")).await;
        let found = advertised(server, service, protocol).await;
        assert_eq!(show(&found), show(&expected), "{shape}: {service} {protocol}");
    }
    for request in requests() {
        let expected =
            by_git(place, repository, &["upload-pack", "--stateless-rpc"], ("version=2", &request)).await;
        let found = listed(server, &request).await;
        assert_eq!(show(&found), show(&expected), "{shape}: {}", request.escape_ascii());
    }
}

async fn server_with_repository(place: &Place) -> (Server, String) {
    let server = Server::start_with_ssh(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let repository = place.home().canonicalize().unwrap().join("repositories/1.git");
    (server, repository.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refs_are_told_as_git_tells_them() {
    let place = Place::new();
    let (server, repository) = server_with_repository(&place).await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    place.history("work", 3).await;
    let path = place.path("work").to_str().unwrap().to_owned();
    let git = async |words: &[&str]| place.git(&[&["-C", repository.as_str()][..], words].concat()).await;
    // Each shape begins with what the one before has left.
    let shapes: [(&str, &[&[&str]]); 14] = [
        ("empty", &[]),
        ("only a tag", &[&["fetch", "--quiet", &path, "HEAD:refs/tags/light"]]),
        ("one branch", &[&["fetch", "--quiet", &path, "HEAD:refs/heads/master"]]),
        (
            "more branches",
            &[
                &["update-ref", "refs/heads/feature/a", "master~1"],
                &["update-ref", "refs/heads/feature-b", "master"],
                &["update-ref", "refs/heads/feature.c", "master"],
                &["update-ref", "refs/heads/feature/deep/down", "master~2"],
                &["update-ref", "refs/heads/ä@x{y", "master"],
                &["update-ref", "refs/notes/commits", "master"],
                &["update-ref", "refs/pull-requests/1/from", "master~1"],
            ],
        ),
        (
            "annotated tags",
            &[
                &["tag", "-a", "-m", "one", "v1", "master~1"],
                &["tag", "-a", "-m", "tag of a tag", "v1-again", "v1"],
                &["tag", "-a", "-m", "tag of a tree", "tree", "master^{tree}"],
                &["update-ref", "refs/tags/blob", "master:file-0.txt"],
            ],
        ),
        ("packed", &[&["pack-refs", "--all"]]),
        (
            "packed and loose",
            &[
                &["update-ref", "refs/heads/master", "master~1"],
                &["update-ref", "-d", "refs/heads/feature/a"],
                &["tag", "-a", "-m", "later", "v2", "master"],
            ],
        ),
        ("objects packed", &[&["repack", "-a", "-d", "--quiet"]]),
        (
            "packed objects, loose refs",
            &[
                &["tag", "-a", "-m", "in a pack", "v3", "master"],
                &["repack", "-a", "-d", "--quiet"],
                &["update-ref", "refs/tags/v4", "v3"],
            ],
        ),
        (
            "symbolic refs",
            &[
                &["symbolic-ref", "refs/heads/alias", "refs/heads/master"],
                &["symbolic-ref", "refs/heads/alias-of-alias", "refs/heads/alias"],
                &["symbolic-ref", "refs/heads/dangling", "refs/heads/nowhere"],
                &["symbolic-ref", "HEAD", "refs/heads/alias"],
            ],
        ),
        ("unborn", &[&["symbolic-ref", "HEAD", "refs/heads/not/yet"]]),
        ("detached", &[&["update-ref", "--no-deref", "HEAD", "master"]]),
        ("head is a tag", &[&["update-ref", "--no-deref", "HEAD", "v1-again^{}"]]),
        ("usual again", &[&["symbolic-ref", "HEAD", "refs/heads/master"]]),
    ];
    for (shape, steps) in shapes {
        for step in steps {
            git(step).await;
        }
        // At once, when the changes are of this moment, and as it is kept.
        for _ in 0..3 {
            compare(&place, &server, &repository, shape).await;
        }
        let v2: Vec<u8> = [requests().concat().as_slice(), b"0000"].concat();
        for (service, protocol, input) in [
            ("upload-pack", "version=0", &b"0000"[..]),
            ("upload-pack", "version=1", b"0000"),
            ("upload-pack", "version=2", &v2),
            ("receive-pack", "version=0", b"0000"),
        ] {
            let expected = by_git(&place, &repository, &[service], (protocol, input)).await;
            let found = key.exec(&server, protocol, &format!("git-{service} '/PROJ/repo.git'"), input).await;
            assert_eq!(show(&found), show(&expected), "{shape}: {service} {protocol} over SSH");
        }
    }

    // What is unusual is left to git, and so is the same too.
    for (shape, setting, value) in [
        ("hidden refs", "transfer.hideRefs", "refs/heads/feature"),
        ("sids", "transfer.advertiseSID", "false"),
    ] {
        git(&["config", setting, value]).await;
        compare(&place, &server, &repository, shape).await;
        git(&["config", "--unset", setting]).await;
    }
    std::fs::write(format!("{repository}/refs/heads/broken"), "what\n").unwrap();
    compare(&place, &server, &repository, "a broken ref").await;
    std::fs::write(format!("{repository}/refs/heads/broken"), format!("{}\n", "1".repeat(40))).unwrap();
    compare(&place, &server, &repository, "a ref to a missing object").await;
    std::fs::remove_file(format!("{repository}/refs/heads/broken")).unwrap();
    compare(&place, &server, &repository, "mended").await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_on_disk_is_ever_missed() {
    let place = Place::new();
    let (server, repository) = server_with_repository(&place).await;
    let two = Server::start(&place.home(), "2").await;
    place.history("work", 2).await;
    place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "repo"), "main"]).await;
    let commits = [
        place.git(&["-C", "work", "rev-parse", "HEAD"]).await,
        place.git(&["-C", "work", "rev-parse", "HEAD~1"]).await,
    ];
    let request = &requests()[0];
    let at = |data: &Bytes| {
        let text = String::from_utf8_lossy(data).into_owned();
        text.lines().find(|line| line.ends_with(" refs/heads/moving")).map(|line| line[4..44].to_owned())
    };
    for n in 0..120 {
        // As fast as it goes, so that some changes fall into one tick of the clock.
        match n % 10 {
            3 => drop(place.git(&["-C", &repository, "pack-refs", "--all"]).await),
            6 => drop(place.git(&["-C", &repository, "update-ref", "-d", "refs/heads/moving"]).await),
            _ => {
                let commit = &commits[n % 2];
                place.git(&["-C", &repository, "update-ref", "refs/heads/moving", commit]).await;
                for server in [&server, &two] {
                    assert_eq!(at(&listed(server, request).await).as_ref(), Some(commit), "{n}");
                }
            }
        }
        if n % 10 == 6 {
            assert_eq!(at(&listed(&server, request).await), None, "{n}");
        }
        // The file itself, without git's care for directories.
        let loose = format!("{repository}/refs/heads/moving");
        if n % 10 == 8 && std::path::Path::new(&loose).exists() {
            for commit in &commits {
                std::fs::write(&loose, format!("{commit}\n")).unwrap();
                assert_eq!(at(&listed(&server, request).await).as_ref(), Some(commit), "{n}");
            }
        }
    }
    server.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_asks_needs_no_turn() {
    let place = Place::new();
    place.limit(&serde_json::json!({"gitProcesses": 1, "gitQueue": 0, "gitWaitSeconds": 1}));
    let (server, repository) = server_with_repository(&place).await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    place.history("work", 2).await;
    let (http, ssh) = (server.clone_url("PROJ", "repo"), server.ssh_url("PROJ", "repo"));
    place.git(&["-C", "work", "push", "--quiet", &http, "main"]).await;
    let expected = place.git(&["ls-remote", &repository]).await;
    for protocol in ["0", "2"] {
        let version = format!("protocol.version={protocol}");
        // Git is heard once for each form.
        assert_eq!(place.git(&["-c", &version, "ls-remote", &http]).await, expected);
        assert_eq!(key.git(&place, &["-c", &version, "ls-remote", &ssh]).await.1.trim(), expected);
    }
    let mut hanging = key.begin(&server, "git-receive-pack 'PROJ/repo'").await;
    hanging.stdin.as_mut().unwrap().write_all(b"00a0").await.unwrap();
    crate::harness::wait_for("git to run", || {
        match crate::harness::processes_in(std::path::Path::new(&repository)) {
            found if found.iter().any(|line| line.contains("receive-pack")) => Ok(()),
            found => Err(format!("{found:?}")),
        }
    })
    .await;
    for protocol in ["0", "2"] {
        let version = format!("protocol.version={protocol}");
        assert_eq!(place.git(&["-c", &version, "ls-remote", &http]).await, expected);
        assert_eq!(key.git(&place, &["-c", &version, "ls-remote", &ssh]).await.1.trim(), expected);
    }
    let clone = place.try_git(&["clone", &http, "clone"], &[]).await;
    assert!(!clone.0 && clone.2.contains("503"), "a clone does need one: {}", clone.2);
    hanging.kill().await.unwrap();
    server.stop().await.unwrap();
}
