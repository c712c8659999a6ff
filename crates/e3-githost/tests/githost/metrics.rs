//! `GET /metrics`: what a node counts, right after what was done to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::harness::{Place, Server};
use crate::ssh::Key;

pub(crate) type Samples = BTreeMap<String, f64>;

/// Returns what a node says of itself, by names with labels.
pub(crate) async fn read(server: &Server) -> Samples {
    let answer = server.fetch_anonymous("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// Returns what the node says once there is none of this any more: what is over for a client is counted a moment later.
pub(crate) async fn once_none(server: &Server, name: &str) -> Samples {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let samples = read(server).await;
        if of(&samples, name) == 0.0 {
            return samples;
        }
        assert!(Instant::now() < deadline, "{name} stays: {samples:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns by how much each number grew that did, but for those of the process and of time.
fn grown(before: &Samples, after: &Samples) -> Vec<(String, f64)> {
    let counted = after.iter().filter(|(name, _)| {
        let varies = [
            "process_",
            "githost_uptime",
            "githost_http_request_duration_seconds_sum",
            "githost_database",
            "com_zaxxer_hikari",
            "com_atlassian_bitbucket_metrics_Mean",
            "githost_access_log",
        ];
        !varies.iter().any(|prefix| name.starts_with(prefix))
    });
    counted
        .map(|(name, value)| (name.clone(), value - before.get(name).copied().unwrap_or(0.0)))
        .filter(|(_, growth)| *growth != 0.0)
        .collect()
}

pub(crate) fn of(samples: &Samples, name: &str) -> f64 {
    *samples.get(name).unwrap_or_else(|| panic!("{name} is not among {samples:#?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_counted_by_method_and_status_and_looks_are_not() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let before = read(&server).await;
    for _ in 0..3 {
        read(&server).await;
        server.fetch_anonymous("/status").await;
    }
    let looked = read(&server).await;
    // Each of the tests' requests has a connection of its own; nothing else of a look shows.
    assert_eq!(
        grown(&before, &looked).iter().filter(|(name, _)| !name.contains("connections")).count(),
        0,
        "{looked:#?}"
    );
    server.create_project("PROJ").await;
    server.get("/rest/api/1.0/projects/PROJ").await;
    server.get("/rest/api/1.0/projects/NONE").await;
    server.fetch_anonymous("/dashboard").await;
    let after = once_none(&server, "githost_http_requests_in_flight").await;
    let grown: Vec<_> = grown(&looked, &after)
        .into_iter()
        .filter(|(name, _)| !name.contains("connections"))
        .map(|(name, growth)| format!("{name} {growth}"))
        .collect();
    assert_eq!(
        grown,
        [
            r#"com_atlassian_bitbucket_metrics_Count{category00="http",category01="rest",name="request"} 3"#,
            r#"com_atlassian_bitbucket_metrics_Count{category00="http",category01="web",name="request"} 1"#,
            r#"githost_http_request_duration_seconds_count{method="GET"} 3"#,
            r#"githost_http_request_duration_seconds_count{method="POST"} 1"#,
            r#"githost_http_requests_total{method="GET",status="2xx"} 1"#,
            r#"githost_http_requests_total{method="GET",status="3xx"} 1"#,
            r#"githost_http_requests_total{method="GET",status="4xx"} 1"#,
            r#"githost_http_requests_total{method="POST",status="2xx"} 1"#,
        ]
    );
    assert!(of(&after, "process_cpu_seconds_total") > 0.0);
    assert!(of(&after, "process_resident_memory_bytes") > 1e6);
    assert!(of(&after, "process_open_fds") > 3.0 && of(&after, "process_threads") >= 2.0);
    assert!(of(&after, r#"githost_database_connections{pool="write",state="idle"}"#) == 1.0);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn git_is_counted_by_service_and_protocol() {
    let place = Place::new();
    let server = Server::start_with_ssh(&place.home(), "1").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    place.history("work", 4).await;
    let url = server.clone_url("PROJ", "repo");
    let name = |what: &str, service: &str, protocol: &str| {
        format!("githost_git_{what}{{service=\"{service}\",protocol=\"{protocol}\"}}")
    };
    let (operations, running) = ("operations_total", "operations_running");
    let before = read(&server).await;

    place.git(&["-C", "work", "push", "--quiet", &url, "main"]).await;
    let pushed = once_none(&server, "githost_http_requests_in_flight").await;
    let growth = |before: &Samples, after: &Samples, name: &str| of(after, name) - of(before, name);
    assert_eq!(growth(&before, &pushed, &name(operations, "receive-pack", "http")), 1.0);
    assert_eq!(growth(&before, &pushed, &name(operations, "upload-pack", "http")), 0.0);
    // The pack of four commits went up; what came down is an advertisement and a report.
    assert!(growth(&before, &pushed, &name("received_bytes_total", "receive-pack", "http")) > 500.0);
    assert!(growth(&before, &pushed, &name("sent_bytes_total", "receive-pack", "http")) > 50.0);

    // Protocol 2 by HTTP: an advertisement, then a request for refs and one for the pack.
    place.git(&["-c", "protocol.version=2", "clone", "--quiet", &url, "by-http"]).await;
    let cloned = once_none(&server, "githost_http_requests_in_flight").await;
    assert_eq!(growth(&pushed, &cloned, &name(operations, "upload-pack", "http")), 2.0);
    assert!(growth(&pushed, &cloned, &name("sent_bytes_total", "upload-pack", "http")) > 500.0);

    // The refs have been learned by now, so that looking at them again needs no git.
    for _ in 0..2 {
        place.git(&["-c", "protocol.version=2", "ls-remote", &url]).await;
    }
    let listed = once_none(&server, "githost_http_requests_in_flight").await;
    let hits = "githost_ref_advertisements_total{cache=\"hit\"}";
    assert!(growth(&cloned, &listed, hits) >= 2.0, "{listed:#?}");

    let (success, _, stderr) =
        key.git(&place, &["clone", "--quiet", &server.ssh_url("PROJ", "repo"), "by-ssh"]).await;
    assert!(success, "{stderr}");
    let by_ssh = once_none(&server, "githost_ssh_sessions_active").await;
    assert_eq!(growth(&listed, &by_ssh, &name(operations, "upload-pack", "ssh")), 1.0);
    assert_eq!(growth(&listed, &by_ssh, &name(operations, "upload-pack", "http")), 0.0);
    assert_eq!(growth(&listed, &by_ssh, "githost_ssh_sessions_created_total"), 1.0);
    assert!(growth(&listed, &by_ssh, &name("sent_bytes_total", "upload-pack", "ssh")) > 500.0);
    assert!(growth(&listed, &by_ssh, &name("received_bytes_total", "upload-pack", "ssh")) > 50.0);
    // The same by Bitbucket's names.
    for (bean, expected) in [
        ("ScmStatistics_Pulls", 2.0),
        ("ScmStatistics_Pushes", 1.0),
        ("HttpHostingStatistics_CloneRequestCount", 1.0),
        ("SshHostingStatistics_CloneRequestCount", 1.0),
        ("SshHostingStatistics_FetchRequestCount", 0.0),
        ("SshSessions_SessionCreatedCount", 1.0),
        ("SshSessions_MaxActiveSessionCount", 1.0),
        ("HostingTickets_Used", 0.0),
        ("HostingTickets_QueuedRequests", 0.0),
    ] {
        assert_eq!(of(&by_ssh, &format!("com_atlassian_bitbucket_{bean}")), expected, "{bean}");
    }
    let tickets = |name: &str| of(&by_ssh, &format!("com_atlassian_bitbucket_HostingTickets_{name}"));
    assert!(tickets("Total") >= 8.0 && tickets("Available") == tickets("Total"));
    assert!(of(&by_ssh, "com_atlassian_bitbucket_SshHostingStatistics_CloneBytesWritten") > 500.0);
    assert!(of(&by_ssh, "githost_ticket_hold_seconds_count{resource=\"scm-hosting\"}") >= 3.0);
    for (service, protocol) in
        [("upload-pack", "http"), ("upload-pack", "ssh"), ("receive-pack", "http"), ("receive-pack", "ssh")]
    {
        assert_eq!(of(&by_ssh, &name(running, service, protocol)), 0.0, "{service} {protocol}");
    }
    server.stop().await.unwrap();
}
