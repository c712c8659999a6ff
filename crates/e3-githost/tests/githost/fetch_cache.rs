//! Answers to fetches that are kept: the same for the same, and never for anything else.

use crate::harness::{Place, Server};
use crate::metrics::{Samples, of, once_none, read};
use crate::ssh::Key;

const ON: &str = "plugin.bitbucket-scm-cache.upload-pack.enabled=true";

/// Returns hits, misses and bypasses so far, over HTTP and over SSH.
fn counts(samples: &Samples, transport: &str) -> [f64; 3] {
    ["Hit", "Miss", "Bypass"].map(|what| {
        of(samples, &format!("com_atlassian_bitbucket_{transport}HostingStatistics_CloneCache{what}"))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_clone_is_answered_from_what_is_kept_until_somebody_pushes() {
    let place = Place::new();
    let server = Server::start_throttled(&place.home(), &[ON]).await;
    // A second node on the same home pushes, so that the first one is not told.
    let other = Server::start(&place.home(), "2").await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    place.history("work", 5).await;
    place.git(&["-C", "work", "push", "--quiet", &other.clone_url("PROJ", "repo"), "main"]).await;
    let (http, ssh) = (server.clone_url("PROJ", "repo"), server.ssh_url("PROJ", "repo"));
    for (number, (version, expected)) in
        [("2", [0.0, 1.0, 0.0]), ("2", [1.0, 1.0, 0.0]), ("0", [1.0, 2.0, 0.0]), ("0", [2.0, 2.0, 0.0])]
            .into_iter()
            .enumerate()
    {
        let (protocol, to) = (format!("protocol.version={version}"), format!("http-{number}"));
        place.git(&["-c", &protocol, "clone", "--quiet", &http, &to]).await;
        place.git(&["-C", &to, "fsck", "--full", "--strict"]).await;
        let samples = once_none(&server, "githost_http_requests_in_flight").await;
        assert_eq!(counts(&samples, "Http"), expected, "clone {number}, version {version}");
    }
    for (number, hits) in [(0, 0.0), (1, 1.0)] {
        let to = format!("ssh-{number}");
        let (success, _, stderr) = key.git(&place, &["clone", "--quiet", &ssh, &to]).await;
        assert!(success, "{stderr}");
        place.git(&["-C", &to, "fsck", "--full", "--strict"]).await;
        let samples = once_none(&server, "githost_ssh_sessions_active").await;
        let [hit, miss, bypass] = counts(&samples, "Ssh");
        // The very same request may have come by HTTP already.
        assert!(hit >= hits && hit + miss == hits + 1.0 && bypass == 0.0, "{hit} {miss} {bypass}");
    }
    let used = "com_atlassian_bitbucket_HostingTickets_Used";
    assert_eq!(of(&read(&server).await, used), 0.0);

    std::fs::write(place.path("work").join("news"), "news").unwrap();
    place.git(&["-C", "work", "add", "."]).await;
    place.git(&["-C", "work", "commit", "--quiet", "-m", "news"]).await;
    place.git(&["-C", "work", "push", "--quiet", &other.clone_url("PROJ", "repo"), "main"]).await;
    let head = place.git(&["-C", "work", "rev-parse", "HEAD"]).await;
    for (to, url) in [("after-1", &http), ("after-2", &http)] {
        place.git(&["clone", "--quiet", url, to]).await;
        assert_eq!(place.git(&["-C", to, "rev-parse", "HEAD"]).await, head);
        place.git(&["-C", to, "fsck", "--full", "--strict"]).await;
    }
    let samples = once_none(&server, "githost_http_requests_in_flight").await;
    assert_eq!(counts(&samples, "Http"), [3.0, 3.0, 0.0]);
    // Whoever has cloned before gets what is new, and nothing that was kept for others.
    place.git(&["-C", "http-0", "pull", "--quiet"]).await;
    assert_eq!(place.git(&["-C", "http-0", "rev-parse", "HEAD"]).await, head);
    place.git(&["clone", "--quiet", "--depth=1", &http, "shallow"]).await;
    assert_eq!(place.git(&["-C", "shallow", "rev-list", "--count", "HEAD"]).await, "1");
    let (success, _, stderr) = key.git(&place, &["-C", "ssh-0", "pull", "--quiet"]).await;
    assert!(success, "{stderr}");
    assert_eq!(place.git(&["-C", "ssh-0", "rev-parse", "HEAD"]).await, head);
    server.stop().await.unwrap();
    other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_unless_it_is_asked_for() {
    let place = Place::new();
    let server = Server::start_throttled(&place.home(), &[]).await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    place.history("work", 1).await;
    let url = server.clone_url("PROJ", "repo");
    place.git(&["-C", "work", "push", "--quiet", &url, "main"]).await;
    for to in ["one", "two"] {
        place.git(&["clone", "--quiet", &url, to]).await;
    }
    let samples = once_none(&server, "githost_http_requests_in_flight").await;
    assert_eq!(counts(&samples, "Http"), [0.0; 3]);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refs_are_left_to_git_if_they_are_not_to_be_kept() {
    let place = Place::new();
    let server =
        Server::start_throttled(&place.home(), &["plugin.bitbucket-scm-cache.refs.enabled=false"]).await;
    server.create_project("PROJ").await;
    server.create_repository("PROJ", "repo").await;
    let key = Key::new(&place, "key", &[&server]).await.registered(&server).await;
    place.history("work", 2).await;
    let url = server.clone_url("PROJ", "repo");
    place.git(&["-C", "work", "push", "--quiet", &url, "main"]).await;
    for version in ["protocol.version=0", "protocol.version=2"] {
        for _ in 0..3 {
            let listed = place.git(&["-c", version, "ls-remote", &url]).await;
            assert!(listed.contains("refs/heads/main"), "{listed}");
            let (_, listed, stderr) =
                key.git(&place, &["-c", version, "ls-remote", &server.ssh_url("PROJ", "repo")]).await;
            assert!(listed.contains("refs/heads/main"), "{stderr}");
        }
    }
    let samples = once_none(&server, "githost_http_requests_in_flight").await;
    assert_eq!(of(&samples, "githost_ref_advertisements_total{cache=\"hit\"}"), 0.0);
    assert!(of(&samples, "githost_ref_advertisements_total{cache=\"miss\"}") >= 12.0);
    server.stop().await.unwrap();
}
