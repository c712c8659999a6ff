//! Clients that mean harm, or break off: what they are told, and that nothing is left of them. Over HTTP and SSH alike.

use std::time::Duration;

use http::Request;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Place, Server, basic, processes_in, wait_for};
use crate::ssh::Key;

async fn server_with_history(place: &Place) -> (Server, Key) {
    let server = Server::start_with_ssh(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    place.history("work", 3).await;
    place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "repo"), "main"]).await;
    let key = Key::new(place, "key", &[&server]).await.registered(&server).await;
    (server, key)
}

async fn post(server: &Server, service: &str, protocol: &str, body: Vec<u8>) -> Answer {
    let request = Request::post(server.url(&format!("/scm/PROJ/repo.git/git-{service}")));
    let request = request.header("authorization", basic()).header("git-protocol", protocol);
    server.send(request.header("content-type", format!("application/x-git-{service}-request")), body).await
}

/// Waits until git has begun to take a push in.
async fn git_has_begun(place: &Place) {
    let objects = place.home().canonicalize().unwrap().join("repositories/1.git/objects");
    wait_for("a quarantine", || {
        let names = std::fs::read_dir(&objects).unwrap().flatten().map(|entry| entry.file_name());
        let names: Vec<_> = names.collect();
        if names.iter().any(|name| name.to_string_lossy().contains("incoming")) {
            Ok(())
        } else {
            Err(format!("{names:?}"))
        }
    })
    .await;
}

/// Waits until no git runs, and checks that none of them has left anything in the repository.
async fn nothing_is_left(place: &Place) {
    let repository = place.home().canonicalize().unwrap().join("repositories/1.git");
    wait_for("every git to be gone", || match processes_in(&repository) {
        found if found.is_empty() => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
    let objects = std::fs::read_dir(repository.join("objects")).unwrap().flatten();
    let names: Vec<_> = objects.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.contains("incoming") && !name.starts_with("tmp_")), "{names:?}");
    let packs = std::fs::read_dir(repository.join("objects/pack")).unwrap().flatten();
    let names: Vec<_> = packs.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.starts_with("tmp_")), "{names:?}");
    place.git(&["-C", repository.to_str().unwrap(), "fsck", "--strict"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_are_refused() {
    let place = Place::new();
    let (server, key) = server_with_history(&place).await;
    let zeros = "0".repeat(40);
    let cases: [(&str, &str, Vec<u8>); 11] = [
        ("upload-pack", "version=2", b"zzzz".to_vec()),
        ("upload-pack", "version=2", b"0003".to_vec()),
        ("upload-pack", "version=2", b"ffff".to_vec()),
        ("upload-pack", "version=2", b"0014command=ls-refs\n".to_vec()),
        ("upload-pack", "version=2", b"0014command=ls-refs\n0001000awhat\n0000".to_vec()),
        ("upload-pack", "version=2", b"0011command=what\n0000".to_vec()),
        ("upload-pack", "version=2", b"0012command=fetch\n0001000awhat\n0000".to_vec()),
        ("upload-pack", "version=0", b"0032want 1234\n0000".to_vec()),
        ("upload-pack", "version=0", b"-001".to_vec()),
        ("receive-pack", "version=0", b"000awhat\n0000".to_vec()),
        ("receive-pack", "version=0", format!("00a0{zeros} {zeros}").into_bytes()),
    ];
    for (service, protocol, body) in &cases {
        let shown = body.escape_ascii();
        let answer = post(&server, service, protocol, body.clone()).await;
        assert!(
            matches!(answer.status.as_u16(), 200 | 400),
            "{service} {shown}: {} {}",
            answer.status,
            answer.text()
        );
        let text = answer.text();
        let ours = text.trim() == "This is not a request that git makes.";
        // What git itself says to the client is an answer too: an ERR packet.
        assert!(ours || text.contains("ERR "), "{service} {shown}: {text}");
        let line = format!("git-{service} 'PROJ/repo'");
        let (code, stderr) = key.talk(&server, protocol, &line, body).await;
        let refused = (Some(128), "This is not a request that git makes.");
        assert_eq!((code, stderr.trim()), refused, "{service} {protocol} {shown}");
    }
    nothing_is_left(&place).await;
    place.git(&["ls-remote", &server.clone_url("PROJ", "repo")]).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversize_want_lists_are_cut_off() {
    let place = Place::new();
    place.limit(&json!({"fetchBytes": 100_000}));
    let (server, key) = server_with_history(&place).await;
    let head = place.git(&["-C", "work", "rev-parse", "HEAD"]).await;
    let mut body = b"0012command=fetch\n0001".to_vec();
    for _ in 0..4000 {
        body.extend_from_slice(format!("0032want {head}\n").as_bytes());
    }
    let answer = post(&server, "upload-pack", "version=2", body.clone()).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    let (code, stderr) = key.talk(&server, "version=2", "git-upload-pack 'PROJ/repo'", &body).await;
    assert_eq!((code, stderr.trim()), (Some(128), "The request's body is too large."));
    nothing_is_left(&place).await;
    let (success, _, stderr) =
        key.git(&place, &["clone", "--quiet", &server.ssh_url("PROJ", "repo"), "clone"]).await;
    assert!(success, "{stderr}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_is_cut_off_leaves_nothing() {
    let place = Place::new();
    let (server, key) = server_with_history(&place).await;
    // A pack of some size, of which only the half arrives.
    let mut noise = vec![0_u8; 4 << 20];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut noise);
    std::fs::write(place.path("work/noise"), &noise).unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "noise"]).await;
    let head = place.git(&["-C", "work", "rev-parse", "HEAD"]).await;
    place.git(&["-C", "work", "repack", "-a", "-d", "--quiet"]).await;
    let packs = std::fs::read_dir(place.path("work/.git/objects/pack")).unwrap().flatten();
    let pack = packs.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "pack"));
    let pack = std::fs::read(pack.unwrap()).unwrap();
    let command = format!("{} {head} refs/heads/cut\0report-status", "0".repeat(40));
    let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    body.extend_from_slice(&pack[..pack.len() / 2]);

    let mut stream = TcpStream::connect(server.host()).await.unwrap();
    let head = format!(
        "POST /scm/PROJ/repo.git/git-receive-pack HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nContent-Length: {}\r\n\r\n",
        server.host(),
        basic(),
        body.len() * 2
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    git_has_begun(&place).await;
    drop(stream);
    nothing_is_left(&place).await;

    // By SSH: once with an end of file, once with the end of the connection.
    let said = key.exec(&server, "version=0", "git-receive-pack 'PROJ/repo'", &body).await;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("ng refs/heads/cut"), "git reports that it has not taken it: {said}");
    nothing_is_left(&place).await;
    let mut child = key.begin(&server, "git-receive-pack 'PROJ/repo'").await;
    child.stdin.as_mut().unwrap().write_all(&body).await.unwrap();
    git_has_begun(&place).await;
    child.kill().await.unwrap();
    nothing_is_left(&place).await;
    let listed = place.git(&["ls-remote", &server.clone_url("PROJ", "repo")]).await;
    assert!(!listed.contains("refs/heads/cut"), "{listed}");
    place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "repo"), "main:cut"]).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_pushes_one_wins() {
    let place = Place::new();
    let (server, key) = server_with_history(&place).await;
    let (http, ssh) = (server.clone_url("PROJ", "repo"), server.ssh_url("PROJ", "repo"));
    for n in 0..6 {
        let name = format!("racer-{n}");
        place.git(&["clone", "--quiet", &http, &name]).await;
        place.git(&["-C", &name, "commit", "--quiet", "--allow-empty", "-m", &name]).await;
    }
    let race = (0..6).map(|n| {
        let (name, url) = (format!("racer-{n}"), if n % 2 == 0 { &http } else { &ssh });
        let (key, place) = (&key, &place);
        async move { key.git(place, &["-C", &name, "push", "--quiet", url, "main"]).await }
    });
    let ended = futures_util::future::join_all(race).await;
    let winners: Vec<usize> = (0..6).filter(|n| ended[*n].0).collect();
    assert_eq!(winners.len(), 1, "{ended:?}");
    for (success, _, stderr) in &ended {
        assert!(
            *success || stderr.contains("rejected") || stderr.contains("failed to update ref"),
            "{stderr}"
        );
    }
    let winner = place.git(&["-C", &format!("racer-{}", winners[0]), "rev-parse", "HEAD"]).await;
    for url in [&http, &ssh] {
        let listed = key.git(&place, &["ls-remote", url, "refs/heads/main"]).await.1;
        assert!(listed.starts_with(&winner), "{listed}");
    }
    nothing_is_left(&place).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_idle_connections_keep_nobody_out() {
    let place = Place::new();
    place.limit(&json!({"sshSignInSeconds": 5}));
    let (server, key) = server_with_history(&place).await;
    let address = format!("127.0.0.1:{}", server.ssh_port());
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    for n in 0..3 {
        let target = format!("clone-{n}");
        let (success, _, stderr) =
            key.git(&place, &["clone", "--quiet", &server.ssh_url("PROJ", "repo"), &target]).await;
        assert!(success, "{stderr}");
    }
    // The server does not keep them for long.
    for mut stream in idle {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
        let _ = ended.expect("the server hangs up");
    }
    nothing_is_left(&place).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_in_and_does_nothing_makes_way_and_who_pushes_does_not() {
    let place = Place::new();
    place.limit(&json!({"sshConnections": 3}));
    let (server, key) = server_with_history(&place).await;
    let mut busy = key.begin(&server, "git-receive-pack 'PROJ/repo'").await;
    let mut length = [0; 4];
    let begun = busy.stdout.as_mut().unwrap().read_exact(&mut length);
    tokio::time::timeout(Duration::from_secs(20), begun).await.expect("refs in time").unwrap();
    let signed_in = [place.path("first"), place.path("second")];
    let mut idle: Vec<_> = signed_in.iter().map(|path| key.rest(&server, path)).collect();
    // The second may have to wait until the first has been asked to leave.
    wait_for("both to sign in", || {
        let missing: Vec<_> = signed_in.iter().filter(|path| !path.exists()).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?}")) }
    })
    .await;
    for n in 0..3 {
        let target = format!("clone-{n}");
        let (success, _, stderr) =
            key.git(&place, &["clone", "--quiet", &server.ssh_url("PROJ", "repo"), &target]).await;
        assert!(success, "{stderr}");
    }
    for child in &mut idle {
        let ended = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
        assert_eq!(ended.expect("it was asked to leave").unwrap().code(), Some(255));
    }
    // A push that was begun before all of that is taken to its end.
    busy.stdin.take().unwrap().write_all(b"0000").await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), busy.wait_with_output()).await;
    assert_eq!(ended.expect("git ends").unwrap().status.code(), Some(0));
    server.stop().await.unwrap();
}
