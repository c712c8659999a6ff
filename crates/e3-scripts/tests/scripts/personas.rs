//! The personas against servers on loopback and real git.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use e3_model::{Arguments, GitClient, Outcome};
use e3_testkit::{Loopback, answer};
use e3_workload::Setting;
use serde_json::{Value, json};

use crate::site::{Player, Site, setting};

fn told(arguments: Value) -> Arc<Arguments> {
    Arc::new(serde_json::from_value(arguments).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_agent_polls_at_its_ticks_and_clones_at_some() {
    let site = Site::new().await;
    let (sshd, over_ssh) = site.with_ssh().await;
    let pace = told(json!({"poll": "200ms", "cloneEvery": "600ms"}));
    for (script, setting) in [("persona.HttpBuildAgent", site.setting()), ("persona.SshBuildAgent", over_ssh)]
    {
        for git_client in [GitClient::Native, GitClient::Git] {
            let setting = Setting { git_client, ..setting.clone() };
            let mut player = Player::told(script, setting, 1, &pace).unwrap();
            for _ in 0..6 {
                player
                    .iterate()
                    .await
                    .unwrap_or_else(|stopped| panic!("{script}: {stopped}\n{}", sshd.log()));
            }
            let samples = player.samples();
            let of = |name: &str| samples.iter().filter(|(op, _)| op == name).collect::<Vec<_>>();
            assert_eq!((of("LsRemote").len(), of("Clone").len()), (6, 2), "{script} {git_client:?}");
            assert!(samples.iter().all(|(_, sample)| sample.outcome == Outcome::Ok));
            let due: Vec<_> = of("LsRemote").iter().map(|(_, sample)| sample.scheduled_ns).collect();
            // However long each took: only what this machine did between two of them comes on top.
            assert!(due.windows(2).all(|pair| pair[1] > pair[0]), "{script}: {due:?}");
            assert!((due[5] - due[0]).abs_diff(1_000_000_000) < 200_000_000, "{script}: {due:?}");
            assert_eq!(player.finish().await, Ok(()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_is_a_poll_and_does_the_same_whichever_client_serves_it() {
    let site = Site::new().await;
    for (script, sixth) in [("persona.HttpBuildAgent", "Clone ok"), ("persona.CiFleet", "BuildSucceeded ok")]
    {
        let mut seen = Vec::new();
        for client in [0, 5] {
            let mut player = Player::new(script, site.setting(), client);
            for arrival in 0..60 {
                player.arrive(arrival).await.unwrap();
            }
            seen.push(player.outcomes());
        }
        assert_eq!(seen[0], seen[1], "{script}");
        let count = |name: &str| seen[0].iter().filter(|op| *op == name).count();
        let polls = count("LsRemote ok") + count("Poll ok");
        // A sixth of 60 is 10; three standard deviations are 9.
        assert!(polls == 60 && (2..=19).contains(&count(sixth)), "{script}: {} of {polls}", count(sixth));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_fails_ends_its_poll_and_paces_must_be_possible() {
    let site = Site::new().await;
    *site.special.lock().unwrap() = vec![("GET /scm/P/r.git/info/refs", 503, json!({}))];
    let pace = told(json!({"poll": "20ms", "cloneEvery": "20ms"}));
    let mut player = Player::told("persona.HttpBuildAgent", site.setting(), 0, &pace).unwrap();
    for _ in 0..2 {
        player.iterate().await.unwrap_err();
    }
    site.special.lock().unwrap().clear();
    player.iterate().await.unwrap();
    assert_eq!(player.outcomes(), ["LsRemote http-5xx", "LsRemote http-5xx", "LsRemote ok", "Clone ok"]);
    for (script, pace) in [
        ("persona.HttpBuildAgent", json!({"poll": "1m", "cloneEvery": "30s"})),
        ("persona.HttpBuildAgent", json!({"poll": "0s"})),
        ("persona.CiFleet", json!({"poll": "often"})),
    ] {
        let error = Player::told(script, site.setting(), 0, &told(pace)).err().unwrap();
        assert!(error.contains("poll"), "{error}");
    }
}

/// Adds a commit without changes to the default branch.
fn commit(site: &Site, word: &str) -> String {
    let made = site.git.run_with_input(&["commit-tree", "main^{tree}", "-p", "main"], word.as_bytes());
    site.git.run(&["update-ref", "refs/heads/main", made.trim()]);
    made.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_server_builds_what_changed_and_nothing_twice() {
    for git_client in [GitClient::Native, GitClient::Git] {
        let site = Site::new().await;
        let setting = Setting { git_client, ..site.setting() };
        let mut player = Player::told("persona.CiFleet", setting, 4, &told(json!({"poll": "20ms"}))).unwrap();
        let first = site.git.run(&["rev-parse", "main"]);
        player.iterate().await.unwrap();
        assert_eq!(player.outcomes(), ["Poll ok", "ShallowClone ok", "BuildStarted ok", "BuildSucceeded ok"]);
        player.iterate().await.unwrap();
        assert_eq!(player.outcomes(), ["Poll ok"], "{git_client:?}");
        let second = commit(&site, "one");
        player.iterate().await.unwrap();
        assert_eq!(player.outcomes(), ["Poll ok", "Fetch ok", "BuildStarted ok", "BuildSucceeded ok"]);
        let posted: Vec<_> =
            site.heads().into_iter().filter(|head| head.uri().path().starts_with("/rest/")).collect();
        let paths: Vec<_> = posted.iter().map(|head| format!("{} {}", head.method(), head.uri())).collect();
        let status = |commit: &str| format!("POST /rest/build-status/1.0/commits/{}", commit.trim());
        assert_eq!(paths, [status(&first), status(&first), status(&second), status(&second)]);
        for head in posted {
            let header = |name: &str| head.headers().get(name).unwrap().to_str().unwrap().to_owned();
            assert!(header("authorization").starts_with("Basic "));
            assert_eq!(
                [header("content-type"), header("x-atlassian-token")],
                ["application/json", "no-check"]
            );
        }
        *site.special.lock().unwrap() = vec![("POST /rest/build-status/", 403, json!({}))];
        commit(&site, "two");
        player.iterate().await.unwrap_err();
        assert_eq!(player.outcomes(), ["Poll ok", "Fetch ok", "BuildStarted http-4xx"], "{git_client:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_looks_at_the_dashboard_before_the_pull_request() {
    let site = Site::new().await;
    let before = site.branches();
    let mut player = Player::new("persona.DeveloperUsingPullRequests", site.setting(), 0);
    for _ in 0..2 {
        player.iterate().await.unwrap();
        let outcomes = player.outcomes();
        assert_eq!(outcomes[..3], ["Login ok", "Dashboard ok", "DashboardInboxCount ok"]);
        assert!(outcomes.iter().all(|outcome| outcome.ends_with(" ok")), "{outcomes:?}");
        let at = |name: &str| outcomes.iter().position(|outcome| outcome == name).unwrap();
        assert!(at("PullRequestSuggestions ok") < at("Browse ok") && at("Browse ok") < at("InboxCount ok"));
        assert!(at("Merge ok") < at("DeleteBranch ok") && outcomes.last().unwrap() == "Logout ok");
        assert_eq!(site.branches(), before);
    }
    player.finish().await.unwrap();
    // One that breaks off is tidied up.
    *site.special.lock().unwrap() = vec![("GET /projects/P/repos/r/pull-requests/3", 500, json!({}))];
    player.iterate().await.unwrap_err();
    assert_ne!(site.branches(), before);
    site.special.lock().unwrap().clear();
    player.finish().await.unwrap();
    assert_eq!(site.branches(), before);
}

/// A server with one pull request that keeps the comment and the approval it is given, and notes what it is asked.
struct Reviews {
    server: Loopback,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: Vec<String>,
    comment: Option<String>,
    is_approved: bool,
    /// The beginning of the calls that are answered 500, after they had their effect.
    breaks: Option<&'static str>,
}

const PULL_REQUESTS: &str = "/rest/api/latest/projects/P/repos/r/pull-requests";

impl Reviews {
    async fn serve(author: &'static str) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        let server = Loopback::serve(move |request| {
            let mut state = shared.lock().unwrap();
            let call = format!("{} {}", request.method(), request.uri());
            state.asked.push(call.clone());
            let (status, body) = state.respond(&call, request.body(), author);
            let breaks = state.breaks.is_some_and(|begin| call.starts_with(begin));
            let headers: &[(&str, &str)] = match call.as_str() {
                "POST /j_atl_security_check" => {
                    &[("location", "/dashboard"), ("set-cookie", "BITBUCKETSESSIONID=1")]
                }
                _ => &[],
            };
            let answer = answer(if breaks { 500 } else { status }, headers, body.to_string());
            async move { answer }
        })
        .await;
        Self { server, state }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl State {
    fn respond(&mut self, call: &str, body: &[u8], author: &str) -> (u16, Value) {
        let (method, path) = call.split_once(' ').unwrap();
        let part = |name: &str, approved: bool| json!({"user": {"name": name}, "approved": approved});
        match (method, path.strip_prefix(PULL_REQUESTS).unwrap_or(path)) {
            ("POST", "/j_atl_security_check") => (302, json!({})),
            ("GET", "/j_atl_security_logout") => (302, json!({})),
            ("GET", "/?order=OLDEST&start=0&limit=25" | "?order=OLDEST&start=0&limit=25") => {
                let approved = self.is_approved.then(|| part("ada", true));
                let request =
                    json!({"id": 7, "author": part(author, false), "participants": approved.as_slice()});
                (200, json!({"values": [request]}))
            }
            ("POST", "/7/comments") => {
                let comment: Value = serde_json::from_slice(body).unwrap();
                self.comment = comment["text"].as_str().map(str::to_owned);
                (201, json!({"id": 9, "version": 0, "text": self.comment}))
            }
            ("DELETE", "/7/comments/9?version=0") => {
                (if self.comment.take().is_some() { 204 } else { 404 }, json!({}))
            }
            (method @ ("POST" | "DELETE"), "/7/approve") => {
                self.is_approved = method == "POST";
                (200, part("ada", self.is_approved))
            }
            ("GET", path) if path.starts_with("/7/changes") => {
                let file =
                    |name: &str| json!({"type": "ADD", "nodeType": "FILE", "path": {"toString": name}});
                (200, json!({"values": [file("a.txt"), file("b.txt")]}))
            }
            ("GET", path) if path.starts_with("/7/activities") => {
                let comment = self.comment.iter().map(|text| {
                    json!({"action": "COMMENTED", "comment": {"id": 9, "text": text, "author": {"name": "ada"}}})
                });
                let other = json!({"action": "COMMENTED", "comment": {"id": 8, "text": "Other", "author": {"name": "ada"}}});
                let values: Vec<_> = comment.chain([other]).collect();
                (
                    200,
                    json!({"isLastPage": true, "size": values.len(), "limit": 25, "start": 0, "values": values}),
                )
            }
            _ => (200, json!({})),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_leaves_what_was_found() {
    let reviews = Reviews::serve("bob").await;
    let mut player = Player::new("persona.CodeReviewer", setting(&reviews.server.url()), 0);
    for _ in 0..3 {
        player.iterate().await.unwrap();
        let outcomes = player.outcomes();
        let without_diffs: Vec<_> = outcomes.iter().filter(|op| *op != "Diff ok").collect();
        let expected = [
            "Login",
            "Dashboard",
            "InboxCount",
            "RecentRepositories",
            "PullRequestSuggestions",
            "Inbox",
            "ListPullRequests",
            "PullRequest",
            "Changes",
            "Comment",
            "Approve",
            "WithdrawApproval",
            "DeleteComment",
            "Logout",
        ];
        assert_eq!(without_diffs, expected.map(|op| format!("{op} ok")).iter().collect::<Vec<_>>());
        assert!((1..=2).contains(&(outcomes.len() - expected.len())), "two files changed: {outcomes:?}");
        let state = reviews.state.lock().unwrap();
        assert!(state.comment.is_none() && !state.is_approved);
    }
    reviews.asked();
    player.finish().await.unwrap();
    assert_eq!(reviews.asked(), [""; 0], "nothing is left to tidy up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_breaks_off_is_undone_at_the_end() {
    let (comment, approve) =
        (format!("POST {PULL_REQUESTS}/7/comments"), format!("POST {PULL_REQUESTS}/7/approve"));
    let (withdraw, delete) = (approve.replace("POST", "DELETE"), comment.replace("POST", "DELETE"));
    for (breaks, failed) in [
        (comment, "Comment http-5xx"),
        (approve, "Approve http-5xx"),
        (withdraw, "WithdrawApproval http-5xx"),
        (delete, "DeleteComment http-5xx"),
    ] {
        let reviews = Reviews::serve("bob").await;
        let mut player = Player::new("persona.CodeReviewer", setting(&reviews.server.url()), 0);
        reviews.state.lock().unwrap().breaks = Some(breaks.clone().leak());
        player.iterate().await.unwrap_err();
        assert_eq!(player.outcomes().last().unwrap(), failed);
        reviews.state.lock().unwrap().breaks = None;
        player.finish().await.unwrap();
        {
            let state = reviews.state.lock().unwrap();
            assert!(state.comment.is_none() && !state.is_approved, "{failed}");
        }
        reviews.asked();
        player.finish().await.unwrap();
        assert_eq!(reviews.asked(), [""; 0], "once is enough");
    }
    // What cannot be undone is said, and stays noted.
    let reviews = Reviews::serve("bob").await;
    let mut player = Player::new("persona.CodeReviewer", setting(&reviews.server.url()), 0);
    let withdraw: &str = format!("DELETE {PULL_REQUESTS}/7/").leak();
    reviews.state.lock().unwrap().breaks = Some(withdraw);
    player.iterate().await.unwrap_err();
    let left = player.finish().await.unwrap_err();
    assert!(left.contains("the approval of P/r 7: DELETE ") && left.contains("a comment on P/r 7"), "{left}");
    reviews.state.lock().unwrap().breaks = None;
    player.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reviews_their_own() {
    let reviews = Reviews::serve("ada").await;
    let mut player = Player::new("persona.CodeReviewer", setting(&reviews.server.url()), 0);
    player.iterate().await.unwrap();
    let outcomes = player.outcomes();
    assert_eq!(
        outcomes.iter().filter(|op| *op == "ListPullRequests ok").count(),
        4,
        "it looks on: {outcomes:?}"
    );
    assert_eq!(outcomes[outcomes.len() - 1], "Logout ok");
    assert!(
        !outcomes.iter().any(|op| op.starts_with("Comment") || op.starts_with("Approve")),
        "{outcomes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_count_from_when_they_were_due_though_the_server_was_slow() {
    // A server that answers nothing at all: each poll takes as long as an op may.
    let server = Loopback::serve(|_| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        answer(200, &[], "")
    })
    .await;
    let mut slow = setting(&server.url());
    slow.transport.op_timeout = e3_model::Span::from_millis(300);
    let pace = told(json!({"poll": "100ms", "cloneEvery": "1s"}));
    let mut player = Player::told("persona.HttpBuildAgent", slow, 0, &pace).unwrap();
    for _ in 0..3 {
        player.iterate().await.unwrap_err();
    }
    let samples: Vec<_> = player.samples().into_iter().map(|(_, sample)| sample).collect();
    for (before, after) in samples.iter().zip(samples.iter().skip(1)) {
        assert_eq!(after.outcome, Outcome::Timeout);
        // Each waits for the 300 ms of the one before, and was due 100 ms after it.
        let grown = (after.latency_ns() - before.latency_ns()) / 1_000_000;
        assert!((195..=400).contains(&grown), "{grown} ms: {samples:?}");
    }
}
