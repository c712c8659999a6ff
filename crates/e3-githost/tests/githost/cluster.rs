//! Several nodes on one home, and the front before them.

use std::time::Duration;

use e3_githost::{BalanceOptions, GithostError};
use http::Request;
use serde_json::json;

use crate::harness::{PASSWORD, Place, Server, authorization, options, wait_for};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_serves_any_request() {
    let place = Place::new();
    let home = place.home();
    // Both at once, on a home that does not exist yet.
    let (one, two) = tokio::join!(Server::start(&home, "1"), Server::start(&home, "2"));
    one.create_user("ada", "secret").await;
    let cookie = two.sign_in("ada", "secret").await;
    assert_eq!(one.fetch_with_cookie("/rest/api/1.0/projects", &cookie).await.status, 200);
    two.create_project("PROJ").await;
    one.create_repository("PROJ", "repo").await;
    place.history("work", 3).await;
    place.git(&["-C", "work", "push", "--quiet", &two.clone_url("PROJ", "repo"), "main"]).await;
    place.git(&["clone", "--quiet", &one.clone_url("PROJ", "repo"), "clone"]).await;
    assert!(place.path("clone").join("file-2.txt").exists());

    // Many repositories made on both nodes at the same time.
    let make = async |server: &Server, prefix: &str| {
        for n in 0..8 {
            server.create_repository("PROJ", &format!("{prefix}-{n}")).await;
        }
    };
    tokio::join!(make(&one, "left"), make(&two, "right"));
    assert_eq!(one.get("/rest/api/1.0/projects/PROJ/repos?limit=100").await.json()["size"], 17);
    assert_eq!(two.fetch_with_cookie("/j_atl_security_logout", &cookie).await.status, 302);
    assert_eq!(one.fetch_with_cookie("/rest/api/1.0/projects", &cookie).await.status, 401);
    one.stop().await.unwrap();
    assert_eq!(two.get("/rest/api/1.0/projects/PROJ/repos/left-7").await.status, 200);
    two.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_start_changes_the_administrators_password() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_project("PROJ").await;
    let cookie = server.sign_in("admin", PASSWORD).await;
    let second = Server::start_with_password(&place.home(), "2", "changed").await;
    let status = async |server: &Server, password: &str| {
        let request = Request::get(server.url("/rest/api/1.0/projects/PROJ"));
        server
            .send(request.header("authorization", authorization("admin", password)), "")
            .await
            .status
            .as_u16()
    };
    assert_eq!(status(&second, "changed").await, 200);
    assert_eq!(status(&server, "changed").await, 200, "the first node knows it too");
    assert_eq!(status(&server, PASSWORD).await, 401, "and has forgotten the old one");
    assert_eq!(
        server.fetch_with_cookie("/rest/api/1.0/projects", &cookie).await.status,
        401,
        "with its sessions"
    );
    server.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_front_goes_on_when_a_node_dies() {
    let place = Place::new();
    let home = place.home();
    let (one, two) = tokio::join!(Server::start(&home, "1"), Server::start(&home, "2"));
    let front = Server::balance(vec![one.base.clone(), two.base.clone()]).await;
    front.create_project("PROJ").await;
    let repository = front.create_repository("PROJ", "repo").await;
    let clone = repository["links"]["clone"][0]["href"].as_str().unwrap();
    assert_eq!(clone, front.url("/scm/proj/repo.git"), "links lead to the front, not to the node");
    let cookie = front.sign_in("admin", PASSWORD).await;
    let node_of = |id: &str| id.split('x').next().unwrap().to_owned();
    let mut nodes = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let answer = front.fetch_with_cookie("/rest/api/1.0/projects", &cookie).await;
        assert_eq!(answer.status, 200);
        nodes.insert(node_of(answer.header("x-arequestid")));
    }
    assert_eq!(nodes.into_iter().collect::<Vec<_>>(), ["@1", "@2"], "the requests went round");
    place.history("work", 4).await;
    place
        .git(&[
            "-C",
            "work",
            "-c",
            "http.postBuffer=65536",
            "push",
            "--quiet",
            &front.clone_url("PROJ", "repo"),
            "main",
        ])
        .await;

    one.crash().await;
    for _ in 0..6 {
        let answer = front.fetch_with_cookie("/rest/api/1.0/projects", &cookie).await;
        assert_eq!((answer.status.as_u16(), node_of(answer.header("x-arequestid")).as_str()), (200, "@2"));
        let made = front.post_json("/rest/api/1.0/projects", &json!({"key": "PROJ"})).await;
        assert_eq!(made.status, 409, "a body that was not sent anywhere goes to the node that lives");
    }
    place.git(&["clone", "--quiet", &front.clone_url("PROJ", "repo"), "clone"]).await;
    assert_eq!(place.git(&["-C", "clone", "rev-list", "--count", "HEAD"]).await, "4");
    assert_eq!(front.fetch_anonymous("/status").await.text(), r#"{"state":"RUNNING"}"#);

    two.stop().await.unwrap();
    let answer = front.get("/rest/api/1.0/projects").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    assert_eq!(front.fetch_anonymous("/status").await.status, 503);
    let three = Server::start(&home, "3").await;
    let late = Server::balance(vec!["http://127.0.0.1:1".into(), three.base.clone()]).await;
    assert_eq!(late.get("/rest/api/1.0/projects/PROJ").await.status, 200, "one of two is enough");
    late.stop().await.unwrap();
    three.stop().await.unwrap();
    front.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_front_keeps_no_more_connections_than_it_needs_at_once() {
    let place = Place::new();
    let node = Server::start(&place.home(), "1").await;
    let front = Server::balance(vec![node.base.clone()]).await;
    for n in 0..20 {
        front.create_project(&format!("P{n}")).await;
        assert_eq!(front.get(&format!("/rest/api/1.0/projects/P{n}")).await.status, 200);
    }
    // Source: proc_net(5): the other end's port in hexadecimal, 01 for an established connection.
    let port = node.host().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let end = format!(":{port:04X} 01 ");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let open = table.lines().filter(|line| line.contains(&end)).count();
        // One that is kept, and one that asks how the node is.
        if open <= 2 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{open} connections after requests one by one");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    front.stop().await.unwrap();
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_back_is_used_again() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let address = server.host().parse().unwrap();
    let front = Server::balance(vec![server.base.clone()]).await;
    assert_eq!(front.fetch_anonymous("/status").await.status, 200);
    server.stop().await.unwrap();
    assert_eq!(front.fetch_anonymous("/login").await.status, 503);
    let mut options = options(&place.home(), "1", PASSWORD);
    options.http = address;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(e3_githost::serve(options, |_| {}, async { drop(stopped.await) }));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while front.fetch_anonymous("/status").await.status != 200 {
        assert!(tokio::time::Instant::now() < deadline, "waited for the front to see the node again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(front.fetch_anonymous("/login").await.status, 200);
    drop(stop);
    task.await.unwrap().unwrap();
    front.stop().await.unwrap();
}

#[tokio::test]
async fn wrong_options_are_typed_errors() {
    let place = Place::new();
    let start = async |change: fn(&mut e3_githost::ServeOptions)| {
        let mut options = options(&place.home(), "1", PASSWORD);
        change(&mut options);
        e3_githost::serve(options, |_| panic!("it must not get ready"), std::future::ready(()))
            .await
            .unwrap_err()
    };
    let database = start(|options| options.database = Some("postgresql://me:secret@host/db".into())).await;
    assert_eq!(
        database.to_string(),
        "database \"postgresql\" is not served by this version; use sqlite:PATH or leave it out"
    );
    let node = start(|options| options.node = "a b".into()).await;
    assert!(matches!(node, GithostError::NodeName { .. }), "{node}");
    let password = start(|options| options.admin_password = e3_model::Secret::new("")).await;
    assert!(matches!(password, GithostError::AdminPassword), "{password}");
    let balance = async |nodes: Vec<String>| {
        let options =
            BalanceOptions { http: ([127, 0, 0, 1], 0).into(), ssh: None, nodes, ssh_nodes: Vec::new() };
        e3_githost::balance(options, |_| panic!("it must not get ready"), std::future::ready(()))
            .await
            .unwrap_err()
    };
    assert!(matches!(balance(vec![]).await, GithostError::NoNodes));
    let lopsided = BalanceOptions {
        http: ([127, 0, 0, 1], 0).into(),
        ssh: Some(([127, 0, 0, 1], 0).into()),
        nodes: vec!["http://127.0.0.1:1".into()],
        ssh_nodes: vec![],
    };
    let ssh = e3_githost::balance(lopsided, |_| {}, std::future::ready(())).await.unwrap_err();
    assert!(matches!(ssh, GithostError::SshNodes { nodes: 1, ssh_nodes: 0 }), "{ssh}");
    assert!(matches!(balance(vec!["ftp://x".into()]).await, GithostError::NodeUrl { .. }));
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(&place.home(), "1", PASSWORD);
    options.http = taken.local_addr().unwrap();
    let error = e3_githost::serve(options, |_| {}, std::future::ready(())).await.unwrap_err();
    assert!(matches!(error, GithostError::Listen { .. }), "{error}");
    let path = place.path("elsewhere.sqlite");
    let mut options = crate::harness::options(&place.home(), "1", PASSWORD);
    options.database = Some(format!("sqlite:{}", path.display()));
    e3_githost::serve(options, |_| {}, std::future::ready(())).await.unwrap();
    assert!(path.exists());
    wait_for("the write-ahead log to be folded in", || {
        let log = place.path("elsewhere.sqlite-wal");
        if log.exists() { Err(format!("{} exists", log.display())) } else { Ok(()) }
    })
    .await;
}
