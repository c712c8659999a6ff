//! What keeps a node alive: bounds on children, bodies, heads and time.

use std::time::Duration;

use http::Request;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Place, Server, basic, processes_in, wait_for};

/// Starts a push that never ends, and waits until git runs for it.
pub(crate) async fn hang(place: &Place, server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.host()).await.unwrap();
    let head = format!(
        "POST /scm/PROJ/repo.git/git-receive-pack HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n00a0\r\n",
        server.host(),
        basic()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    wait_for("git to run", || match processes_in(&repositories) {
        found if found.is_empty() => Err("nothing runs".to_owned()),
        found => Ok(found),
    })
    .await;
    stream
}

pub(crate) async fn wait_until_nothing_runs(place: &Place) {
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    wait_for("every git to be gone", || match processes_in(&repositories) {
        found if found.is_empty() => Ok(()),
        found => Err(format!("{found:?}")),
    })
    .await;
}

async fn server_with_repository(place: &Place) -> Server {
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn git_ends_when_its_client_goes_away() {
    let place = Place::new();
    let server = server_with_repository(&place).await;
    drop(hang(&place, &server).await);
    wait_until_nothing_runs(&place).await;

    // The same for a client that stops reading in the middle of a pack.
    place.git(&["init", "--quiet", "--initial-branch=main", "work"]).await;
    let mut noise = vec![0_u8; 24 << 20];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut noise);
    std::fs::write(place.path("work").join("noise"), noise).unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "noise"]).await;
    place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "repo"), "main"]).await;
    let head = place.git(&["-C", "work", "rev-parse", "HEAD"]).await;
    let body = format!("0011command=fetch0001000fno-progress0032want {head}\n0009done\n0000");
    let mut stream = TcpStream::connect(server.host()).await.unwrap();
    let request = format!(
        "POST /scm/PROJ/repo.git/git-upload-pack HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nGit-Protocol: version=2\r\n\
         Content-Type: application/x-git-upload-pack-request\r\nContent-Length: {}\r\n\r\n{body}",
        server.host(),
        basic(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut some = vec![0; 8192];
    let read = stream.read(&mut some).await.unwrap();
    assert!(some[..read].starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&some[..read]));
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    assert!(!processes_in(&repositories).is_empty(), "git waits for its reader");
    drop(stream);
    wait_until_nothing_runs(&place).await;
    assert_eq!(server.get("/rest/api/1.0/projects/PROJ/repos/repo/branches").await.json()["size"], 1);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn git_ends_with_the_front_and_with_the_node() {
    let place = Place::new();
    place.limit(&json!({"shutdownSeconds": 1}));
    let server = server_with_repository(&place).await;
    let front = Server::balance(vec![server.base.clone()]).await;
    drop(hang(&place, &front).await);
    wait_until_nothing_runs(&place).await;
    let stream = hang(&place, &server).await;
    server.stop().await.unwrap();
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    assert_eq!(processes_in(&repositories), Vec::<String>::new(), "nothing runs on when a node has stopped");
    drop(stream);
    front.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_git_than_is_allowed_waits_and_then_hears_503() {
    let place = Place::new();
    place.limit(&json!({"gitProcesses": 1, "gitQueue": 1, "gitWaitSeconds": 1}));
    let server = server_with_repository(&place).await;
    let stream = hang(&place, &server).await;
    let path = "/rest/api/1.0/projects/PROJ/repos/repo/commits";
    let push = || async {
        let request = Request::post(server.url("/scm/PROJ/repo.git/git-receive-pack"));
        let request = request.header("authorization", basic());
        server.send(request.header("content-type", "application/x-git-receive-pack-request"), "0000").await
    };
    let (waited, refused) = tokio::join!(push(), push());
    assert_ne!(server.get(path).await.status, 503, "short commands have tickets of their own");
    for answer in [&waited, &refused] {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(answer.header("retry-after"), "5");
    }
    let texts = waited.text() + &refused.text();
    assert!(texts.contains("1 git operations wait for a scm-hosting ticket already"), "{texts}");
    assert!(texts.contains("waited 1s for a scm-hosting ticket"), "{texts}");
    drop(stream);
    wait_until_nothing_runs(&place).await;
    assert_eq!(push().await.status, 200);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_and_heads_are_bounded() {
    let place = Place::new();
    place.limit(&json!({
        "bodyBytes": 1000, "pushBytes": 100_000, "fetchBytes": 1000, "headerSeconds": 1, "gitIdleSeconds": 1,
    }));
    let server = server_with_repository(&place).await;
    let answer = server
        .post_json("/rest/api/1.0/projects", &json!({"key": "A", "description": "x".repeat(2000)}))
        .await;
    assert_eq!(answer.status, 413);
    place.git(&["init", "--quiet", "--initial-branch=main", "work"]).await;
    let mut noise = vec![0_u8; 300_000];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut noise);
    std::fs::write(place.path("work").join("noise"), noise).unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "noise"]).await;
    let (pushed, _, stderr) =
        place.try_git(&["-C", "work", "push", &server.clone_url("PROJ", "repo"), "main"], &[]).await;
    assert!(!pushed, "a push beyond the bound is refused: {stderr}");
    assert_eq!(server.get("/rest/api/1.0/projects/PROJ/repos/repo/branches").await.json()["size"], 0);
    let request =
        Request::post(server.url("/scm/PROJ/repo.git/git-upload-pack")).header("authorization", basic());
    let request = request.header("content-type", "application/x-git-upload-pack-request");
    assert_eq!(server.send(request, "0".repeat(2000)).await.status, 413);
    wait_until_nothing_runs(&place).await;

    // Nobody may hold a connection by sending a head, or a push, ever so slowly.
    let mut slow = TcpStream::connect(server.host()).await.unwrap();
    slow.write_all(b"GET /status HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), slow.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the connection was closed");
    let mut idle = hang(&place, &server).await;
    let mut rest = [0; 1024];
    let answered =
        tokio::time::timeout(Duration::from_secs(20), idle.read(&mut rest)).await.unwrap().unwrap();
    assert!(rest[..answered].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest[..answered]));
    wait_until_nothing_runs(&place).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_node_finishes_what_it_began() {
    let place = Place::new();
    let server = server_with_repository(&place).await;
    place.history("work", 2).await;
    let url = server.clone_url("PROJ", "repo");
    place.git(&["-C", "work", "push", "--quiet", &url, "main"]).await;
    // The head of a request is sent, its body only once the node is stopping.
    let mut stream = TcpStream::connect(server.host()).await.unwrap();
    let body = "18\r\n0014command=ls-refs\n0000\r\n0\r\n\r\n";
    let request = format!(
        "POST /scm/PROJ/repo.git/git-upload-pack HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nGit-Protocol: version=2\r\n\
         Content-Type: application/x-git-upload-pack-request\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.host(),
        basic()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let repositories = place.home().canonicalize().unwrap().join("repositories");
    wait_for("git to run", || {
        if processes_in(&repositories).is_empty() { Err("nothing".to_owned()) } else { Ok(()) }
    })
    .await;
    let address = server.host().to_owned();
    let stopping = tokio::spawn(server.stop());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(&address).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "waited for the node to listen no more");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("refs/heads/main"), "{answer}");
    stopping.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_reaches_a_client_that_still_sends() {
    let place = Place::new();
    let server = server_with_repository(&place).await;
    let front = Server::balance(vec![server.base.clone()]).await;
    let large = bytes::Bytes::from(vec![b'a'; 8 << 20]);
    for _ in 0..3 {
        for at in [&server, &front] {
            let cases = [
                ("/rest/api/1.0/projects", "application/json", basic(), 413),
                ("/rest/api/1.0/admin/users?name=x", "application/json", basic(), 400),
                ("/nowhere", "text/plain", basic(), 404),
                ("/status", "text/plain", basic(), 405),
                ("/scm/PROJ/repo.git/git-receive-pack", "text/plain", basic(), 415),
                (
                    "/scm/PROJ/repo.git/git-receive-pack",
                    "application/x-git-receive-pack-request",
                    "Basic eDp5".into(),
                    401,
                ),
            ];
            for (path, kind, authorization, status) in cases {
                let request = Request::post(at.url(path)).header("authorization", authorization);
                let answer = at.send(request.header("content-type", kind), large.clone()).await;
                assert_eq!(answer.status, status, "{path}");
            }
        }
    }
    front.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_git_would_not_send_is_the_clients_fault() {
    let place = Place::new();
    let server = server_with_repository(&place).await;
    for service in ["upload-pack", "receive-pack"] {
        for body in ["", "0", "zzzz", "0003", "ffff", "-001", "0012command=evil\n0000", "000bnothing0000"] {
            let request = Request::post(server.url(&format!("/scm/PROJ/repo.git/git-{service}")))
                .header("authorization", basic())
                .header("content-type", format!("application/x-git-{service}-request"));
            let answer = server.send(request, body).await;
            assert_eq!(answer.status, 400, "{service} {body:?}: {}", answer.text());
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_repository_is_told_in_the_form_that_was_asked_for() {
    let place = Place::new();
    let server = server_with_repository(&place).await;
    std::fs::write(place.home().join("repositories/1.git/HEAD"), [0xff; 40]).unwrap();
    let cases = [
        ("/projects/PROJ/repos/repo/browse", "text/html"),
        ("/projects/PROJ/repos/repo/branches", "text/html"),
        ("/rest/api/1.0/projects/PROJ/repos/repo/branches", "application/json"),
        ("/scm/PROJ/repo.git/info/refs?service=git-upload-pack", "text/plain"),
    ];
    for (path, kind) in cases {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 500, "{path}");
        assert!(answer.header("content-type").starts_with(kind), "{path}: {}", answer.header("content-type"));
        assert!(!answer.text().contains("repositories/"), "no path of the server is told");
    }
    assert_eq!(server.get("/projects/PROJ").await.status, 200, "the rest goes on");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_connections_make_way_and_a_request_under_way_does_not() {
    let place = Place::new();
    place.limit(&json!({"connections": 3}));
    let server = server_with_repository(&place).await;
    // A push that lasts takes one place; kept connections would like all others.
    let mut busy = hang(&place, &server).await;
    let mut kept = Vec::new();
    for n in 0..6 {
        let mut stream = TcpStream::connect(server.host()).await.unwrap();
        stream.write_all(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut head = [0; 15];
        let answered = tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut head)).await;
        answered.expect("an answer within the bound").unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK", "newcomer {n}");
        kept.push(stream);
    }
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), kept[0].read_to_end(&mut rest)).await;
    ended.expect("the first was let go").unwrap();
    assert!(rest.ends_with(br#"{"state":"RUNNING"}"#), "after its whole answer");
    busy.write_all(b"0\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    tokio::time::timeout(Duration::from_secs(20), busy.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 400", "the push was still under way, and is now told what is wrong with it");
    wait_until_nothing_runs(&place).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_is_too_large_is_told_so_by_http_and_ssh() {
    let place = Place::new();
    place.limit(&json!({"pushBytes": 1 << 20}));
    let server = Server::start_with_ssh(&place.home(), "1").await;
    let key = crate::ssh::Key::new(&place, "key", &[&server]).await.registered(&server).await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    place.history("work", 1).await;
    let urls = [server.clone_url("PROJ", "repo"), server.ssh_url("PROJ", "repo")];
    for (n, url) in urls.iter().enumerate() {
        place.git(&["-C", "work", "checkout", "--quiet", "-B", "large", "main"]).await;
        let mut noise = vec![0_u8; 3 << 20];
        rand::Rng::fill_bytes(&mut rand::rng(), &mut noise);
        std::fs::write(place.path("work/noise"), noise).unwrap();
        place.git(&["-C", "work", "add", "."]).await;
        place.git(&["-C", "work", "commit", "--quiet", "-m", "noise"]).await;
        let (pushed, _, stderr) = key.git(&place, &["-C", "work", "push", url, "large"]).await;
        let told = if n == 0 { "413" } else { "The request's body is too large." };
        assert!(!pushed && stderr.contains(told), "{stderr}");
        // What fits still comes in, and nothing of the other has.
        place.git(&["-C", "work", "checkout", "--quiet", "main"]).await;
        let branch = format!("main:small-{n}");
        let (pushed, _, stderr) = key.git(&place, &["-C", "work", "push", "--quiet", url, &branch]).await;
        assert!(pushed, "{stderr}");
        let listed = place.git(&["ls-remote", &urls[0]]).await;
        assert!(!listed.contains("large") && listed.contains(&format!("small-{n}")), "{listed}");
    }
    wait_until_nothing_runs(&place).await;
    let repository = place.home().canonicalize().unwrap().join("repositories/1.git");
    let objects = std::fs::read_dir(repository.join("objects")).unwrap().flatten();
    let names: Vec<_> = objects.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains("incoming")), "{names:?}");
    server.stop().await.unwrap();
}
