//! `e3 validate`: good files give a plan, bad files give findings, nothing gives a panic.

use serde_json::Value;

use crate::support::E3;

#[test]
fn the_library_is_valid_and_explains_itself() {
    let e3 = E3::new();
    for (experiment, clients) in [("quickstart", 4), ("smoke", 4), ("local-open-load", 50)] {
        let ran = e3.run(&["validate", "-e", experiment, "--explain"]).exits(0);
        assert_eq!(ran.stderr, "", "no findings");
        for word in ["1 node", "2 nodes", "scm.GitCloneOverHttp"] {
            assert!(ran.stdout.contains(word), "{word} in {}", ran.stdout);
        }
        let json = e3.run(&["validate", "-e", experiment, "--json"]).exits(0).json();
        assert_eq!(json["findings"], Value::Array(vec![]));
        assert_eq!(json["plan"]["format"], "e3/plan");
        let planned = json["plan"]["threads"][0]["stages"][0]["clients"].as_array().unwrap().len();
        assert_eq!(planned, clients);
    }
}

#[test]
fn every_bad_file_gives_findings_with_line_and_column() {
    let e3 = E3::new();
    let good = e3.home().find(e3_model::Kind::Experiment, "smoke").unwrap().text;
    let wide = format!("{{\"threads\": [{}]}}", vec!["{\"name\": 1}"; 1_000_000].join(","));
    let deep = "[".repeat(200_000);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", b"".to_vec()),
        ("no JSON", b"threads: yes please".to_vec()),
        ("truncated", good.as_bytes()[..good.len() / 2].to_vec()),
        ("wrong types", br#"{"threads": "two", "duration": [], "seed": "one"}"#.to_vec()),
        ("unknown key", good.replace("\"duration\"", "\"durations\"").into_bytes()),
        ("absurd number", good.replace("\"seed\": 1", "\"seed\": 1e999").into_bytes()),
        ("negative clients", good.replace("\"clients\": 4", "\"clients\": -4").into_bytes()),
        ("text for a rate", good.replace("\"clients\": 4", "\"rate\": \"5\"").into_bytes()),
        ("ramp without an end", good.replace("\"clients\": 4", "\"rate\": {\"from\": 5}").into_bytes()),
        ("a rate for clients", good.replace("\"clients\": 4", "\"clients\": 4, \"rate\": 5").into_bytes()),
        (
            "arrivals of clients",
            good.replace("\"clients\": 4", "\"clients\": 4, \"arrival\": \"poisson\"").into_bytes(),
        ),
        ("no such version of HTTP", good.replace("\"seed\"", "\"http\": 3, \"seed\"").into_bytes()),
        ("unknown workload", good.replace("\"workload\": \"smoke\"", "\"workload\": \"smoek\"").into_bytes()),
        (
            "unknown snapshot",
            good.replace("\"snapshot\": \"smoke\"", "\"snapshot\": \"nowhere\"").into_bytes(),
        ),
        ("ten megabytes", wide.into_bytes()),
        ("deep", deep.into_bytes()),
        ("no threads", br#"{"duration": 1000, "workload": "smoke", "threads": []}"#.to_vec()),
    ];
    for (what, text) in cases {
        assert_ne!(text, good.as_bytes(), "{what} changes nothing");
        let path = e3.write("bad.json", &text);
        let path = path.to_str().unwrap();
        let json = e3.run(&["validate", "-e", path, "--json"]).exits(10).json();
        let findings = json["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["severity"] == "error"), "{what}: {findings:#?}");
        for finding in findings {
            assert!(
                finding["location"]["line"].as_u64().is_some_and(|line| line >= 1),
                "{what}: {finding:#}"
            );
            assert!(
                finding["location"]["column"].as_u64().is_some_and(|column| column >= 1),
                "{what}: {finding:#}"
            );
        }
        assert_eq!(json["plan"], Value::Null, "{what}");
        let text = e3.run(&["validate", "-e", path]).exits(10);
        assert!(
            text.stderr.contains("error") && text.stderr.contains("bad.json:"),
            "{what}: {}",
            text.stderr
        );
        assert_eq!(e3.run(&["orchestrate", "-e", path]).code, Some(10), "{what}");
    }
    assert_eq!(e3.home().runs(), [], "nothing was begun");
}

#[test]
fn weights_that_do_not_add_up_are_found_in_the_workload_file() {
    let e3 = E3::new();
    e3.write(
        "workloads/lopsided.json",
        br#"[{"script": "web.Status", "weight": 0.5}, {"script": "web.Statsu", "weight": 0.2}]"#,
    );
    let experiment = e3.home().find(e3_model::Kind::Experiment, "smoke").unwrap().text;
    let experiment = experiment.replace("\"workload\": \"smoke\"", "\"workload\": \"lopsided\"");
    let path = e3.write("experiments/lopsided.json", experiment.as_bytes());
    let ran = e3.run(&["validate", "-e", "lopsided"]).exits(10);
    assert!(
        ran.stderr.contains("0.7") && ran.stderr.contains("workloads/lopsided.json:1:"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("did you mean") && ran.stderr.contains("web.Status"), "{}", ran.stderr);
    assert!(path.is_file());
}
