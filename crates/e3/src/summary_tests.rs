//! The summary at several widths.

use serde_json::json;

use super::*;

fn analysis() -> Analysis {
    let threshold = |threshold: &str, state: &str, value: Option<f64>, detail: &str| {
        json!({"threshold": threshold, "thread": 1, "stage": 0, "thread_name": "2 nodes", "clients": 16, "value": value, "limit": 2000.0,
               "state": state, "detail": detail})
    };
    let thresholds: Vec<_> = [
        threshold(
            "p99(scm.GitCloneOverHttp) < 2s",
            "held",
            Some(380.0),
            "380 ms, of 1,198 successes in 60 s",
        ),
        threshold(
            "p99(scm.GitCloneOverHttp) < 2s",
            "held",
            Some(412.0),
            "412 ms, of 1,204 successes in 60 s",
        ),
        threshold("p50(web.Dashboard) < 20 ms", "broken", Some(31.2), "31.2 ms, of 4,816 successes in 60 s"),
        threshold(
            "p99.9 < 3s",
            "undecided",
            None,
            "1,204 successes are too few for a p99.9, which needs 5,000",
        ),
    ]
    .into();
    serde_json::from_value(json!({
        "format": "e3/analysis", "version": 1, "experiment": "quickstart", "run": "quickstart-2026-11-22T20-05-31",
        "description": null, "started_at": "2026-11-22T20:05:31Z", "order": "interleaved",
        "answer": {
            "text": "“2 nodes” did 26.2 % more ops per second than “1 node” at 16 clients.",
            "confidence": "The 95 % interval is +14 % to +39.8 %, from 1,204 and 954 successes in 16 s each.",
            "verdict": "better",
        },
        "headlines": [
            {"label": "Highest throughput", "value": "254 ops/s",
             "detail": "“2 nodes” at 16 clients; 1,271 successes of all ops in 5 s (95 % interval 208 to 307 ops/s)."},
            {"label": "Errors at the highest throughput", "value": "0 %", "detail": "0 of 1,271 ops."},
        ],
        "stamps": ["co-located"], "thresholds": thresholds, "threads": [],
    }))
    .unwrap()
}

#[test]
fn the_summary_fits_its_width() {
    let mut out = String::new();
    for columns in [60, 80, 100] {
        let text =
            summary(&analysis(), Path::new("/e3-home/runs/r/report/index.html"), columns, Style::PLAIN);
        for line in text.lines() {
            assert!(text::columns(line) <= columns, "{columns}: {line}");
        }
        out.push_str(&format!("{columns}\n{text}\n"));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_probes_of_a_search_are_listed_by_how_they_came_out() {
    let mut analysis = analysis();
    let probe = |(stage, load, verdict): (u32, f64, Option<&str>)| json!({"stage": stage, "load": load, "verdict": verdict, "reason": ""});
    let probes = [
        (2, 20.0, Some("held")),
        (3, 40.0, Some("held")),
        (4, 80.0, Some("broken")),
        (5, 56.5685, Some("broken")),
        (6, 47.5683, Some("undecided")),
        (7, 47.5683, Some("held")),
        (8, 47.5683, None),
    ];
    let search = json!({
        "thread": 0, "stage": 1, "thread_name": "1 node", "slo": ["p95(scm.GitCloneOverHttp) < 2s", "errors < 1%"],
        "is_open": true, "highest_held": 47.5683, "lowest_broken": 56.5685, "end": "cut-short", "sentence": "",
        "probes": probes.map(probe),
    });
    analysis.searches = vec![serde_json::from_value(search).unwrap()];
    analysis.thresholds.clear();
    let out = summary(&analysis, Path::new("r.html"), 60, Style::PLAIN);
    assert!(out.lines().all(|line| text::columns(line) <= 60), "{out}");
    let (_, probes) = out.split_once("\n\n7 probes").unwrap();
    insta::assert_snapshot!(format!("7 probes{probes}"), @r"
    7 probes of “1 node”: p95(scm.GitCloneOverHttp) < 2s and
    errors < 1%
      held       20/s, 40/s, 47.568/s
      broken     80/s, 56.569/s
      undecided  47.568/s
      not ended  47.568/s

    report: r.html
    ");
}

#[test]
fn what_there_is_nothing_to_say_of_is_left_out() {
    let mut analysis = analysis();
    analysis.answer = e3_model::Answer::default();
    analysis.thresholds.clear();
    analysis.headlines.clear();
    assert_eq!(summary(&analysis, Path::new("r.html"), 80, Style::PLAIN), "\n\nreport: r.html\n");
}
