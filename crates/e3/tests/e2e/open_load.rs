//! The open model through the binary: from flags and from a file.

use std::time::Duration;

use e3_model::{Analysis, Arrival, Connections, Plan, Run, Span, Stamp, Verify};
use serde_json::{Value, json};

use crate::load::{Server, went_through};
use crate::orchestrate::believable;
use crate::support::E3;

#[test]
fn what_is_due_at_a_rate_is_asked_and_nothing_else() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    let url = server.url("/x");
    let flags = ["-s", "http.Request", "-u", &url, "--rate", "50", "-d", "2s", "--timeout", "30s"];
    let ran = went_through(e3.run(&[&["load", "--json"] as &[&str], &flags].concat()));
    let json = ran.json();
    let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_u64).unwrap();
    // 50 a second for two seconds. On a busy machine the stage's end may come before the last of them began.
    assert_eq!(number("/honesty/arrivals/due"), 100, "{json:#}");
    assert_eq!(number("/total/count") + number("/total/cancelled"), 100, "{json:#}");
    assert_eq!(json["total"]["errors"], json!({}), "{json:#}");
    assert!(number("/total/ok") >= 90, "{json:#}");
    assert_eq!(number("/clients"), 500, "ten seconds' worth");
    let rate =
        json!({"arrival": "constant", "from": 50.0, "to": 50.0, "ramp": 0, "seed": json["rate"]["seed"]});
    assert_eq!(json["rate"], rate);
    assert_eq!(json["transport"]["op_timeout"], 30_000);
    // One more looked whether the server answers.
    let begun = 100 - number("/honesty/arrivals/unstarted");
    assert_eq!(u64::try_from(server.server.requests()).unwrap(), begun + 1, "{json:#}");
    let run = e3.only_run();
    assert_eq!(run.read::<Run>().unwrap().stages[0].samples, 100, "what never began is a sample, too");
    assert_eq!(run.read::<Plan>().unwrap().threads[0].stages[0].clients.len(), 500);
    assert!(run.report_file().is_file());
    e3.assert_nothing_left();
}

#[test]
fn people_read_the_rate_and_how_its_schedule_was_kept() {
    let (e3, server) = (E3::new(), Server::start(Duration::from_millis(100)));
    let url = server.url("/x");
    let flags =
        ["load", "-s", "http.Request", "-u", &url, "--rate", "60/s", "--arrival", "poisson", "-d", "1s"];
    let kept = went_through(e3.run(&flags));
    for part in [
        &format!("http.Request at {url}, 60/s (Poisson), at most 600 clients"),
        " starts due, warm-up included: ",
    ] {
        assert!(kept.stdout.contains(part), "{part} in\n{}", kept.stdout);
    }
    assert!(kept.stderr.contains("60/s (Poisson) by at most 600 clients for 1 s"), "{}", kept.stderr);
    // Six clients could keep up with it; one does a sixth of it, and says so.
    let bound = went_through(e3.run(&[&flags as &[&str], &["--max-clients", "1", "--json"]].concat())).json();
    let number = |pointer: &str| bound.pointer(pointer).and_then(Value::as_f64).unwrap();
    assert!(bound["stamps"].as_array().unwrap().contains(&json!("concurrency-bound")), "{bound:#}");
    let due = number("/honesty/arrivals/due");
    assert_eq!(number("/total/count") + number("/total/cancelled"), due, "nothing vanishes: {bound:#}");
    assert!(number("/total/count") <= 11.0, "one client at a tenth of a second each: {bound:#}");
    assert!(number("/honesty/arrivals/unstarted") > 0.0 && number("/honesty/arrivals/most_busy") == 1.0);
    assert!(number("/total/latency/max_ms") > 400.0, "latency counts from when it was due: {bound:#}");
    let said = went_through(e3.run(&[&flags as &[&str], &["--max-clients", "1"]].concat())).stdout;
    for part in [
        "found every client busy",
        "the longest wait was",
        "had not begun at the end",
        "--max-clients allows more",
    ] {
        assert!(said.replace('\n', " ").contains(part), "{part} in\n{said}");
    }
}

#[test]
fn a_count_ends_an_open_load_too() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    let url = server.url("/x");
    let json = went_through(e3.run(&[
        "load",
        "-s",
        "http.Request",
        "-u",
        &url,
        "--rate",
        "100..300",
        "--ramp-up",
        "5s",
        "-n",
        "120",
        "--json",
    ]))
    .json();
    assert_eq!(json["total"]["count"], 120, "{json:#}");
    assert_eq!(json["honesty"]["arrivals"]["due"], 120, "{json:#}");
    assert_eq!((&json["rate"]["from"], &json["rate"]["ramp"]), (&json!(100.0), &json!(5_000)));
    // The 120th is due when 119 are expected: 100 t + 20 t² = 119 has t = 0.994 s.
    let seconds = json["window_end_ms"].as_f64().unwrap() / 1000.0;
    assert!((0.99..10.0).contains(&seconds), "{seconds} s");
}

#[test]
fn flags_that_make_no_sense_are_explained() {
    let (e3, server) = (E3::new(), Server::start(Duration::ZERO));
    e3.write("empty.pem", b"no certificate");
    let url = server.url("");
    let tls = "https://127.0.0.1:1";
    for (url, flags, code, said, hint) in [
        (
            &url as &str,
            &["--rate", "5", "-c", "2"] as &[&str],
            2,
            "two kinds of load",
            "--max-clients bounds how many",
        ),
        (
            &url,
            &["--rate", "5", "--think-time", "1s"],
            2,
            "--think-time means nothing with --rate",
            "--clients",
        ),
        (&url, &["--max-clients", "4"], 2, "there is no --rate", "such as --rate 20"),
        (&url, &["--arrival", "poisson"], 2, "there is no --rate", "such as --rate 20"),
        (&url, &["--rate", "fast"], 2, "\"fast\" is no number of starts per second", "10..200 for a ramp"),
        (&url, &["--rate", "5", "--arrival", "poison"], 2, "constant, poisson", "'poisson'"),
        (&url, &["--rate", "0"], 2, "0 is not from 0.000001", "--rate"),
        (&url, &["--rate", "0..0"], 10, "goes from 0 to 0", "hint: "),
        (
            &url,
            &["--rate", "5", "--ramp-up", "10s", "-d", "5s"],
            10,
            "ends before the rate is reached",
            "shorter",
        ),
        (
            &url,
            &["--rate", "1000000", "-d", "1h"],
            10,
            "3,600,000,000 iterations due",
            "at most 1,000,000,000",
        ),
        (&url, &["--timeout", "0"], 10, "\"opTimeout\" is 0", "such as \"30s\""),
        (&url, &["--http", "3"], 2, "1.1, 2", "--http"),
        (&url, &["--connections", "keepalive"], 2, "keep-alive, per-op", "'keep-alive'"),
        (&url, &["--ca", "empty.pem"], 2, "--ca is for https", "begin the URL with https"),
        (tls, &["--ca", "none.pem"], 2, "the certificates cannot be read from none.pem", ""),
        (tls, &["--ca", "empty.pem"], 2, "empty.pem has no certificates", "-----BEGIN CERTIFICATE-----"),
        (tls, &[], 20, "https://127.0.0.1:1 does not answer", "Nothing was begun"),
    ] {
        let ran = e3.run(&[&["load", "-s", "http.Request", "-u", url], flags].concat());
        let stderr = &ran.stderr;
        assert_eq!(ran.code, Some(code), "{flags:?}: {stderr}");
        assert!(stderr.contains(said) && stderr.contains(hint), "{flags:?}: {stderr}");
        assert_eq!(ran.stdout, "", "{flags:?}");
    }
    assert!(e3.home().runs().is_empty(), "nothing was begun");
    assert_eq!(server.server.requests(), 0, "and nobody asked");
}

#[test]
fn an_experiment_holds_rates_with_a_transport_for_each_stage() {
    let e3 = E3::new();
    let experiment = json!({
        "duration": "1500ms", "workload": "smoke", "warmUp": "300ms", "opTimeout": "1m",
        "threads": [{"name": "one", "instance": {"provider": "local", "snapshot": "smoke"}, "stages": [
            {"rate": 10, "arrival": "poisson"},
            {"rate": {"from": 5, "to": 20}, "maxClients": 40, "connections": "perOp", "opTimeout": "20s", "verify": "sampled"},
            {"clients": 2, "mix": "ops"},
        ]}],
    });
    e3.write("experiments/open.json", experiment.to_string().as_bytes());
    believable(&e3, e3.run(&["orchestrate", "-e", "open"]));
    let run = e3.only_run();
    let analysis: Analysis = run.read().unwrap();
    let [held, ramp, closed] = analysis.threads[0].stages.as_slice() else { panic!("three stages") };
    for stage in [held, ramp, closed] {
        assert_eq!(stage.total.errors, std::collections::BTreeMap::new(), "{}", stage.stage);
        assert!(stage.total.ok > 0, "{}", stage.stage);
        assert!(!stage.stamps.contains(&Stamp::ConcurrencyBound), "{}: {:?}", stage.stage, stage.honesty);
    }
    assert_eq!((held.clients, held.arrivals.as_ref().unwrap().arrival), (100, Arrival::Poisson));
    assert_eq!((ramp.clients, ramp.arrivals.as_ref().unwrap().ramp), (40, Span::from_millis(1500)));
    // 18.75 are expected within the ramp, and the first is due at once.
    assert_eq!(ramp.honesty.arrivals.unwrap().due, 19);
    assert_eq!((closed.arrivals.as_ref(), closed.honesty.arrivals), (None, None));
    let shown = |stage: &e3_model::StageAnalysis| {
        let transport = &stage.transport;
        (transport.op_timeout, transport.connections, transport.verify)
    };
    assert_eq!(shown(held), (Span::from_secs(60), None, Verify::Always));
    assert_eq!(shown(ramp), (Span::from_secs(20), Some(Connections::PerOp), Verify::Sampled));
    assert_eq!(shown(closed), shown(held), "a stage's transport is its own");
    let status = e3.run(&["status"]).exits(0).stdout;
    assert!(status.contains("10/s (Poisson)") && status.contains("2 clients"), "{status}");
    e3.assert_nothing_left();
}
