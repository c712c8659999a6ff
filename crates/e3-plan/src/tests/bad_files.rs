//! Files that are no experiments: findings with line and column, never a panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::library::{QUICKSTART, SMOKE, Shelf, planned, planned_with, short};
use crate::Kind;
use crate::pointer;

#[test]
fn what_is_not_json_is_said_with_its_place() {
    let deep = "[".repeat(100_000);
    let deep_object = "{\"a\":".repeat(100_000);
    for (text, expected) in [
        ("", "syntax 1:1 the file is empty"),
        (" \n\t", "syntax 1:1 the file is empty"),
        ("\u{feff}{}", "syntax 1:1 the file begins with a byte order mark"),
        ("hello", "syntax 1:1 this is not JSON: expected value"),
        ("{\n  \"threads\": [],\n}", "syntax 3:1 this is not JSON: trailing comma"),
        ("{\"a\": 1} {}", "syntax 1:10 this is not JSON: trailing characters"),
        ("{\"a\" 1}", "syntax 1:6 this is not JSON: expected `:`"),
        ("{\n // what\n}", "syntax 2:2 this is not JSON: key must be a string"),
        ("{'a': 1}", "syntax 1:2 this is not JSON: key must be a string"),
        ("{\"a\": 1e999}", "syntax 1:11 this is not JSON: number out of range"),
        ("{\"ä\": \"ü\", \"ö\": x}", "syntax 1:17 this is not JSON: expected value"),
        (
            "{\"a\": \"\0\"}",
            "syntax 1:8 this is not JSON: control character (\\u0000-\\u001F) found while parsing a string",
        ),
        ("\0", "syntax 1:1 this is not JSON: expected value"),
        ("{\"a\": \"\\ud800\"}", "syntax 1:14 this is not JSON: unexpected end of hex escape"),
        ("{\"a\": \"\\ud800\\u0041\"}", "syntax 1:19 this is not JSON: lone leading surrogate in hex escape"),
        ("{\"a\": [1,\n", "syntax 1:10 the file ends in the middle of a value"),
        (&deep, "syntax 1:128 values are nested more than 127 levels deep"),
        (&deep_object, "syntax 1:636 values are nested more than 127 levels deep"),
    ] {
        let planned = planned(text);
        let found: Vec<_> = short(&planned)
            .iter()
            .zip(&planned.findings.0)
            .map(|(place, finding)| format!("{place} {}", finding.message))
            .collect();
        assert_eq!(found, [expected], "{:?}", text.chars().take(40).collect::<String>());
    }
}

#[test]
fn json_of_another_shape_is_refused() {
    for text in ["null", "true", "1", "-1.5", "\"text\"", "[]", "[{}]"] {
        assert_eq!(short(&planned(text)), ["wrong-type 1:1"], "{text}");
    }
    assert_eq!(short(&planned("{}")), ["no-threads 1:1"]);
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    for text in [QUICKSTART, SMOKE] {
        let whole = text.trim_end();
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let planned = planned(&whole[..end]);
            assert_eq!(planned.findings.errors(), 1, "cut at {end}");
        }
    }
}

#[test]
fn a_value_of_any_other_type_anywhere_is_no_panic() {
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e308),
        json!(18_446_744_073_709_551_615_u64),
        json!(18_446_744_073_709_551_616.0_f64),
        json!(""),
        json!("99999999999d"),
        json!("\u{1b}[31m\u{0}ü"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"": {"~/": 1}}),
    ];
    let original: Value = serde_json::from_str(&experiment_with_every_key()).unwrap();
    let mut pointers = Vec::new();
    all_pointers(&original, "", &mut pointers);
    assert!(pointers.len() > 60, "{}", pointers.len());
    for pointer in &pointers {
        for value in &values {
            let mut changed = original.clone();
            *changed.pointer_mut(pointer).unwrap() = value.clone();
            planned(&serde_json::to_string_pretty(&changed).unwrap());
        }
    }
}

proptest! {
    #[test]
    fn a_file_with_a_scrambled_part_is_no_panic(
        start in 0_usize..700,
        length in 0_usize..40,
        scrap in r#"[\[\]{}",:0-9a-z\\ \nü-]{0,12}"#,
    ) {
        let mut text = QUICKSTART.to_owned();
        let start = text.floor_char_boundary(start.min(text.len()));
        let end = text.ceil_char_boundary((start + length).min(text.len()));
        text.replace_range(start..end, &scrap);
        planned(&text);
        planned_with(QUICKSTART, &Shelf::embedded().with(Kind::Workload, "quickstart", &text));
    }
}

#[test]
fn an_unknown_key_is_found_at_every_level() {
    let original: Value = serde_json::from_str(&experiment_with_every_key()).unwrap();
    let mut pointers = Vec::new();
    all_pointers(&original, "", &mut pointers);
    let open = [
        "/threads/0/instance/parameters",
        "/threads/0/worker/parameters",
        "/threads/1/instance/stack",
        "/threads/1/worker/stack",
    ];
    let mut levels = 0;
    for pointer in pointers.iter().filter(|pointer| !open.contains(&pointer.as_str())) {
        let mut changed = original.clone();
        let Value::Object(members) = changed.pointer_mut(pointer).unwrap() else { continue };
        members.insert("nonsense".to_owned(), json!(1));
        levels += 1;
        let findings = planned(&serde_json::to_string_pretty(&changed).unwrap()).findings;
        let unknown: Vec<_> = findings.0.iter().filter(|finding| finding.rule == "unknown-key").collect();
        assert_eq!(unknown.len(), 1, "{pointer}");
        assert_eq!(unknown[0].pointer, pointer::join(pointer, "nonsense"));
    }
    assert!(levels >= 10, "{levels}");
}

#[test]
fn absurd_numbers_are_out_of_range() {
    for (key, value) in [
        ("clients", "0"),
        ("clients", "-1"),
        ("clients", "1e308"),
        ("clients", "18446744073709551616"),
        ("clients", "4294967296"),
        ("repeat", "100000"),
        ("operations", "1e30"),
        ("rate", "-1"),
        ("rate", "1e308"),
        ("rate", "0"),
        ("maxClients", "0"),
        ("maxClients", "1000001"),
        ("opTimeout", "1e30"),
        ("duration", "-1"),
        ("duration", "1e30"),
        ("duration", "\"99999999999d\""),
        ("duration", "\"99999999999999999999999999999999999999999999h\""),
    ] {
        let text = format!(
            "{{\"workload\": \"quickstart\", \"threads\": [{{\"stages\": [\n{{\"{key}\": {value}}}]}}]}}"
        );
        let findings = planned(&text).findings;
        let pointer = format!("/threads/0/stages/0/{key}");
        let found: Vec<_> = findings.0.iter().filter(|finding| finding.pointer == pointer).collect();
        assert_eq!(found.len(), 1, "{key} {value}: {findings:?}");
        assert_eq!(found[0].rule, "out-of-range", "{key} {value}");
        let location = found[0].location.as_ref().unwrap();
        assert_eq!((location.line, location.column as usize), (2, key.len() + 6), "{key} {value}");
    }
}

#[test]
fn whole_numbers_may_be_written_with_a_point() {
    let text = QUICKSTART.replace("\"clients\": 4}", "\"clients\": 4.0}").replace("\"6s\"", "6e3");
    assert_eq!(short(&planned(&text)), [""; 0]);
}

#[test]
fn columns_count_characters_and_files_may_end_their_lines_as_they_like() {
    let text = "{\r\n\"description\": \"🐌 über\", \"wörkload\": 1}";
    let planned = planned(text);
    assert!(short(&planned).contains(&"unknown-key 2:26".to_owned()), "{:?}", planned.findings);
}

#[test]
fn a_key_that_stands_twice_is_found() {
    let text = QUICKSTART.replacen("\"seed\": 674,", "\"seed\": 674,\n  \"seed\": 2,", 1);
    let planned = planned(&text);
    assert_eq!(short(&planned), ["duplicate-key 7:3"]);
    assert_eq!(
        planned.findings.0[0].hint.as_deref(),
        Some("it stands first in line 6, column 3; keep one of them")
    );
}

#[test]
fn what_a_workload_or_snapshot_has_wrong_is_found_in_its_own_file() {
    let shelf = Shelf::embedded()
        .with(Kind::Workload, "quickstart", "[\n  {\"script\": \"web.Statu\", \"weight\": 0.4},\n  {\"script\": \"web.Status\", \"weight\": 0.5}\n]")
        .with(Kind::Snapshot, "quickstart", "{\"generate\": {\n  \"seed\": 1, \"project\": 3}}");
    let findings = planned_with(QUICKSTART, &shelf).findings;
    let found: Vec<_> =
        findings.0.iter().map(|it| (it.rule.as_str(), it.location.as_ref().unwrap().to_string())).collect();
    assert_eq!(
        found,
        [
            ("weights", "workloads/quickstart.json:1:1".to_owned()),
            ("script", "workloads/quickstart.json:2:14".to_owned()),
            ("missing-key", "snapshots/quickstart.json:1:14".to_owned()),
            ("missing-key", "snapshots/quickstart.json:1:14".to_owned()),
            ("missing-key", "snapshots/quickstart.json:1:14".to_owned()),
            ("missing-key", "snapshots/quickstart.json:1:14".to_owned()),
            ("unknown-key", "snapshots/quickstart.json:2:14".to_owned()),
        ]
    );
    for broken in ["", "{", "[", "null", "[{}]", "[1]", "{}", "[]"] {
        let shelf = Shelf::embedded().with(Kind::Workload, "quickstart", broken);
        let findings = planned_with(QUICKSTART, &shelf).findings;
        assert!(findings.errors() > 0, "{broken:?}");
        let file = |it: &e3_model::Finding| it.location.as_ref().unwrap().file.clone();
        assert!(
            findings.0.iter().all(|it| file(it) == "workloads/quickstart.json"),
            "{broken:?}: {findings:?}"
        );
    }
}

#[test]
fn secrets_of_a_wrong_type_are_not_shown() {
    let snapshot = r#"{"users": [{"username": 5, "password": 12345, "private_key": ["12345"]}]}"#;
    let shelf = Shelf::embedded().with(Kind::Snapshot, "quickstart", snapshot);
    let findings = planned_with(QUICKSTART, &shelf).findings;
    assert_eq!(findings.0.iter().filter(|it| it.rule == "wrong-type").count(), 3, "{findings:?}");
    assert!(!crate::render(&findings).contains("12345"));
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_file() {
    let text = r#"{
  "seed": "one",
  "durration": "5m",
  "warmUp": "1s",
  "workload": "quikstart",
  "order": "interleafed",
  "thinkTime": {"distribution": "normal", "mean": "1s"},
  "threads": [
    {"name": "a", "instance": {"snapshot": "quickstart", "nodes": 0}, "stages": [{"client": 4}]},
    {"name": "a", "instance": {"snapshot": "nothing"}, "stages": [{"clients": 4, "rate": 5}, 7]}
  ]
}"#;
    assert_eq!(
        short(&planned(text)),
        [
            "wrong-type 2:11",
            "unknown-key 3:3",
            "workload 5:15",
            "not-allowed 6:12",
            "not-allowed 7:33",
            "out-of-range 9:67",
            "unknown-key 9:83",
            "thread-name 10:14",
            "snapshot 10:44",
            "load-model 10:90",
            "wrong-type 10:94",
        ]
    );
}

/// An experiment that uses every key there is, in both of its forms where it has two.
pub(super) fn experiment_with_every_key() -> String {
    let threads = json!([
        {
            "name": "a",
            "instance": {
                "name": "i", "version": "1", "snapshot": "quickstart", "template": "T", "properties": ["a=b"],
                "parameters": {"a": "1"}, "provider": "local", "nodes": 1, "mirrors": 0, "database": "sqlite",
                "lease": "1h", "budget": 10.0
            },
            "worker": {"name": "w", "template": "W", "parameters": {"ClusterSize": "1"}, "provider": "local",
                "nodes": 1, "lease": "1h", "budget": 10.0},
            "stages": [
                {"clients": 4, "repeat": 2, "duration": "5s", "workload": "smoke", "rampUp": 0, "warmUp": 0,
                    "thinkTime": "1s", "mix": "clients", "opTimeout": 1000, "connections": "perOp", "http": "2",
                    "verify": "sampled", "faults": [{"route": "git", "latency": 5, "stall": {"after": 1, "for": "1s",
                    "every": 5000}, "errorRate": 0.5, "status": 503, "dropRate": 0.1, "bytesPerSecond": 4096, "slots": 2}]},
                {"rate": 1.5, "operations": 10, "arrival": "poisson", "maxClients": 20,
                    "search": {"slo": ["p99(x) < 1s"]}},
                {"rate": {"from": 0, "to": 3}}
            ]
        },
        {
            "instance": {"stack": {"Name": "x"}}, "worker": {"stack": {"Name": "y"}},
            "stages": [{"clients": 1, "thinkTime": {"distribution": "exponential", "mean": 5}}]
        }
    ]);
    json!({
        "format": "e3/experiment", "version": 1, "name": "n", "description": "d", "seed": 1, "order": "interleaved",
        "gitClient": "native", "reset": "none", "collect": {"interval": "1s", "sources": ["proc"]},
        "thresholds": ["p99(x) < 2s"], "compare": "a", "duration": 5000, "workload": "quickstart", "rampUp": "1s",
        "warmUp": "1s", "thinkTime": {"distribution": "log-normal", "mean": "1s", "sigma": 1.0}, "mix": "ops",
        "opTimeout": "30s", "connections": "keepAlive", "http": "1.1", "verify": "always",
        "threads": threads
    })
    .to_string()
}

fn all_pointers(value: &Value, at: &str, pointers: &mut Vec<String>) {
    pointers.push(at.to_owned());
    match value {
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                all_pointers(entry, &pointer::join(at, index), pointers);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                all_pointers(member, &pointer::join(at, key), pointers);
            }
        }
        _ => {}
    }
}
