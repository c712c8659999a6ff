//! Rules about what an experiment means: a table of experiments and what is found in them.

use serde_json::{Value, json};

use super::library::{OPEN, QUICKSTART, SMOKE, Shelf, planned, planned_with, short};
use crate::Kind;

/// Changes `QUICKSTART` at a pointer, null taking the value away, and returns each finding as `rule: message`.
fn found(changes: &[(&str, Value)]) -> Vec<String> {
    found_with(changes, &Shelf::embedded())
}

fn found_with(changes: &[(&str, Value)], shelf: &Shelf) -> Vec<String> {
    let mut value: Value = serde_json::from_str(QUICKSTART).unwrap();
    for (pointer, change) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = value.pointer_mut(parent).unwrap();
        match (parent, change) {
            (Value::Object(members), Value::Null) => drop(members.remove(key)),
            (Value::Object(members), change) => drop(members.insert(key.to_owned(), change.clone())),
            (parent, change) => parent[key.parse::<usize>().unwrap()] = change.clone(),
        }
    }
    let findings = planned_with(&value.to_string(), shelf).findings;
    findings.0.into_iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
}

#[test]
fn what_comes_with_e3_is_flawless() {
    for text in [QUICKSTART, OPEN, SMOKE] {
        assert_eq!(short(&planned(text)), [""; 0]);
    }
}

#[test]
fn each_rule_speaks_for_itself() {
    let stage = json!([{"clients": 4}]);
    let none = Value::Null;
    for (changes, expected) in [
        (vec![("/threads", none.clone())], "no-threads: the experiment has no \"threads\""),
        (vec![("/threads", json!([]))], "too-few: \"threads\" holds too few entries: it needs 1 entry"),
        (
            vec![("/threads/1/name", json!("1 node"))],
            "thread-name: two threads are called \"1 node\": this one and thread number 1",
        ),
        (
            vec![("/threads/0/name", json!("thread 2")), ("/threads/1/name", none.clone())],
            "thread-name: two threads are called \"thread 2\": this one and thread number 1",
        ),
        (vec![("/threads/0/stages", none.clone())], "no-stages: the thread \"1 node\" has no \"stages\""),
        (
            vec![("/threads/0/stages/1", json!({}))],
            "load-model: the stage has neither \"clients\" nor \"rate\"",
        ),
        (
            vec![("/duration", none.clone())],
            "duration: neither the experiment nor any stage has a \"duration\"",
        ),
        (
            vec![
                ("/duration", none.clone()),
                ("/threads/0/stages", json!([{"clients": 4, "duration": "6s"}])),
                ("/threads/1/stages", stage.clone()),
            ],
            "duration: the stage has no \"duration\", and the experiment has none to inherit",
        ),
        (
            vec![("/duration", json!(0)), ("/warmUp", none.clone())],
            "duration: \"duration\" is 0, so that no load would be held",
        ),
        (
            vec![("/workload", none.clone())],
            "workload: neither the experiment nor any stage has a \"workload\"",
        ),
        (vec![("/workload", json!("quikstart"))], "workload: there is no workload \"quikstart\""),
        (
            vec![("/workload", json!("latin1"))],
            "workload: the workload \"latin1\" cannot be read: it is not UTF-8 text",
        ),
        (
            vec![("/warmUp", json!("6s"))],
            "warm-up: \"warmUp\" is 6 s, which leaves nothing of a stage of 6 s to measure",
        ),
        (
            vec![("/rampUp", json!("6s"))],
            "warm-up: \"rampUp\" is 6 s, so that a stage of 6 s ends before all clients run",
        ),
        (
            vec![("/rampUp", json!("2s"))],
            "warm-up: \"rampUp\" is 2 s, longer than \"warmUp\", 1 s: clients still start while e3 measures",
        ),
        (vec![("/threads/0/instance/snapshot", json!("quick"))], "snapshot: there is no snapshot \"quick\""),
        (
            vec![("/threads/0/instance/snapshot", none.clone())],
            "snapshot: the instance names no \"snapshot\"",
        ),
        (
            vec![("/threads/0/instance/template", json!("BitbucketServer"))],
            "no-effect: \"template\" has no effect with the provider \"local\"",
        ),
        (
            vec![("/threads/0/instance/nodes", json!(5))],
            "nodes: a githost that keeps its metadata in SQLite has at most 4 nodes, not 5",
        ),
        (
            vec![("/order", json!("parallel"))],
            "order: \"order\" is \"parallel\", but the threads \"1 node\" and \"2 nodes\" share a machine and would disturb each other",
        ),
        (vec![("/compare", json!("1 nod"))], "compare: no thread is called \"1 nod\""),
        (
            vec![("/threads/0/stages/0/repeat", json!(1000)), ("/threads/0/stages/0/clients", json!(1001))],
            "size: all stages together have 1001052 clients, repetitions included; at most 1000000 can be planned",
        ),
        (vec![("/duration", json!("10h"))], "size: holding all stages takes about 60 hours"),
        (vec![("/thresholds", json!(["p98 < 2s"]))], "threshold: there is no statistic \"p98\""),
        (
            vec![("/collect", json!({"interval": "10ms"}))],
            "collect: \"interval\" is 10 ms; it must be from 100 ms to 1 min",
        ),
        (
            vec![("/collect", json!({"sources": ["proc", "promethius"]}))],
            "collect: there is no source of metrics \"promethius\"",
        ),
        (
            vec![("/threads/0/stages/0/operations", json!(3)), ("/warmUp", none.clone())],
            "operations: \"operations\" is 3, so that most of 4 clients never do anything",
        ),
        (
            vec![("/threads/0/stages/0/operations", json!(500))],
            "operations: the ops of the warm-up, 1 s, count toward \"operations\" and are left out of the results",
        ),
        (
            vec![("/threads/0/instance/provider", json!("existing"))],
            "existing: this version of e3 cannot run an experiment on a system that is there already",
        ),
        (
            vec![("/threads/0/instance/mirrors", json!(1))],
            "not-in-this-version: this version of e3 cannot set up mirrors (\"mirrors\") yet",
        ),
        (
            vec![("/threads/0/instance/database", json!("postgresql"))],
            "not-in-this-version: this version of e3 cannot use PostgreSQL for a githost (\"database\") yet",
        ),
        (
            vec![("/threads/0/instance/lease", json!("1h"))],
            "not-in-this-version: this version of e3 cannot keep a lease on machines (\"lease\") yet",
        ),
        (
            vec![("/threads/0/worker/budget", json!(5))],
            "not-in-this-version: this version of e3 cannot keep to a budget (\"budget\") yet",
        ),
        (
            vec![("/threads/0/worker/nodes", json!(2))],
            "not-in-this-version: this version of e3 cannot run more than one worker (\"nodes\") yet",
        ),
        (
            vec![("/threads/0/worker/provider", json!("aws"))],
            "not-in-this-version: this version of e3 cannot set up machines on AWS yet (the worker's \"provider\")",
        ),
        (
            vec![("/threads/0/stages/0/http", json!("2"))],
            "not-in-this-version: this version of e3 cannot speak HTTP/2 with a githost (\"http\") yet",
        ),
    ] {
        assert_eq!(found(&changes), [expected], "{changes:?}");
    }
}

#[test]
fn what_is_allowed_is_not_spoken_of() {
    for changes in [
        vec![("/compare", json!("2 nodes"))],
        vec![("/reset", json!("none"))],
        vec![("/reset", json!("restart"))],
        vec![("/reset", json!("restore"))],
        vec![("/gitClient", json!("native"))],
        vec![("/gitClient", json!("git"))],
        vec![("/threads/0/stages/0", json!({"rate": 5}))],
        vec![("/thresholds", json!([]))],
        vec![("/collect", json!({}))],
        vec![("/collect", json!({"interval": "100ms", "sources": []}))],
        vec![("/collect", json!({"interval": "1m", "sources": ["prometheus", "proc"]}))],
        vec![("/threads/0/stages/0/operations", json!(500)), ("/warmUp", Value::Null)],
        vec![("/rampUp", json!("1s"))],
        vec![("/threads/0/stages/0/repeat", json!(3))],
        vec![("/threads/0/instance/mirrors", json!(0)), ("/threads/0/instance/database", json!("sqlite"))],
        vec![("/threads/0/stages/0/thinkTime", json!("2s")), ("/order", Value::Null), ("/seed", Value::Null)],
        vec![(
            "/threads/1",
            json!({"instance": {"snapshot": "smoke"}, "stages": [{"clients": 2, "workload": "smoke"}]}),
        )],
    ] {
        assert_eq!(found(&changes), [""; 0], "{changes:?}");
    }
}

#[test]
fn both_load_models_in_one_stage_are_too_many() {
    let findings = found(&[("/threads/0/stages/0", json!({"clients": 4, "rate": 5}))]);
    assert_eq!(findings, ["load-model: the stage has both \"clients\" and \"rate\""]);
}

#[test]
fn stacks_name_instance_files() {
    let shelf = Shelf::embedded().with(Kind::Instance, "mine", "{\"ClusterNodes\": [\"ada@host\"]}");
    let stack = |name: &str| json!({"stack": {"Name": name}, "snapshot": "quickstart"});
    let warned =
        "not-in-this-version: this version of e3 cannot use machines over SSH yet (the instance's \"stack\")";
    assert_eq!(found_with(&[("/threads/0/instance", stack("mine"))], &shelf), [warned]);
    assert_eq!(
        found_with(&[("/threads/0/instance", stack("mien"))], &shelf),
        [warned, "instance-file: there is no instance file \"mien\""]
    );
}

#[test]
fn weights_are_shares_of_the_whole() {
    let workload = |first: f64, second: f64| {
        let workload = json!([{"script": "web.Status", "weight": first}, {"script": "bitbucket.web.ListUsers", "weight": second}]);
        Shelf::embedded().with(Kind::Workload, "quickstart", &workload.to_string())
    };
    assert_eq!(found_with(&[], &workload(0.3, 0.7)), [""; 0], "the prefix of the first E3 is allowed");
    assert_eq!(found_with(&[], &workload(0.3, 0.600_000_5 + 0.1)), [""; 0], "within the tolerance");
    assert_eq!(found_with(&[], &workload(0.3, 0.6)), ["weights: the weights add up to 0.9, not to 1"]);
    assert_eq!(found_with(&[], &workload(0.0, 0.0)), ["weights: the weights add up to 0, not to 1"]);
    assert_eq!(
        found_with(&[], &workload(1.0, -1.0))[0],
        "out-of-range: \"weight\" is -1.0; it must be a number from 0 to 1"
    );
}

#[test]
fn a_weight_that_rounds_to_no_client_is_said_for_each_stage() {
    let text = QUICKSTART.replace("\"mix\": \"ops\"", "\"mix\": \"clients\"");
    let text = text.replace("\"workload\": \"quickstart\"", "\"workload\": \"smoke\"");
    let findings = planned(&text).findings;
    let messages: Vec<_> = findings.0.iter().map(|finding| finding.message.as_str()).collect();
    // Of 4 clients: 0.6, 1.2, 0.6, 0.4, 0.4, 0.8 — one for ls-remote, three for the largest remainders.
    assert_eq!(
        messages,
        ["with 4 clients of the workload \"smoke\", no client is left for \"web.BrowseProjectsAndRepositories\" (weight 0.1), \"web.ListUsers\" (weight 0.1)";
            2]
    );
    assert_eq!(findings.errors(), 0);
    assert!(findings.0[0].hint.as_ref().unwrap().starts_with("use 10 clients or more"));
}

#[test]
fn scripts_that_do_not_exist_are_named_with_the_one_that_was_meant() {
    let workload = json!([
        {"script": "web.Audti", "weight": 0.2},
        {"script": "GitCloneOverHttp", "weight": 0.4},
        {"script": "xyz", "weight": 0.4}
    ]);
    let shelf = Shelf::embedded().with(Kind::Workload, "quickstart", &workload.to_string());
    let findings = planned_with(QUICKSTART, &shelf).findings;
    let said: Vec<_> =
        findings.0.iter().map(|it| (it.rule.as_str(), it.hint.as_deref().unwrap_or_default())).collect();
    assert_eq!(said[0], ("script", "did you mean \"web.Audit\"?"));
    assert_eq!(said[1], ("script", "did you mean \"scm.GitCloneOverHttp\"?"));
    assert!(said[2].1.starts_with("scripts are scm.GitCloneOverHttp, "), "{said:?}");
}

#[test]
fn a_dataset_without_a_recipe_cannot_be_made() {
    let shelf = Shelf::embedded().with(
        Kind::Snapshot,
        "quickstart",
        "{\"name\": \"e3-small\", \"projects\": [], \"users\": []}",
    );
    assert_eq!(
        found_with(&[], &shelf),
        ["snapshot: e3 cannot load this dataset into a githost: it has no \"generate\""]
    );
    let recipe = json!({"generate": {"seed": 1, "projects": 1, "repositories": 1, "commits_min": 9, "commits_max": 3, "users": 1}});
    let shelf = Shelf::embedded().with(Kind::Snapshot, "quickstart", &recipe.to_string());
    assert_eq!(found_with(&[], &shelf), ["snapshot: \"commits_min\" is 9, more than \"commits_max\", 3"]);
}

#[test]
fn an_experiment_of_the_first_e3_loads_unchanged() {
    let text = r#"{
        "duration": 600000, "workload": "mixed",
        "threads": [{
            "name": "two nodes",
            "instance": {
                "name": "i", "version": "4.11.0", "snapshot": "e3-small", "template": "BitbucketDataCenter",
                "properties": ["throttle.resource.scm-hosting.strategy=adaptive"],
                "parameters": {"ClusterNodeMin": "2", "ClusterNodeMax": "2", "HomeIops": "5000"}
            },
            "worker": {"name": "w", "template": "WorkerCluster", "parameters": {"ClusterSize": "4"}},
            "stages": [{"clients": 40}, {"clients": 80, "duration": 300000, "workload": "mixed"}]
        }]
    }"#;
    let mixed = json!([
        {"script": "bitbucket.web.Audit", "testDataProvider": "x", "description": "d", "scale": 1, "weight": 0.5},
        {"script": "web.Dashboard", "weight": 0.5}
    ]);
    let snapshot = json!({
        "name": "e3-small", "ebs": {"us-east-1": "snap-1"}, "rds": {"account": "1", "id": "x"}, "es": {"id": "y"},
        "projects": [{"name": "P", "repos": [{"name": "r", "weight": 1.0, "branches": [
            {"id": "refs/heads/a", "displayId": "a", "latestCommit": "c", "latestChangeset": "c", "isDefault": true, "type": "BRANCH"}
        ]}]}],
        "users": [{"username": "u", "password": "p", "public_key": "k", "private_key": "q"}]
    });
    let shelf = Shelf::embedded().with(Kind::Workload, "mixed", &mixed.to_string()).with(
        Kind::Snapshot,
        "e3-small",
        &snapshot.to_string(),
    );
    let findings = planned_with(text, &shelf).findings;
    let rules: Vec<_> = findings.0.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["not-in-this-version"], "{findings:?}");
    let unknown: Vec<_> = planned(text).findings.0.into_iter().map(|it| it.rule).collect();
    assert_eq!(unknown, ["workload", "snapshot", "not-in-this-version", "workload"]);
}

#[test]
fn machines_elsewhere_are_a_warning_and_what_they_can_do_is_theirs() {
    let instance = json!({
        "template": "BitbucketDataCenter", "snapshot": "quickstart", "properties": ["what.ever=1"],
        "parameters": {"ClusterNodeMin": "10"}, "mirrors": 2, "database": "postgresql", "lease": "8h", "budget": 100
    });
    let worker = json!({"template": "WorkerCluster", "parameters": {"ClusterSize": "12"}, "lease": "8h"});
    let mut value: Value = serde_json::from_str(QUICKSTART).unwrap();
    value.as_object_mut().unwrap().remove("order");
    for thread in ["/threads/0", "/threads/1"] {
        let thread = value.pointer_mut(thread).unwrap();
        (thread["instance"], thread["worker"]) = (instance.clone(), worker.clone());
    }
    let planned = planned(&value.to_string());
    let said: Vec<_> = planned.findings.0.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "this version of e3 cannot set up machines on AWS yet (the instance's \"template\", and 3 more places)"
        ]
    );
    assert!(planned.findings.0[0].hint.as_ref().unwrap().contains("only AWS"));
    let plan = planned.plan.unwrap();
    assert_eq!((plan.threads[1].instance.nodes, plan.threads[1].workers.len()), (10, 12));
    assert!(!plan.threads[0].co_located);
}

#[test]
fn what_follows_from_another_fault_is_not_said_again() {
    for (text, expected) in [
        ("{\"threads\": 1}", vec!["wrong-type"]),
        ("{\"threads\": [1]}", vec!["wrong-type"]),
        (
            r#"{"durration": "5s", "workload": 1, "threads": [{"instance": {"snapshot": "smoke"}, "stages": [{"cliens": 1}]}]}"#,
            vec!["unknown-key", "wrong-type", "unknown-key"],
        ),
        (
            r#"{"duration": "5s", "workload": "smoke", "mix": "ops", "thinkTime": {"distribution": "constant", "maen": 1},
                "threads": [{"instance": {"snapshot": "smoke"}, "stages": [{"clients": 1, "cleints": 2}]}]}"#,
            vec!["unknown-key", "unknown-key"],
        ),
        (
            r#"{"duration": "5s", "workload": "smoke", "mix": "ops", "threads": [{"instance": 5, "stages": [{"clients": 1}]}]}"#,
            vec!["wrong-type"],
        ),
    ] {
        let rules: Vec<_> = planned(text).findings.0.into_iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, expected, "{text}");
    }
}
