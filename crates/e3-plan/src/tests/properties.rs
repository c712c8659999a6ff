//! Lines of `bitbucket.properties`: what is said of them, and what becomes of them in the plan.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::library::planned;

/// Returns an experiment whose instance has these lines, and these other settings.
fn experiment(properties: &[&str], more: &Value) -> String {
    let mut instance = json!({"snapshot": "smoke", "properties": properties});
    instance.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "duration": "1m", "workload": "smoke",
        "threads": [{"instance": instance, "stages": [{"clients": 10}]}],
    })
    .to_string()
}

/// Returns each finding of this rule as `pointer: message (hint)`.
fn found(properties: &[&str], more: &Value) -> Vec<String> {
    let findings = planned(&experiment(properties, more)).findings.0;
    let of_rule = findings.iter().filter(|finding| finding.rule == "property");
    of_rule
        .map(|finding| {
            assert_eq!(serde_json::to_value(finding.severity).unwrap(), "error", "{finding:?}");
            let pointer = finding.pointer.trim_start_matches("/threads/0/instance/");
            format!("{pointer}: {} ({})", finding.message, finding.hint.clone().unwrap_or_default())
        })
        .collect()
}

#[test]
fn lines_that_a_githost_knows_reach_the_plan() {
    let lines = [
        "throttle.resource.scm-hosting.strategy=fixed",
        " throttle.resource.scm-hosting.fixed.limit = 1.5*cpu",
    ];
    let planned = planned(&experiment(&lines, &json!({})));
    assert_eq!(planned.findings.0, []);
    let expected = [
        ("throttle.resource.scm-hosting.fixed.limit", "1.5*cpu"),
        ("throttle.resource.scm-hosting.strategy", "fixed"),
    ];
    let expected: BTreeMap<String, String> =
        expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(planned.plan.unwrap().threads[0].instance.properties, expected);
}

#[test]
fn each_line_without_an_effect_on_a_githost_is_an_error_at_its_place() {
    let strategy = "throttle.resource.scm-hosting.strategy=fixed";
    for (lines, expected, why) in [
        (
            vec![strategy, "throttle.resource.scm-hosting.fixed.limits=16"],
            "properties/1: \"throttle.resource.scm-hosting.fixed.limits\": githost does not know the property, so it would \
             change nothing (did you mean \"throttle.resource.scm-hosting.fixed.limit\"?)",
            "a typo would compare a configuration with itself",
        ),
        (
            vec!["hibernate.cache.mode=LOCAL"],
            "properties/0: \"hibernate.cache.mode\": githost does not know the property, so it would change nothing (take it \
             out; `e3 explain` lists those that a githost knows)",
            "a line that only Bitbucket knows",
        ),
        (
            vec!["throttle.resource.scm-hosting.adaptive.interval=2", strategy],
            "properties/0: \"throttle.resource.scm-hosting.adaptive.interval\": it would change nothing: \
             throttle.resource.scm-hosting.strategy is \"fixed\" (take it out, or the other)",
            "a line of the other strategy",
        ),
        (
            vec!["feature.rate.limiting=on"],
            "properties/0: \"feature.rate.limiting\": \"on\" is not \"true\" or \"false\" (Whether a user who asks too often is \
             refused with 429: REST and Git over HTTP, by password or token. Without it: false, unlike Bitbucket's.)",
            "a value of another form",
        ),
        (
            vec![strategy, strategy],
            "properties/1: the property \"throttle.resource.scm-hosting.strategy\" is given twice ()",
            "one of the two would silently win",
        ),
        (
            vec!["throttle.resource.scm-hosting.strategy"],
            "properties/0: \"throttle.resource.scm-hosting.strategy\" is not a line such as \
             \"throttle.resource.scm-hosting.strategy=fixed\" ()",
            "no line at all",
        ),
    ] {
        assert_eq!(found(&lines, &json!({})), [expected], "{why}");
    }
}

#[test]
fn of_a_real_bitbucket_only_the_form_counts() {
    let aws = json!({"template": "BitbucketDataCenter"});
    assert_eq!(found(&["hibernate.cache.mode=LOCAL", "db.schema.lock.maxWait=600"], &aws), [""; 0]);
    assert_eq!(found(&["hibernate.cache.mode"], &aws).len(), 1);
}
