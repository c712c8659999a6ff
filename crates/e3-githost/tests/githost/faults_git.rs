//! Faults of Git, over HTTP and SSH, by real git: each part by its own route, and nothing done by what fails.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::harness::{Place, Server};
use crate::ssh::Key;

/// A server with a repository of three commits, and both ways to it.
struct Bench {
    place: Place,
    server: Server,
    key: Key,
    urls: [(&'static str, String); 2],
}

impl Bench {
    async fn new() -> Self {
        Self::with_limits(&json!({})).await
    }

    async fn with_limits(limits: &Value) -> Self {
        let place = Place::new();
        place.limit(limits);
        let server = Server::start_with_ssh(&place.home(), "1").await;
        server.create_project("PROJ").await;
        server.create_repository("PROJ", "repo").await;
        let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
        let work = place.history("work", 3).await;
        place.git(&["-C", &work, "push", "--quiet", &server.clone_url("PROJ", "repo"), "main"]).await;
        let urls = [("http", server.clone_url("PROJ", "repo")), ("ssh", server.ssh_url("PROJ", "repo"))];
        Self { place, server, key, urls }
    }

    /// Runs git; returns whether it succeeded, and its stderr.
    async fn git(&self, arguments: &[&str]) -> (bool, String) {
        let (success, _, stderr) = self.key.git(&self.place, arguments).await;
        (success, stderr)
    }

    async fn must(&self, arguments: &[&str]) {
        let (success, stderr) = self.git(arguments).await;
        assert!(success, "git {arguments:?}: {stderr}");
    }

    /// Makes a commit of its own and tries to push it as a branch.
    async fn push(&self, url: &str, branch: &str) -> (bool, String) {
        self.must(&["-C", "work", "commit", "--quiet", "--allow-empty", "-m", branch]).await;
        self.git(&["-C", "work", "push", url, &format!("HEAD:refs/heads/{branch}")]).await
    }

    async fn branches(&self) -> Vec<String> {
        let listed = self.server.get("/rest/api/1.0/projects/PROJ/repos/repo/branches").await.json();
        let names = listed["values"].as_array().unwrap().iter().map(|branch| branch["displayId"].as_str());
        names.map(|name| name.unwrap().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_meets_the_faults_of_its_own_route() {
    let bench = Bench::new().await;
    let of = |route: &str| json!({"route": route, "latency": 30});
    let all =
        json!([of("refs"), of("fetch"), of("push"), of("git"), of("/scm/proj/repo.git"), of("/scm/other")]);
    bench.server.disturb(&all).await;
    let mut before = [0; 5];
    for (protocol, url) in &bench.urls {
        for (what, expected) in [
            // By HTTP: the capabilities, the refs. Over SSH, one command.
            ("ls-remote", if *protocol == "http" { [2, 0, 0, 2, 2] } else { [1, 0, 0, 1, 1] }),
            ("clone", if *protocol == "http" { [2, 1, 0, 3, 3] } else { [1, 1, 0, 1, 1] }),
            ("push", if *protocol == "http" { [1, 0, 1, 2, 2] } else { [1, 0, 1, 1, 1] }),
        ] {
            match what {
                "ls-remote" => bench.must(&["ls-remote", url]).await,
                "clone" => bench.must(&["clone", "--quiet", url, protocol]).await,
                _ => assert!(bench.push(url, protocol).await.0),
            }
            let injected = bench.server.injected().await;
            let count = |route: &str| {
                let line = injected.iter().find_map(|line| line.strip_prefix(&format!("latency {route} ")));
                line.map_or(0, |count| count.parse::<u64>().unwrap())
            };
            let now = ["refs", "fetch", "push", "git", "/scm/proj/repo.git"].map(count);
            let felt: Vec<u64> = now.iter().zip(before).map(|(now, before)| now - before).collect();
            assert_eq!(felt, expected, "{what} over {protocol}: refs, fetch, push, git, path");
            assert_eq!(count("/scm/other"), 0);
            before = now;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_on_the_pack_is_in_a_clone_and_not_in_a_question_for_refs() {
    let bench = Bench::new().await;
    bench.server.disturb(&json!([{"route": "fetch", "latency": 700}])).await;
    for (protocol, url) in &bench.urls {
        let begun = Instant::now();
        bench.must(&["clone", "--quiet", url, protocol]).await;
        assert!(begun.elapsed() >= Duration::from_millis(700), "{protocol}: {:?}", begun.elapsed());
        bench.must(&["ls-remote", url]).await;
    }
    assert_eq!(bench.server.injected().await, ["latency fetch 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_or_is_cut_off_was_never_done() {
    let bench = Bench::new().await;
    for (effect, over_http, over_ssh) in [
        (json!({"errorRate": 1, "status": 503}), "error: 503", "made to fail"),
        (json!({"dropRate": 1}), "Empty reply from server", "Connection"),
    ] {
        for route in ["push", "fetch", "refs"] {
            let mut fault = effect.clone();
            fault["route"] = json!(route);
            bench.server.disturb(&json!([fault])).await;
            for (protocol, url) in &bench.urls {
                let (success, stderr) = match route {
                    "push" => bench.push(url, "never").await,
                    "fetch" => bench.git(&["clone", "--quiet", url, "never"]).await,
                    _ => bench.git(&["ls-remote", url]).await,
                };
                let expected = match (*protocol, route) {
                    // Git tells of the last answer that it got: the one that asked for a password.
                    ("http", "refs") if effect["dropRate"] == 1 => "Authentication failed",
                    ("http", _) => over_http,
                    _ => over_ssh,
                };
                assert!(!success, "{route} over {protocol}");
                assert!(stderr.contains(expected), "{route} over {protocol}: {stderr}");
            }
        }
    }
    bench.server.disturb(&json!([])).await;
    assert_eq!(bench.branches().await, ["main"]);
    for (protocol, url) in &bench.urls {
        assert!(bench.push(url, protocol).await.0);
        bench.must(&["clone", "--quiet", url, protocol]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_over_ssh_that_is_made_to_fail_ends_with_1_and_says_why() {
    let bench = Bench::new().await;
    bench.server.disturb(&json!([{"route": "git", "errorRate": 1}])).await;
    let line = "git-upload-pack 'PROJ/repo.git'";
    let (code, stderr) = bench.key.talk(&bench.server, "version=2", line, b"").await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("this request was made to fail"), "{stderr}");
    bench.server.disturb(&json!([{"route": "git", "dropRate": 1}])).await;
    let (code, stderr) = bench.key.talk(&bench.server, "version=2", line, b"").await;
    assert_eq!(code, Some(255), "ssh's own word for a connection that is gone: {stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packs_leave_slowly_and_whole() {
    let bench = Bench::new().await;
    // Random bytes are not compressed away.
    let mut content = vec![0; 60_000];
    tokio::fs::File::open("/dev/urandom").await.unwrap().read_exact(&mut content).await.unwrap();
    std::fs::write(bench.place.path("work/random"), content).unwrap();
    bench.must(&["-C", "work", "add", "."]).await;
    assert!(bench.push(&bench.urls[0].1, "main").await.0);
    bench.server.disturb(&json!([{"route": "fetch", "bytesPerSecond": 60_000}])).await;
    for (protocol, url) in &bench.urls {
        let begun = Instant::now();
        bench.must(&["clone", "--quiet", url, protocol]).await;
        assert!(begun.elapsed() >= Duration::from_millis(990), "{protocol}: {:?}", begun.elapsed());
        bench.must(&["-C", protocol, "fsck", "--strict"]).await;
    }
    assert_eq!(bench.server.injected().await, ["slow fetch 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slot_is_one_pack_at_a_time_over_both_protocols_together() {
    let bench = Bench::new().await;
    bench
        .server
        .disturb(&json!([{"route": "fetch", "slots": 1, "latency": 250}, {"route": "git", "slots": 2}]))
        .await;
    let begun = Instant::now();
    let clone = async |number: usize| {
        let (protocol, url) = &bench.urls[number % 2];
        bench.must(&["clone", "--quiet", url, &format!("{protocol}-{number}")]).await;
    };
    tokio::join!(clone(0), clone(1), clone(2), clone(3));
    assert!(begun.elapsed() >= Duration::from_millis(1_000), "{:?}", begun.elapsed());
    let waited = bench.server.injected().await;
    assert!(waited.iter().any(|line| line.starts_with("wait ")), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_and_tickets_do_not_wait_for_each_other() {
    // One ticket and one slot: whoever kept one while waiting for the other would be refused after its wait.
    let bench = Bench::with_limits(&json!({"gitProcesses": 1, "gitWaitSeconds": 30})).await;
    bench
        .server
        .disturb(&json!([{"route": "git", "slots": 1, "latency": 20}, {"slots": 1, "latency": 20}]))
        .await;
    let clone = async |number: usize| {
        let (protocol, url) = &bench.urls[number % 2];
        bench.must(&["clone", "--quiet", url, &format!("{protocol}-{number}")]).await;
    };
    tokio::join!(clone(0), clone(1), clone(2), clone(3), clone(4), clone(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_holds_up_both_protocols_until_it_is_taken_away() {
    let bench = Bench::new().await;
    let one: Value = json!([{"route": "git", "stall": {"for": "1h"}}]);
    bench.server.disturb(&one).await;
    let (http, ssh) = (["ls-remote", &bench.urls[0].1], ["ls-remote", &bench.urls[1].1]);
    let release = async {
        bench.server.until_injected("stall git 2").await;
        bench.server.disturb(&json!([])).await;
    };
    tokio::join!(bench.must(&http), bench.must(&ssh), release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_not_worked_on_and_not_disturbed() {
    let bench = Bench::new().await;
    bench.server.disturb(&json!([{"route": "git", "errorRate": 1}])).await;
    let path = "/scm/PROJ/repo.git/info/refs?service=git-upload-pack";
    assert_eq!(bench.server.fetch_anonymous(path).await.status, 401, "git's first request has no password");
    assert_eq!(bench.server.get(path).await.status, 500);
    assert_eq!(bench.server.get("/scm/PROJ/none.git/info/refs?service=git-upload-pack").await.status, 404);
    assert_eq!(bench.server.injected().await, ["error git 1"]);
}
