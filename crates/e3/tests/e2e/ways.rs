//! How clients talk, from flags: TLS with an authority of one's own, HTTP/2, connections, time-outs.

use std::time::Duration;

use e3_model::Topology;
use e3_testkit::{Authority, Secure, Speech, Validity, answer};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::load::{Server, went_through};
use crate::support::E3;

/// A server that speaks TLS and either version, and answers HTTP/2 with 200 and HTTP/1.1 with 202.
fn server(authority: &Authority) -> (Runtime, Secure) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = authority.server("localhost", Validity::Current, &["h2", "http/1.1"]);
    let server = runtime.block_on(Secure::serve(Speech::Tls(config), |request| async move {
        answer(if format!("{:?}", request.version()) == "HTTP/2.0" { 200 } else { 202 }, &[], "hello")
    }));
    (runtime, server)
}

#[test]
fn a_server_with_a_certificate_of_ones_own_authority_is_talked_to_as_the_flags_say() {
    let e3 = E3::new();
    let authority = Authority::new();
    let ca = e3.write("ca.pem", authority.pem().as_bytes()).display().to_string();
    let other = e3.write("other.pem", Authority::new().pem().as_bytes()).display().to_string();
    for (flags, status, connections, why) in [
        (&[] as &[&str], "202", 2, "HTTP/1.1 unless something else is said, a connection for each client"),
        (&["--http", "2"], "200", 2, "HTTP/2 is agreed upon"),
        (&["--connections", "per-op"], "202", 20, "a connection for each op"),
    ] {
        let (_runtime, server) = server(&authority);
        let (url, expect) = (server.https("localhost"), format!("expect={status}"));
        let common = [
            "load",
            "-s",
            "http.Request",
            "-u",
            &url,
            "--ca",
            &ca,
            "-c",
            "2",
            "-n",
            "20",
            "--json",
            "--arg",
            &expect,
        ];
        let json = went_through(e3.run(&[&common as &[&str], flags].concat())).json();
        assert_eq!(
            (&json["total"]["ok"], &json["total"]["errors"]),
            (&json!(20), &json!({})),
            "{why}: {json:#}"
        );
        // One more of each looked whether the server answers.
        assert_eq!((server.requests(), server.loopback.connections()), (21, connections + 1), "{why}");
        let run = e3.home().runs().into_iter().map(|run| e3.home().run(&run.0).unwrap()).next_back().unwrap();
        let topology: Topology = run.read().unwrap();
        assert_eq!(topology.threads[0].instance.ca.as_deref(), Some(authority.pem()), "{why}");
    }
    let runs = e3.home().runs().len();
    let (_runtime, server) = server(&authority);
    let url = server.https("localhost");
    for more in [&[] as &[&str], &["--ca", &other]] {
        let ran = e3.run(&[&["load", "-s", "http.Request", "-u", &url] as &[&str], more].concat()).exits(20);
        for part in ["localhost", "does not answer", "caused by: ", "certificate", "Nothing was begun"] {
            assert!(ran.stderr.contains(part), "{more:?}: {part} in {}", ran.stderr);
        }
    }
    assert_eq!(
        (e3.home().runs().len(), server.requests()),
        (runs, 0),
        "nobody is asked whom one does not trust"
    );
}

#[test]
fn an_op_that_takes_too_long_is_timed_out() {
    let (e3, server) = (E3::new(), Server::start(Duration::from_secs(2)));
    let url = server.url("/x");
    let flags = ["load", "-s", "http.Request", "-u", &url, "-n", "3", "--timeout", "200ms", "--json"];
    let json = went_through(e3.run(&flags)).json();
    assert_eq!(json["total"]["errors"], json!({"timeout": 3}), "{json:#}");
    assert!(json["window_end_ms"].as_u64().unwrap() < 6_000, "far below three answers: {json:#}");
}

#[test]
fn a_server_that_does_not_speak_http2_is_found_before_the_load() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    let url = server.url("/x");
    let ran = e3.run(&["load", "-s", "http.Request", "-u", &url, "--http", "2"]).exits(20);
    assert!(ran.stderr.contains("does it speak HTTP/2 without TLS?"), "{}", ran.stderr);
    assert!(e3.home().runs().is_empty());
}
