//! Searches: what they may say, and the plan that becomes of them.

use e3_model::{Arrival, SearchPlan, StagePlan};
use serde_json::{Value, json};

use super::library::{Shelf, planned_with};
use crate::{Kind, Planned, explain, probe};

/// Plans one stage of a workload of two jobs.
fn with(stage: &Value) -> Planned {
    let text = json!({
        "duration": "1m", "warmUp": "10s", "workload": "two",
        "threads": [{"instance": {"snapshot": "quickstart"}, "stages": [stage]}]
    });
    let workload =
        json!([{"script": "scm.GitCloneOverHttp", "weight": 0.25}, {"script": "web.Status", "weight": 0.75}]);
    let shelf = Shelf::embedded().with(Kind::Workload, "two", &workload.to_string());
    planned_with(&text.to_string(), &shelf)
}

fn stage(stage: &Value) -> StagePlan {
    let planned = with(stage);
    assert_eq!(planned.findings.0, [], "{stage}");
    planned.plan.unwrap().threads[0].stages[0].clone()
}

#[test]
fn what_is_left_out_has_its_default() {
    let slo = json!(["p95(Status) < 400ms", "errors < 1%"]);
    for (load, from, to) in [
        (json!({"clients": 100}), 6.0, 100.0),
        (json!({"clients": 8, "mix": "ops"}), 1.0, 8.0),
        (json!({"rate": 160, "arrival": "poisson"}), 10.0, 160.0),
        (json!({"rate": 8.0, "duration": "10m"}), 1.0, 8.0),
        (json!({"rate": 0.5, "duration": "1h"}), 0.5, 0.5),
    ] {
        let mut written = load.clone();
        written["search"] = json!({"slo": slo});
        let plan = stage(&written);
        let SearchPlan { slo: read, from: first, to: last, precision, probes, repeats } =
            plan.search.clone().unwrap();
        assert_eq!(
            read.iter().map(|it| it.text.as_str()).collect::<Vec<_>>(),
            ["p95(Status) < 400ms", "errors < 1%"]
        );
        assert_eq!((first, last, precision, probes, repeats), (from, to, 0.1, 12, 2), "{load}");
    }
}

#[test]
fn a_probe_of_a_planned_stage_is_the_stage_at_its_load() {
    let search = json!({"slo": ["errors < 1%"], "from": 10, "precision": 0.05, "probes": 20, "repeats": 3});
    let open = stage(
        &json!({"rate": 160, "arrival": "poisson", "rampUp": "5s", "maxClients": 77, "search": search}),
    );
    let arrivals = probe(&open, 40.0, 1).arrivals.unwrap();
    assert_eq!((arrivals.arrival, arrivals.from, arrivals.to), (Arrival::Poisson, 0.0, 40.0));
    assert_eq!(probe(&open, 40.0, 1).clients.len(), 77);

    let closed = stage(&json!({"clients": 64, "rampUp": "5s", "search": search}));
    let probe = probe(&closed, 16.0, 1);
    assert_eq!(probe.jobs.iter().map(|job| job.clients).collect::<Vec<_>>(), [4, 12]);
    assert_eq!(closed.search.unwrap().repeats, 3);
}

#[test]
fn each_fault_is_found() {
    let slo = json!(["errors < 1%"]);
    for (stage, expected) in [
        (
            json!({"clients": 64, "search": {}}),
            "the search has no condition in \"slo\", so that every load would meet it",
        ),
        (
            json!({"clients": 64, "search": {"slo": ["p99(Stat) < 1s"]}}),
            "no job of this experiment's workloads runs a script \"Stat\"",
        ),
        (
            json!({"clients": 64, "search": {"slo": ["rate > 10/s"]}}),
            "a throughput that must be reached is broken by a small load, not by a large one",
        ),
        (
            json!({"clients": 64, "search": {"slo": ["errors > 1%"]}}),
            "with \">\" this threshold holds only if many ops fail",
        ),
        (
            json!({"clients": 64, "search": {"slo": slo, "from": 64}}),
            "the search is to begin at 64, and its highest load is the stage's \"clients\", 64",
        ),
        (json!({"clients": 64, "search": {"slo": slo, "from": 4.5}}), "4.5 is no number of clients"),
        (json!({"rate": 64, "search": {"slo": slo, "from": 0}}), "a search cannot begin with no load at all"),
        (
            json!({"rate": 64, "search": {"slo": slo, "probes": 2, "repeats": 3}}),
            "with at most 2 probes none can be confirmed by 3",
        ),
        (
            json!({"clients": 64, "repeat": 2, "search": {"slo": slo}}),
            "a stage with a \"search\" cannot be repeated",
        ),
        (
            json!({"clients": 64, "operations": 1000, "warmUp": 0, "search": {"slo": slo}}),
            "a stage with a \"search\" cannot end after so many \"operations\"",
        ),
        (
            json!({"rate": {"from": 1, "to": 64}, "search": {"slo": slo}}),
            "a stage with a \"search\" cannot have a rate that climbs all the time",
        ),
        (
            json!({"clients": 64, "search": {"slo": slo, "from": 1}}),
            "with 1 client, where the search begins, no client is left for 1 job of the workload \"two\": small loads have another mix",
        ),
        (
            json!({"rate": 64, "search": {"slo": ["p95(GitCloneOverHttp) < 1s"], "from": 4}}),
            "at 4/s, the first load, about 50 iterations are due after the warm-up, and this percentile needs 100: such a probe says nothing",
        ),
    ] {
        let findings = with(&stage).findings.0;
        let said: Vec<_> = findings.iter().map(|it| (it.rule.as_str(), it.message.as_str())).collect();
        assert_eq!(said, [("search", expected)], "{stage}");
        assert!(findings[0].location.is_some() && findings[0].hint.is_some(), "{stage}: {findings:?}");
    }
}

#[test]
fn a_condition_on_what_only_another_stage_runs_is_refused() {
    let text = json!({
        "duration": "1m",
        "threads": [{"instance": {"snapshot": "quickstart"}, "stages": [
            {"clients": 4, "workload": "quickstart", "mix": "ops"},
            {"clients": 64, "workload": "one", "search": {"slo": ["p95(GitCloneOverSsh) < 1s"]}}
        ]}]
    });
    let shelf = Shelf::embedded().with(Kind::Workload, "one", r#"[{"script": "web.Status", "weight": 1}]"#);
    let findings = planned_with(&text.to_string(), &shelf).findings.0;
    let said: Vec<_> = findings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        said,
        ["the stage's workload never runs scm.GitCloneOverSsh, so that no probe could say anything"]
    );
}

#[test]
fn a_plan_with_searches_explained() {
    let text = json!({
        "duration": "30s", "workload": "quickstart", "warmUp": "5s",
        "threads": [{"name": "a", "instance": {"snapshot": "quickstart"}, "stages": [
            {"clients": 4},
            {"clients": 64, "mix": "ops", "search": {"slo": ["p95 < 2s", "errors < 1%"]}},
            {"rate": 160, "search": {"slo": ["p95 < 2s"], "from": 20, "precision": 0.05, "probes": 20, "repeats": 1}}
        ]}]
    });
    let planned = planned_with(&text.to_string(), &Shelf::embedded());
    insta::assert_snapshot!(explain(&planned.plan.unwrap()));
}
