//! githost's own metrics through the reader of metrics: strictly by the format, and as they should be shown.

use std::time::Duration;

use e3_githost::{Ready, ServeOptions};
use e3_http::{BaseUrl, HttpSession, Request};
use e3_metrics::{Endpoint, Targets};
use e3_model::Secret;
use tokio::sync::oneshot;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_serves_what_a_strict_reader_takes() {
    let home = tempfile::tempdir().unwrap();
    let options = ServeOptions {
        home: home.path().join("home"),
        http: ([127, 0, 0, 1], 0).into(),
        ssh: None,
        admin_password: Secret::new("a long password"),
        database: None,
        node: "1".to_owned(),
        properties: std::collections::BTreeMap::new(),
    };
    let (ready, at) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let on_ready = |at: &Ready| drop(ready.send(at.http.clone()));
        e3_githost::serve(options, on_ready, async { drop(stopped.await) }).await
    });
    let url = at.await.unwrap();
    let url = url.trim_end_matches('/');

    let mut session = HttpSession::new(BaseUrl::parse(url).unwrap());
    let text = session.send(Request::get("/metrics")).await.unwrap().text().unwrap();
    let exposition = e3_metrics::parse(&text);
    assert_eq!(exposition.mistakes, [], "{text}");
    assert!(exposition.samples.len() > 20, "{text}");
    for sample in &exposition.samples {
        let kind = format!("# TYPE {} ", sample.family);
        assert!(text.contains(&kind) && text.contains(&format!("# HELP {} ", sample.family)), "{sample:?}");
        if sample.name.starts_with("com_atlassian_") {
            // Bitbucket's own names do not end by what they are.
            continue;
        }
        let counts = sample.kind == e3_metrics::Kind::Counter;
        assert_eq!(counts, sample.name.ends_with("_total"), "{sample:?}");
    }

    let prometheus = e3_metrics::all().into_iter().find(|kind| kind.name == "prometheus").unwrap();
    let endpoints = vec![Endpoint { subject: "githost-1".to_owned(), url: format!("{url}/metrics") }];
    let mut source = (prometheus.open)(&Targets { processes: Vec::new(), endpoints }).remove(0);
    // What has never happened has no sample: the first request makes the counter.
    session.send(Request::get("/rest/api/1.0/application-properties")).await.unwrap();
    source.read().await;
    for _ in 0..20 {
        session.send(Request::get("/rest/api/1.0/application-properties")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let readout = source.read().await;
    assert!(readout.problems.is_empty(), "{:?}", readout.problems);
    let shown = |name: &str| {
        let mut found = readout.observations.iter().filter(|observation| &*observation.name == name);
        let found = found.next().unwrap_or_else(|| unreachable!("{name} is not among {readout:#?}"));
        (found.value, found.unit.to_string())
    };
    let (rate, unit) = shown("githost_http_requests_total/method=GET,status=2xx");
    assert!(rate > 1.0 && unit == "1/s", "{rate} {unit}");
    let (mean, unit) = shown("githost_http_request_duration_seconds_mean/method=GET");
    assert!(mean > 0.0 && mean < 60_000.0 && unit == "ms", "{mean} {unit}");
    let (cpu, unit) = shown("process_cpu_seconds_total/value");
    assert!(cpu >= 0.0 && unit == "%", "{cpu} {unit}");
    assert_eq!(shown("githost_git_operations_running/protocol=http,service=upload-pack").0, 0.0);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
