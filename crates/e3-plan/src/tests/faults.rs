//! Faults of a stage: what can be, and what is said of the rest.

use serde_json::{Value, json};

use super::library::{QUICKSTART, planned};

/// Gives the first stage faults and changes its thread, and returns each finding as `rule pointer: message | hint`.
fn found(faults: &Value, instance: &Value) -> Vec<String> {
    let mut value: Value = serde_json::from_str(QUICKSTART).unwrap();
    let stage = value.pointer_mut("/threads/0/stages/0").unwrap();
    stage["faults"] = faults.clone();
    let members = value.pointer_mut("/threads/0/instance").unwrap().as_object_mut().unwrap();
    members.extend(instance.as_object().unwrap().clone());
    let line = |finding: e3_model::Finding| {
        let hint = finding.hint.map_or_else(String::new, |hint| format!(" | {hint}"));
        format!("{} {}: {}{hint}", finding.rule, finding.pointer, finding.message)
    };
    planned(&value.to_string()).findings.0.into_iter().map(line).collect()
}

#[test]
fn faults_are_in_the_plan_as_they_were_written() {
    let mut value: Value = serde_json::from_str(QUICKSTART).unwrap();
    let faults = json!([
        {"route": "fetch", "latency": "200ms", "slots": 4},
        {"errorRate": 0.2, "status": 503, "stall": {"after": "1s", "for": "2s", "every": "10s"}},
    ]);
    value.pointer_mut("/threads/0/stages/0").unwrap()["faults"] = faults.clone();
    let planned = planned(&value.to_string());
    assert_eq!(planned.findings.0, []);
    let plan = planned.plan.unwrap();
    let expected: Vec<e3_model::Fault> = serde_json::from_value(faults).unwrap();
    assert_eq!(plan.threads[0].stages[0].faults, expected);
    assert!(
        plan.threads[0].stages[1..].iter().all(|stage| stage.faults.is_empty()),
        "each stage has its own"
    );
}

#[test]
fn what_cannot_be_is_told_where_it_is_written() {
    let at = "/threads/0/stages/0/faults";
    for (faults, expected) in [
        (
            json!([{"latency": 5}, {"route": "fetsh", "latency": 5}]),
            format!("faults {at}/1/route: there is no route \"fetsh\" | did you mean \"fetch\"?"),
        ),
        (
            json!([{"route": "elsewhere", "slots": 1}]),
            format!(
                "faults {at}/0/route: there is no route \"elsewhere\" | there are \"rest\", \"web\", \"git\", \"fetch\", \"push\" or \"refs\", and paths such as \"/scm/project\""
            ),
        ),
        (
            json!([{"route": "/metrics", "slots": 1}]),
            format!("faults {at}/0/route: requests to \"/metrics\" are never disturbed"),
        ),
        (
            json!([{"route": "web"}]),
            format!(
                "faults {at}/0: a fault without any effect; it has one or more of latency, stall, errorRate, dropRate, bytesPerSecond, slots"
            ),
        ),
        (
            json!([{"slots": 1, "status": 500}]),
            format!("faults {at}/0: \"status\" has no effect without \"errorRate\""),
        ),
        (
            json!([{"stall": {"for": "6m"}}]),
            format!(
                "faults {at}/0/stall: a stall of 6 min is not shorter than the time-out of ops, 5 min | whoever meets it times out, and is counted as an error; raise \"opTimeout\" to see latency"
            ),
        ),
        (
            json!([{"latency": "5m"}]),
            format!(
                "faults {at}/0/latency: a latency of 5 min is not shorter than the time-out of ops, 5 min | whoever meets it times out, and is counted as an error; raise \"opTimeout\" to see latency"
            ),
        ),
    ] {
        assert_eq!(found(&faults, &json!({})), [expected]);
    }
    for (faults, rule) in [
        (json!([{"errorRate": 1.5}]), "out-of-range"),
        (json!([{"dropRate": -1}]), "out-of-range"),
        (json!([{"slots": 0}]), "out-of-range"),
        (json!([{"bytesPerSecond": 1}]), "out-of-range"),
        (json!([{"errorRate": 0.5, "status": 302}]), "out-of-range"),
        (json!([{"latncy": 5}]), "unknown-key"),
        (json!([{"stall": {}}]), "missing-key"),
        (json!({"latency": 5}), "wrong-type"),
    ] {
        let found = found(&faults, &json!({}));
        assert!(found.len() == 1 && found[0].starts_with(rule), "{faults}: {found:?}");
    }
    let many = vec![json!({"slots": 1}); 33];
    assert_eq!(
        found(&json!(many), &json!({})),
        [format!("faults {at}: 33 faults are too many; there may be 32")]
    );
}

#[test]
fn only_a_githost_of_e3_can_be_disturbed() {
    let faults = json!([{"latency": 5}]);
    for (provider, instance) in [
        ("existing", json!({"provider": "existing"})),
        ("ssh", json!({"provider": null, "stack": {"Name": "mine"}})),
        ("aws", json!({"provider": "aws", "template": "BitbucketServer"})),
    ] {
        let said = format!(
            "faults /threads/0/stages/0/faults: a system of the provider \"{provider}\" cannot be disturbed | only a githost can"
        );
        let found = found(&faults, &instance);
        assert!(found.iter().any(|finding| finding.starts_with(&said)), "{found:#?}");
    }
}
