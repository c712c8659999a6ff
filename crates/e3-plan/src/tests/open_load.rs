//! The open model: what a rate becomes in the plan, and what is found in one that makes no sense.

use e3_model::{
    Arrival, ArrivalPlan, Connections, Distribution, HttpVersion, Mix, Plan, Span, StagePlan, Transport,
    Verify,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::library::planned;
use crate::{explain, render};

/// Returns an experiment of one thread with these stages and these settings at the top.
fn experiment(stages: &Value, top: &Value) -> String {
    let mut experiment = json!({
        "duration": "1m", "workload": "smoke",
        "threads": [{"instance": {"snapshot": "smoke"}, "stages": stages}],
    });
    let members = experiment.as_object_mut().unwrap();
    members.extend(top.as_object().unwrap().clone());
    experiment.to_string()
}

fn plan(stages: &Value, top: &Value) -> Plan {
    let planned = planned(&experiment(stages, top));
    assert_eq!(planned.findings.0, [], "{stages}");
    planned.plan.unwrap()
}

/// Returns the plan of one stage.
fn stage(stage: &Value) -> StagePlan {
    plan(&json!([stage]), &json!({})).threads.remove(0).stages.remove(0)
}

/// Returns each finding as `severity[rule] pointer: message`.
fn found(stages: &Value, top: &Value) -> Vec<String> {
    let findings = planned(&experiment(stages, top)).findings.0;
    let shown = |it: &e3_model::Finding| {
        let severity = serde_json::to_value(it.severity).unwrap();
        format!("{}[{}] {}: {}", severity.as_str().unwrap(), it.rule, it.pointer, it.message)
    };
    findings.iter().map(shown).collect()
}

#[test]
fn a_rate_becomes_arrivals_with_room_for_ten_seconds() {
    let seconds = Span::from_secs;
    for (written, (from, to, ramp), clients, why) in [
        (json!({"rate": 5}), (5.0, 5.0, Span::ZERO), 50, "held from the start"),
        (json!({"rate": 5, "rampUp": "10s", "warmUp": "10s"}), (0.0, 5.0, seconds(10)), 50, "climbs to it"),
        (json!({"rate": 0.5}), (0.5, 0.5, Span::ZERO), 16, "few clients cost nothing"),
        (json!({"rate": {"from": 0, "to": 20}}), (0.0, 20.0, seconds(60)), 200, "over the whole stage"),
        (json!({"rate": {"from": 20, "to": 0}}), (20.0, 0.0, seconds(60)), 200, "down to nothing"),
        (
            json!({"rate": {"from": 10, "to": 20}, "rampUp": "20s"}),
            (10.0, 20.0, seconds(20)),
            200,
            "within the ramp-up, then held; its beginning is meant to be measured",
        ),
        (json!({"rate": {"from": 1, "to": 2}, "rampUp": "1m"}), (1.0, 2.0, seconds(60)), 20, "all the time"),
        (json!({"rate": 5, "maxClients": 3}), (5.0, 5.0, Span::ZERO), 3, "as many as were asked for"),
    ] {
        let stage = stage(&written);
        let arrivals = stage.arrivals.clone().unwrap();
        assert_eq!((arrivals.from, arrivals.to, arrivals.ramp), (from, to, ramp), "{why}");
        assert_eq!((arrivals.arrival, stage.clients.len()), (Arrival::Constant, clients), "{why}");
        assert_eq!((stage.mix, stage.think_time), (Mix::Ops, Distribution::NONE), "{why}");
        let is_ready =
            |client: &e3_model::ClientPlan| client.job.is_none() && client.start_offset == Span::ZERO;
        assert!(stage.clients.iter().all(is_ready), "{why}");
    }
    assert_eq!(stage(&json!({"rate": 5, "arrival": "poisson"})).arrivals.unwrap().arrival, Arrival::Poisson);
    assert_eq!(stage(&json!({"clients": 10})).arrivals, None);
    assert_eq!(stage(&json!({"rate": 5, "operations": 200})).operations, Some(200));
}

#[test]
fn arrivals_have_a_seed_of_their_own_that_follows_from_the_experiments() {
    let stages = json!([{"rate": 5, "repeat": 2}, {"rate": 5}]);
    let seeds = |seed: u32| -> Vec<u64> {
        let plan = plan(&stages, &json!({"seed": seed}));
        plan.threads[0].stages.iter().map(|stage| stage.arrivals.as_ref().unwrap().seed.0).collect()
    };
    let mut all = [seeds(1), seeds(2)].concat();
    assert_eq!(seeds(1), all[..3], "the same file gives the same arrivals");
    let stage = &plan(&stages, &json!({"seed": 1})).threads[0].stages[0];
    all.extend(stage.clients.iter().map(|client| client.seed.0));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "stages, repetitions and clients draw apart");
}

#[test]
fn both_models_in_one_experiment_keep_their_own_settings() {
    let stages = json!([{"clients": 10, "mix": "ops"}, {"rate": 5}]);
    let plan = plan(&stages, &json!({"thinkTime": "1s", "rampUp": "5s", "warmUp": "5s"}));
    let [closed, open] = plan.threads[0].stages.as_slice() else { panic!("two stages") };
    assert_ne!(closed.think_time, Distribution::NONE);
    assert_eq!(open.think_time, Distribution::NONE, "what is due does not wait for anybody to think");
    assert!(closed.clients.iter().any(|client| client.start_offset > Span::ZERO));
    assert!(open.clients.iter().all(|client| client.start_offset == Span::ZERO), "the rate climbs instead");
    assert_eq!(open.arrivals.as_ref().unwrap().ramp, Span::from_secs(5));
}

#[test]
fn how_clients_talk_is_inherited_key_by_key() {
    let top = json!({"opTimeout": "30s", "verify": "sampled", "mix": "ops"});
    let stages =
        json!([{"clients": 1}, {"rate": 5, "connections": "perOp", "opTimeout": "2h", "verify": "always"}]);
    let plan = plan(&stages, &top);
    let [first, second] = [0, 1].map(|stage| plan.threads[0].stages[stage].transport.clone());
    assert_eq!((first.op_timeout, first.connections), (Span::from_secs(30), None));
    assert_eq!((first.http, first.verify), (HttpVersion::Http1, Verify::Sampled));
    assert_eq!((second.op_timeout, second.connections), (Span::from_secs(7_200), Some(Connections::PerOp)));
    assert_eq!(second.verify, Verify::Always);
    assert_eq!(stage(&json!({"rate": 5})).transport, Transport::default());
}

#[test]
fn what_makes_no_sense_with_a_rate_is_found() {
    let none = json!({});
    for (stage, top, expected) in [
        (
            json!({"clients": 20, "maxClients": 4}),
            &none,
            "error[open-load] /threads/0/stages/0/maxClients: \"maxClients\" is for an open load, and this stage has \"clients\"",
        ),
        (
            json!({"clients": 20, "arrival": "poisson"}),
            &none,
            "error[open-load] /threads/0/stages/0/arrival: \"arrival\" is for an open load, and this stage has \"clients\"",
        ),
        (
            json!({"rate": {"from": 0, "to": 0}}),
            &none,
            "error[open-load] /threads/0/stages/0/rate: \"rate\" goes from 0 to 0, so that nothing would ever start",
        ),
        (
            json!({"rate": 0.01}),
            &none,
            "warning[open-load] /threads/0/stages/0/rate: at this \"rate\" only about 0.6 iterations are due in 1 min",
        ),
        (
            json!({"rate": 5, "mix": "clients"}),
            &none,
            "error[open-load] /threads/0/stages/0/mix: with a \"rate\", jobs cannot be shares of the clients: whichever client is free does what is due",
        ),
        (
            json!({"rate": 5}),
            &json!({"mix": "clients"}),
            "error[open-load] /mix: with a \"rate\", jobs cannot be shares of the clients: whichever client is free does what is due",
        ),
        (
            json!({"rate": 5, "thinkTime": "1s"}),
            &none,
            "error[open-load] /threads/0/stages/0/thinkTime: \"thinkTime\" has no effect with a \"rate\": iterations start when they are due",
        ),
        (
            json!({"rate": 5}),
            &json!({"thinkTime": {"distribution": "exponential", "mean": "1s"}}),
            "warning[open-load] /thinkTime: \"thinkTime\" has no effect with a \"rate\": iterations start when they are due",
        ),
        (
            json!({"rate": 5, "rampUp": "1m"}),
            &none,
            "error[warm-up] /threads/0/stages/0/rampUp: \"rampUp\" is 1 min, so that a stage of 1 min ends before the rate is reached",
        ),
        (
            json!({"rate": {"from": 1, "to": 5}, "rampUp": "61s"}),
            &none,
            "error[warm-up] /threads/0/stages/0/rampUp: \"rampUp\" is 61 s, so that a stage of 1 min ends before the rate is reached",
        ),
        (
            json!({"rate": 5, "rampUp": "2s", "warmUp": "1s"}),
            &none,
            "warning[warm-up] /threads/0/stages/0/rampUp: \"rampUp\" is 2 s, longer than \"warmUp\", 1 s: the rate still climbs while e3 measures",
        ),
        (
            json!({"rate": 5, "opTimeout": 0}),
            &none,
            "error[transport] /threads/0/stages/0/opTimeout: \"opTimeout\" is 0, so that every op would time out at once",
        ),
        (
            json!({"rate": 5, "verify": "sampled"}),
            &json!({"gitClient": "git"}),
            "warning[transport] /threads/0/stages/0/verify: \"verify\" has no effect with \"gitClient\": \"git\", which verifies every pack",
        ),
        (
            json!({"rate": 1_000_000, "duration": "20m"}),
            &none,
            "error[size] /threads: all stages with a \"rate\" together have about 1,200,000,000 iterations due, repetitions included; at most 1,000,000,000 can be planned",
        ),
        (
            json!({"rate": 5, "maxClients": 1_000_000, "repeat": 2}),
            &none,
            "error[size] /threads: all stages together have 2000000 clients, repetitions included; at most 1000000 can be planned",
        ),
    ] {
        assert_eq!(found(&json!([stage]), top), [expected], "{stage} {top}");
    }
    assert_eq!(
        found(&json!([{"rate": 1_000_000, "duration": "20m", "operations": 1_000}]), &none),
        [""; 0],
        "a count ends it long before"
    );
}

#[test]
fn what_is_no_rate_is_said_with_what_is_one() {
    let text = experiment(
        &json!([
            {"rate": "5"}, {"rate": "fast"}, {"rate": [10, 200]}, {"rate": {"form": 1, "to": 2}}, {"rate": {"from": 1}},
            {"rate": {"from": -1, "to": 2}}, {"rate": 0}, {"rate": 1, "arrival": "poison"}, {"rate": 1, "maxClients": 0},
            {"clients": 10, "http": 2}, {"clients": 10, "http": "1.0"}, {"clients": 10, "connections": "keepalive"},
            {"clients": 10, "verify": true}, {"clients": "4"}, {"rate": 1, "opTimeout": "soon"},
        ]),
        &json!({}),
    );
    insta::assert_snapshot!(render(&planned(&text).findings));
}

#[test]
fn a_plan_with_both_models_explained() {
    let stages = json!([
        {"clients": 10, "mix": "ops"},
        {"rate": 5, "rampUp": "10s", "warmUp": "10s"},
        {"rate": {"from": 10, "to": 200}, "arrival": "poisson", "maxClients": 50, "operations": 3_000,
         "connections": "perOp", "opTimeout": "30s", "verify": "sampled"},
    ]);
    insta::assert_snapshot!(explain(&plan(&stages, &json!({}))));
}

proptest! {
    /// Whatever rate and times somebody writes, there is a plan that can be executed, or an error that says why not.
    #[test]
    fn any_rate_and_any_times_are_planned_or_refused(
        from in prop_oneof![Just(0.0), 1e-6..1e6_f64, -1.0..1e9_f64],
        to in prop_oneof![Just(0.0), 1e-6..1e6_f64, prop::num::f64::NORMAL],
        is_ramp: bool,
        duration_ms in prop_oneof![0_u64..10_000, 0..u64::MAX],
        ramp_up_ms in prop::option::of(0_u64..20_000),
        max_clients in prop::option::of(0_u32..3_000),
        operations in prop::option::of(0_u64..10_000),
    ) {
        let rate = if is_ramp { json!({"from": from, "to": to}) } else { json!(to) };
        let mut stage = json!({"rate": rate, "duration": duration_ms});
        for (key, value) in
            [("rampUp", ramp_up_ms), ("maxClients", max_clients.map(u64::from)), ("operations", operations)]
        {
            if let Some(value) = value {
                stage[key] = json!(value);
            }
        }
        if let Some(plan) = planned(&experiment(&json!([stage]), &json!({}))).plan {
            let stage = &plan.threads[0].stages[0];
            let arrivals = stage.arrivals.clone().unwrap();
            let ArrivalPlan { from, to, ramp, .. } = arrivals.clone();
            prop_assert!(from >= 0.0 && to >= 0.0 && from.max(to) > 0.0 && from.max(to) <= 1e6);
            prop_assert!(ramp <= stage.duration);
            let whole = arrivals.expected(stage.duration.to_duration().as_secs_f64());
            prop_assert!(stage.operations.is_some() || (whole.is_finite() && whole <= 1e9), "{}", whole);
            let asked = max_clients.filter(|most| *most > 0).unwrap_or(16);
            prop_assert!(u32::try_from(stage.clients.len()).unwrap() >= asked);
        }
    }
}
