//! Thresholds: what they may say, and what is said of those that say something else.

use e3_model::{Relation, Statistic, Threshold, ThresholdTarget};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::library::{QUICKSTART, Shelf, planned_with};
use crate::{Kind, Planned};

/// Plans the quickstart with these thresholds and a workload of a clone, two pushes of the same ops, and a status.
fn with(thresholds: &[&str]) -> Planned {
    let mut value: Value = serde_json::from_str(QUICKSTART).unwrap();
    value["thresholds"] = json!(thresholds);
    let workload = json!([
        {"script": "scm.GitCloneOverSsh", "weight": 0.4},
        {"script": "bitbucket.scm.PushChangesSlowly", "weight": 0.3},
        {"script": "web.Status", "weight": 0.3},
        {"script": "web.ListUsers", "weight": 0.0},
    ]);
    let shelf = Shelf::embedded().with(Kind::Workload, "quickstart", &workload.to_string());
    planned_with(&serde_json::to_string_pretty(&value).unwrap(), &shelf)
}

fn understood(text: &str) -> Threshold {
    let planned = with(&[text]);
    planned.plan.unwrap_or_else(|| panic!("{text}: {:?}", planned.findings)).thresholds[0].clone()
}

/// Returns the only finding of a threshold: the character of its text at which it is, its message and its hint.
fn fault(text: &str) -> (u32, String, String) {
    let planned = with(&[text]);
    let [finding] = planned.findings.0.as_slice() else { panic!("{text}: {:?}", planned.findings) };
    assert_eq!((finding.rule.as_str(), finding.pointer.as_str()), ("threshold", "/thresholds/0"), "{text}");
    // The text begins behind four spaces and its quotation mark.
    let column = finding.location.as_ref().unwrap().column - 6;
    (column, finding.message.clone(), finding.hint.clone().unwrap_or_default())
}

#[test]
fn every_form_is_understood() {
    let ssh = || Some(("scm.GitCloneOverSsh", "op"));
    let push = |op| Some(("scm.PushChangesSlowly", op));
    for (text, statistic, target, relation, limit) in [
        ("p99(GitCloneOverSsh) < 2s", Statistic::P99, ssh(), Relation::Below, 2_000.0),
        ("  p99.9 ( scm.GitCloneOverSsh / op )<=1500ms ", Statistic::P999, ssh(), Relation::AtMost, 1_500.0),
        ("mean(bitbucket.scm.GitCloneOverSsh) < 0.5 min", Statistic::Mean, ssh(), Relation::Below, 30_000.0),
        ("max < 1h", Statistic::Max, None, Relation::Below, 3_600_000.0),
        ("p50<.25s", Statistic::P50, None, Relation::Below, 250.0),
        ("p90 < 1m", Statistic::P90, None, Relation::Below, 60_000.0),
        ("p95(PushChangesSlowly/Push)<1s", Statistic::P95, push("Push"), Relation::Below, 1_000.0),
        ("p95(PushChangesSlowly)<1s", Statistic::P95, push(""), Relation::Below, 1_000.0),
        ("rate > 10/s", Statistic::Rate, None, Relation::Above, 10.0),
        ("rate(GitCloneOverSsh) >= 10 ops/s", Statistic::Rate, ssh(), Relation::AtLeast, 10.0),
        ("rate >= 0 /s", Statistic::Rate, None, Relation::AtLeast, 0.0),
        ("errors < 1%", Statistic::Errors, None, Relation::Below, 0.01),
        (
            "errors(PushChangesSlowly/Fetch) <= 0.5 %",
            Statistic::Errors,
            push("Fetch"),
            Relation::AtMost,
            0.005,
        ),
        ("errors <= 0%", Statistic::Errors, None, Relation::AtMost, 0.0),
        ("errors < 100%", Statistic::Errors, None, Relation::Below, 1.0),
    ] {
        let expected = Threshold {
            text: text.to_owned(),
            statistic,
            target: target
                .map(|(script, op)| ThresholdTarget { script: script.to_owned(), op: op.to_owned() }),
            relation,
            limit,
        };
        assert_eq!(understood(text), expected);
    }
}

#[test]
fn every_fault_has_its_column_and_its_hint() {
    let all = "statistics are p50, p90, p95, p99, p99.9, mean, max, rate, errors";
    for (text, column, message, hint) in [
        ("", 0, "the threshold is empty", "write it like"),
        ("< 2s", 0, "a threshold begins with a statistic", all),
        ("p98 < 2s", 0, "there is no statistic \"p98\"", all),
        ("  P99 < 2s", 2, "there is no statistic \"P99\"", "did you mean \"p99\"?"),
        ("median < 2s", 0, "there is no statistic \"median\"", "did you mean \"p50\"?"),
        ("erors < 2%", 0, "there is no statistic \"erors\"", "did you mean \"errors\"?"),
        ("p99(Status < 2s", 3, "this parenthesis is never closed", "write it like"),
        ("p99() < 2s", 4, "the parentheses name no script", "name one"),
        ("p99(Status/) < 2s", 11, "no op follows the \"/\"", "name one"),
        (
            "p99( Statsu) < 2s",
            5,
            "no job of this experiment's workloads runs a script \"Statsu\"",
            "did you mean \"web.Status\"?",
        ),
        (
            "p99(Push) < 2s",
            4,
            "no job of this experiment's workloads runs a script \"Push\"",
            "did you mean \"scm.PushChangesSlowly/Push\"?",
        ),
        (
            "p99(ListUsers) < 2s",
            4,
            "no job of this experiment's workloads runs a script \"ListUsers\"",
            "they run scm.GitCloneOverSsh, scm.PushChangesSlowly, web.Status",
        ),
        (
            "p99(PushChangesSlowly/Psh) < 2s",
            22,
            "scm.PushChangesSlowly has no op \"Psh\"",
            "did you mean \"Push\"?",
        ),
        (
            "p99(PushChangesSlowly/xyz) < 2s",
            22,
            "scm.PushChangesSlowly has no op \"xyz\"",
            "its ops are Fetch, Push",
        ),
        ("p99", 3, "the threshold ends before its relation", "relations are <, <=, > and >="),
        ("p99 2s", 4, "a relation must stand where \"2s\" does", "relations are"),
        ("p99 =< 2s", 4, "\"=<\" is no relation", "did you mean \"<=\"?"),
        ("p99 ≤ 2s", 4, "\"≤\" is no relation", "did you mean \"<=\"?"),
        ("p99 == 2s", 4, "\"==\" is no relation", "relations are"),
        ("p99 <", 5, "a number must follow the relation", "write it like"),
        ("p99 < two", 6, "a number must follow the relation", "write it like"),
        ("p99 < -2s", 6, "the limit is negative, and nothing that is measured is", ""),
        ("p99 < 1,5s", 6, "\"1,5\" is no number", "write digits"),
        ("p99 < 1.2.3s", 6, "\"1.2.3\" is no number", "write digits"),
        ("p99 < 2", 7, "the limit has no unit: a latency has the unit \"ms\", \"s\" or \"min\"", ""),
        ("p99 < 2%", 7, "\"%\" is no unit of it: a latency has the unit", ""),
        ("rate > 2 s", 9, "\"s\" is no unit of it: a rate has the unit \"/s\" or \"ops/s\"", ""),
        (
            "errors < 0.01",
            13,
            "the limit has no unit: errors are a share of all ops and have the unit \"%\"",
            "",
        ),
        ("p99 < 25h", 6, "the limit is out of range: it is at most 24 h", ""),
        ("errors < 101%", 9, "the limit is out of range: it is at most 100 %", ""),
        ("rate > 1e9/s", 9, "nothing may follow the limit, but \"9/s\" does", "a threshold is one condition"),
        ("p99 < 0s", 6, "this threshold can never hold: nothing is below 0", ""),
        ("p99 <= 0s", 7, "a limit of a latency is above 0", ""),
        ("errors > 100%", 9, "this threshold can never hold: no share is above 100 %", ""),
        (
            "p99 < 2s please",
            9,
            "nothing may follow the limit, but \"please\" does",
            "a threshold is one condition",
        ),
        ("p99 < 2s, errors < 1%", 8, "nothing may follow the limit", "a threshold is one condition"),
    ] {
        let found = fault(text);
        assert_eq!(found.0, column, "{text}: {found:?}");
        assert!(found.1.starts_with(message), "{text}: {found:?}");
        assert!(found.2.starts_with(hint) && found.2.is_empty() == hint.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn asking_for_slowness_is_odd() {
    for (text, column, message, hint) in [
        ("p99 > 2s", 4, "with \">\" this threshold holds only if the system is slow", "did you mean \"<\"?"),
        ("errors >= 1%", 7, "with \">=\" this threshold holds only if many ops fail", "did you mean \"<=\"?"),
        (
            "rate < 5/s",
            5,
            "with \"<\" this threshold holds only if the system does little",
            "did you mean \">\"?",
        ),
    ] {
        assert_eq!(fault(text), (column, message.to_owned(), hint.to_owned()));
        assert!(with(&[text]).plan.is_some(), "{text}: no more than a warning");
    }
}

#[test]
fn escapes_do_not_shift_the_column() {
    let text = QUICKSTART.replacen('{', "{\n\"thresholds\": [\"\\u0070\\u0039\\u0039 < 2 parsecs\"],", 1);
    let planned = planned_with(&text, &Shelf::embedded());
    let location = planned.findings.0[0].location.as_ref().unwrap();
    // Three escapes of six characters stand before " < 2 ".
    assert_eq!((location.line, location.column), (2, 17 + 18 + 5));
}

#[test]
fn what_a_broken_workload_runs_is_not_asked() {
    let mut value: Value = serde_json::from_str(QUICKSTART).unwrap();
    value["thresholds"] = json!(["p99(GitCloneOverHttp) < 2s"]);
    let shelf = Shelf::embedded().with(Kind::Workload, "quickstart", "[{\"script\": 1, \"weight\": 1}]");
    let rules: Vec<_> =
        planned_with(&value.to_string(), &shelf).findings.0.into_iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["wrong-type"], "not that no job runs the script");
}

proptest! {
    #[test]
    fn no_text_makes_a_threshold_panic(text in r"\PC{0,40}") {
        with(&[&text]);
    }

    #[test]
    fn no_near_miss_makes_a_threshold_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "p99", "p99.9", "(", ")", "Status", "/", "op", "<", "<=", ">", "ü", "≤", " ", "2", ".", "%", "s", "ms",
                "/s", "errors", "rate", "-", "\"", "\\", "\u{1F40C}", "1e400", "99999999999999999999",
            ]),
            0..12,
        ),
    ) {
        let planned = with(&[&parts.concat()]);
        let location = planned.findings.0.first().and_then(|finding| finding.location.clone());
        prop_assert!(planned.plan.is_some() || location.is_some_and(|it| it.line == 1 || it.column > 1));
    }
}
