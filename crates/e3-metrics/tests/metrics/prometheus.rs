//! Servers that tell about themselves, well and badly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e3_metrics::{Endpoint, MetricSource, Readout, Targets};
use e3_testkit::{Loopback, answer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep};

fn source(url: String) -> Box<dyn MetricSource> {
    let kind = e3_metrics::all().into_iter().find(|kind| kind.name == "prometheus").unwrap();
    let endpoints = vec![Endpoint { subject: "node-1".to_owned(), url }];
    (kind.open)(&Targets { processes: Vec::new(), endpoints }).remove(0)
}

fn values(readout: &Readout) -> Vec<(&str, f64)> {
    readout.observations.iter().map(|observation| (&*observation.name, observation.value)).collect()
}

fn problem(readout: &Readout) -> String {
    assert_eq!(readout.problems.len(), 1, "{:?}", readout.problems);
    e3_model::with_causes(&readout.problems[0])
}

#[tokio::test]
async fn a_server_is_asked_over_one_connection_and_its_counters_become_rates() {
    let asked = Arc::new(AtomicU64::new(0));
    let server = Loopback::serve({
        let asked = Arc::clone(&asked);
        move |request| {
            assert_eq!(request.uri().path(), "/base/metrics");
            let count = asked.fetch_add(1, Ordering::Relaxed) * 100;
            let text = format!("# TYPE a_total counter\na_total {count}\n# TYPE b_bytes gauge\nb_bytes 7\n");
            async move { answer(200, &[("content-type", "text/plain; version=0.0.4")], text) }
        }
    })
    .await;
    let mut source = source(format!("{}/base/metrics", server.url()));
    assert_eq!(values(&source.read().await), [("b_bytes/value", 7.0)]);
    let begun = Instant::now();
    sleep(Duration::from_millis(200)).await;
    let readout = source.read().await;
    let longest = begun.elapsed().as_secs_f64() + 0.5;
    assert!(readout.problems.is_empty());
    let rate = values(&readout)[0].1;
    assert!((100.0 / longest..=100.0 / 0.19).contains(&rate), "{rate}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn bad_answers_are_problems_and_the_next_look_is_a_new_one() {
    let number = Arc::new(AtomicU64::new(0));
    let server = Loopback::serve({
        let number = Arc::clone(&number);
        move |_| {
            let answered = match number.fetch_add(1, Ordering::Relaxed) {
                0 => answer(500, &[], "a 1\n"),
                1 => answer(200, &[], vec![b'a'; 5 << 20]),
                2 => answer(200, &[], "<html>\n\u{0}\u{1} é\na 1\n"),
                3 => answer(200, &[("content-encoding", "br")], "a 1\n"),
                _ => answer(200, &[], "a 1\n"),
            };
            async move { answered }
        }
    })
    .await;
    let url = format!("{}/metrics", server.url());
    let mut source = source(url.clone());
    assert_eq!(problem(&source.read().await), format!("{url} answered with HTTP status 500"));
    let huge = source.read().await;
    assert!(problem(&huge).starts_with(&format!("cannot get {url}")), "{huge:?}");
    assert_eq!(values(&huge), []);
    let garbage = source.read().await;
    assert_eq!(problem(&garbage), format!("{url} serves a text with mistakes: line 1: no name of a metric"));
    assert_eq!(values(&garbage), [("a/value", 1.0)], "what is right is read");
    assert!(problem(&source.read().await).starts_with(&format!("cannot get {url}")));
    let good = source.read().await;
    assert!(good.problems.is_empty());
    assert_eq!(values(&good), [("a/value", 1.0)]);
}

#[tokio::test]
async fn a_server_that_closes_or_is_not_there_is_a_problem() {
    let server = Loopback::raw(async |mut stream: tokio::net::TcpStream, _| {
        let mut request = [0; 512];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\na 1\nb 2").await;
    })
    .await;
    let readout = source(format!("{}/metrics", server.url())).read().await;
    assert!(problem(&readout).starts_with("cannot get http://127.0.0.1:"));
    assert_eq!(values(&readout), [], "half a text is none");
    let readout = source("http://127.0.0.1:1/metrics".to_owned()).read().await;
    assert!(problem(&readout).starts_with("cannot get http://127.0.0.1:1/metrics"));
    let readout = source("https://127.0.0.1/metrics".to_owned()).read().await;
    assert!(problem(&readout).starts_with("cannot get https://127.0.0.1/metrics"));
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_not_waited_for() {
    let server = Loopback::raw(async |mut stream: tokio::net::TcpStream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
        // A byte now and then, for ever.
        while stream.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let begun = Instant::now();
    let readout = source(format!("{}/metrics", server.url())).read().await;
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(problem(&readout).ends_with("/metrics was not read within 2 s"), "{readout:?}");
}
