//! Tickets, rates and the choice of git: lines of `bitbucket.properties` take effect.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bounds::{hang, wait_until_nothing_runs};
use crate::harness::{Answer, Place, Server, authorization, basic, throttled};
use crate::metrics::{Samples, of, read};
use crate::ssh::Key;

const FIXED_1: &str = "throttle.resource.scm-hosting.fixed.limit=1";

async fn server(place: &Place, lines: &[&str]) -> Server {
    let server = Server::start_throttled(&place.home(), lines).await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    server
}

fn tickets(samples: &Samples, name: &str) -> f64 {
    of(samples, &format!("com_atlassian_bitbucket_HostingTickets_{name}"))
}

/// Waits until so many operations stand in the line.
async fn once_queued(server: &Server, expected: f64) -> Samples {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let samples = read(server).await;
        let queued = tickets(&samples, "QueuedRequests");
        if queued == expected {
            return samples;
        }
        assert!(Instant::now() < deadline, "{queued} wait, not {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends a fetch of something that is not there, and does not wait for the answer.
async fn ask(server: &Server) -> TcpStream {
    let body = format!("0011command=fetch00010032want {}\n0009done\n0000", "1".repeat(40));
    let mut stream = TcpStream::connect(server.host()).await.unwrap();
    let head = format!(
        "POST /scm/PROJ/repo.git/git-upload-pack HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nGit-Protocol: version=2\r\n\
         Content-Type: application/x-git-upload-pack-request\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        server.host(),
        basic(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_stand_in_line_for_tickets_and_whoever_leaves_gives_up_the_place() {
    let place = Place::new();
    let server = server(&place, &[FIXED_1]).await;
    let push = hang(&place, &server).await;
    let samples = once_queued(&server, 0.0).await;
    let shown = ["Total", "Used", "Available"].map(|name| tickets(&samples, name));
    assert_eq!(shown, [1.0, 1.0, 0.0]);
    let (mut first, second) = (ask(&server).await, ask(&server).await);
    let third = hang_in_line(&server).await;
    once_queued(&server, 3.0).await;
    // Refs have tickets of their own, and so do short commands.
    let refs = server.get("/scm/PROJ/repo.git/info/refs?service=git-upload-pack").await;
    assert_eq!(refs.status, 200);
    drop(second);
    once_queued(&server, 2.0).await;
    drop(third);
    let samples = once_queued(&server, 1.0).await;
    let missed = |why: &str| {
        of(&samples, &format!("githost_tickets_missed_total{{resource=\"scm-hosting\",why=\"{why}\"}}"))
    };
    assert_eq!((missed("left"), missed("refused")), (2.0, 0.0));
    drop(push);
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 ") && !answer.starts_with("HTTP/1.1 503"), "{answer}");
    wait_until_nothing_runs(&place).await;
    server.stop().await.unwrap();
}

/// Begins a push that has sent all it has, and waits for its ticket.
async fn hang_in_line(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.host()).await.unwrap();
    let head = format!(
        "POST /scm/PROJ/repo.git/git-receive-pack HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 4\r\n\r\n0000",
        server.host(),
        basic()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_too_long_is_refused_over_http_and_ssh() {
    let place = Place::new();
    let timeout = "throttle.resource.scm-hosting.timeout=1";
    let refs = "plugin.bitbucket-git.throttle.ref.advertisement=true";
    let server = server(&place, &[FIXED_1, timeout, refs]).await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    let push = hang(&place, &server).await;
    let begun = Instant::now();
    let refused = server.get("/scm/PROJ/repo.git/info/refs?service=git-upload-pack").await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(
        refused.text(),
        "The server is busy: waited 1s for a scm-hosting ticket. Please try again shortly.\n"
    );
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let url = server.ssh_url("PROJ", "repo");
    let (success, _, stderr) = key.git(&place, &["ls-remote", &url]).await;
    assert!(!success && stderr.contains("waited 1s for a scm-hosting ticket"), "{stderr}");
    let (success, _, stderr) = place.try_git(&["ls-remote", &server.clone_url("PROJ", "repo")], &[]).await;
    assert!(!success && stderr.contains("503"), "{stderr}");
    drop(push);
    wait_until_nothing_runs(&place).await;
    place.git(&["ls-remote", &server.clone_url("PROJ", "repo")]).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_strategy_decides_how_many_tickets_there_are() {
    let cpus = std::thread::available_parallelism().unwrap().get();
    let fixed = "throttle.resource.scm-hosting.strategy=fixed";
    let (min, max) = (
        "throttle.resource.scm-hosting.adaptive.limit.min=5",
        "throttle.resource.scm-hosting.adaptive.limit.max=5",
    );
    for (lines, expected) in [
        (vec![], (cpus * 4).max(8)),
        (vec![fixed], (cpus * 3 / 2).max(1)),
        (vec!["throttle.resource.scm-hosting=7"], 7),
        (vec![min, max], 5),
    ] {
        let place = Place::new();
        let server = Server::start_throttled(&place.home(), &lines).await;
        assert_eq!(tickets(&read(&server).await, "Total"), expected as f64, "{lines:?}");
        server.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_asks_too_often_is_refused_and_nobody_else() {
    let place = Place::new();
    let server = server(&place, &[]).await;
    server.create_user("ada", "pw").await;
    server.stop().await.unwrap();
    let lines = [
        "feature.rate.limiting=true",
        "githost.rate.limiting.capacity=3",
        "githost.rate.limiting.fill.rate=0.01",
    ];
    let server = Server::start_throttled(&place.home(), &lines).await;
    let get = async |path: &str, user: &str, password: &str| -> Answer {
        let request = Request::get(server.url(path)).header("authorization", authorization(user, password));
        server.send(request, "").await
    };
    let rest = "/rest/api/1.0/projects";
    let git = "/scm/PROJ/repo.git/info/refs?service=git-upload-pack";
    for path in [rest, git, rest] {
        assert_eq!(get(path, "ada", "pw").await.status, 200, "{path}");
    }
    for path in [rest, git] {
        let refused = get(path, "ada", "pw").await;
        assert_eq!(refused.status, 429, "{path}: {}", refused.text());
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((90..=100).contains(&wait), "{wait}");
        assert!(!refused.header("x-arequestid").is_empty());
    }
    assert!(
        get(rest, "ada", "pw").await.json()["errors"][0]["message"].as_str().unwrap().contains("rate limit")
    );
    // Others, sessions of pages and whoever is not known have no part in it.
    assert_eq!(server.get(rest).await.status, 200);
    let cookie = server.sign_in("ada", "pw").await;
    for _ in 0..5 {
        assert_eq!(server.fetch_with_cookie("/dashboard", &cookie).await.status, 200);
        assert_eq!(server.fetch_with_cookie(rest, &cookie).await.status, 200);
        assert_ne!(server.fetch_anonymous(rest).await.status, 429);
    }
    assert_eq!(of(&read(&server).await, "githost_rate_limited_total"), 3.0);
    server.stop().await.unwrap();
}

/// Makes a program that passes for git, and says it is of this version.
fn stand_in(place: &Place, name: &str, says: &str, then: &str) -> String {
    let path = place.path(name);
    let text = format!(
        "#!/bin/sh\nfor word; do [ \"$word\" = version ] && {{ echo 'git version {says}'; exit 0; }}; done\n{then}\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_git_that_is_chosen_serves() {
    let place = Place::new();
    let used = place.path("used");
    let then = format!("echo \"$*\" >> {}\nexec git \"$@\"", used.display());
    let program = stand_in(&place, "git-of-mine", "3.1.4", &then);
    let line = format!("plugin.bitbucket-git.path.executable={program}");
    let server = server(&place, &[&line]).await;
    assert_eq!(of(&read(&server).await, "githost_git_version{version=\"3.1.4\"}"), 1.0);
    place.history("work", 1).await;
    place.git(&["-C", "work", "push", "--quiet", &server.clone_url("PROJ", "repo"), "main"]).await;
    place.git(&["clone", "--quiet", &server.clone_url("PROJ", "repo"), "clone"]).await;
    let used = std::fs::read_to_string(used).unwrap();
    assert!(used.contains(" receive-pack ") && used.contains(" upload-pack "), "{used}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_kept_to_keeps_a_node_from_starting() {
    let place = Place::new();
    let old = format!("plugin.bitbucket-git.path.executable={}", stand_in(&place, "old", "2.30.2", "exit 1"));
    for (line, why) in [
        ("plugin.bitbucket-git.path.executable=/nowhere/git", "`/nowhere/git version` failed"),
        (old.as_str(), "says \"git version 2.30.2\", but 2.39 or newer is needed"),
        ("hibernate.cache.mode=LOCAL", "hibernate.cache.mode: githost does not know the property"),
        (
            "throttle.resource.scm-hosting.adaptive.limit.min=999999",
            "the least adaptive limit, 999999, is above the most",
        ),
    ] {
        let options = throttled(&place.home(), &[line]);
        let ended = e3_githost::serve(options, |_| {}, std::future::ready(())).await;
        let said = e3_model::with_causes(&ended.unwrap_err());
        assert!(said.contains(why), "{line}: {said}");
    }
}
