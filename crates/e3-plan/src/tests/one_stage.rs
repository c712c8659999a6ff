//! One stage from the command line.

use e3_model::{Arguments, ExperimentStage, GitClient, HttpVersion, Load, ProviderName, Rate, Seed, Span};
use serde_json::json;

use super::library::{STEPS, Shelf};
use crate::{OneStage, Planned, one_stage, render};

fn stage(script: &str, arguments: serde_json::Value) -> OneStage {
    let arguments: Arguments = serde_json::from_value(arguments).unwrap();
    OneStage {
        name: "load".to_owned(),
        description: "A load.".to_owned(),
        system: "http://127.0.0.1:1".to_owned(),
        co_located: true,
        script: script.to_owned(),
        arguments,
        stage: ExperimentStage {
            clients: Some(8),
            operations: Some(1_000),
            load: Load { duration: Some(Span::from_secs(10)), ..Load::default() },
            ..ExperimentStage::default()
        },
        git_client: GitClient::Native,
        thresholds: vec!["errors < 1%".to_owned()],
        seed: Seed(7),
    }
}

#[test]
fn the_plan_is_one_stage_of_a_system_that_is_there() {
    let shelf = Shelf::embedded().with_file("steps.json", "[\"a\"]");
    let Planned { findings, plan } = one_stage(&stage(STEPS, json!({"steps": "steps.json"})), &shelf);
    let plan = plan.unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!((plan.experiment.as_str(), plan.seed, plan.rounds.len()), ("load", Seed(7), 1));
    let [thread] = plan.threads.as_slice() else { panic!("{:?}", plan.threads) };
    assert_eq!(
        (thread.instance.provider, thread.instance.dataset.generate.as_ref()),
        (ProviderName::Existing, None)
    );
    assert!(thread.co_located);
    assert_eq!(plan.thresholds[0].text, "errors < 1%");
    let stage = &thread.stages[0];
    assert_eq!((stage.operations, stage.clients.len(), stage.jobs[0].clients), (Some(1_000), 8, 8));
    assert_eq!(json!(stage.jobs[0].arguments), json!({"steps": ["a"]}));
    assert!(findings.0.is_empty());
    let text = crate::explain(&plan);
    assert!(text.contains("system of 1 node that is there already"), "{text}");
    assert!(text.contains("1,000 ops, at most 10 s"), "{text}");
}

#[test]
fn the_stage_may_be_of_the_open_model() {
    let open = OneStage {
        stage: ExperimentStage {
            rate: Some(Rate::Held(20.0)),
            load: Load {
                duration: Some(Span::from_secs(10)),
                http: Some(HttpVersion::Http2),
                ..Load::default()
            },
            ..ExperimentStage::default()
        },
        git_client: GitClient::Git,
        ..stage("web.Status", json!({}))
    };
    let plan = one_stage(&open, &Shelf::embedded()).plan.unwrap();
    assert_eq!(plan.git_client, GitClient::Git);
    let stage = &plan.threads[0].stages[0];
    assert_eq!((stage.clients.len(), stage.arrivals.as_ref().unwrap().to), (200, 20.0));
    assert_eq!(stage.transport.http, HttpVersion::Http2, "what is there may speak it");
}

#[test]
fn findings_speak_of_flags_and_of_real_files_only() {
    let broken = Shelf::embedded().with_file("steps.json", "[\"a\",\n5]");
    for (stage, shelf, expected) in [
        (
            stage("web.Statu", json!({})),
            Shelf::embedded(),
            "error[script]: there is no script \"web.Statu\"\n  hint: did you mean \"web.Status\"?\n",
        ),
        (
            stage("web.Status", json!({"a": "b"})),
            Shelf::embedded(),
            "error[argument]: web.Status takes no argument \"a\"\n  hint: it takes none at all\n",
        ),
        (
            stage(STEPS, json!({"steps": "steps.json"})),
            broken,
            "error[argument]: a step is a text\n --> steps.json:2:1\n",
        ),
        (
            OneStage { thresholds: vec!["p99(Statu) < 1s".to_owned()], ..stage("web.Status", json!({})) },
            Shelf::embedded(),
            "error[threshold]: no job of this experiment's workloads runs a script \"Statu\"\n  hint: did you mean \"web.Status\"?\n",
        ),
        (
            OneStage {
                stage: ExperimentStage {
                    clients: Some(1),
                    load: Load { duration: Some(Span::ZERO), ..Load::default() },
                    ..ExperimentStage::default()
                },
                ..stage("web.Status", json!({}))
            },
            Shelf::embedded(),
            "error[duration]: \"duration\" is 0, so that no load would be held\n  hint: such as \"5m\"\n",
        ),
    ] {
        let planned = one_stage(&stage, &shelf);
        assert!(planned.plan.is_none());
        assert_eq!(render(&planned.findings), expected);
    }
}
