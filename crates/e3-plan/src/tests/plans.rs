//! Plans: every choice made.

use e3_model::{Mix, Order, Plan, ProviderName, Seed, Span};

use super::library::{QUICKSTART, planned};

fn plan(text: &str) -> Plan {
    let planned = planned(text);
    planned.plan.unwrap_or_else(|| panic!("{:?}", planned.findings))
}

#[test]
fn quickstart_leaves_no_choice() {
    let plan = plan(QUICKSTART);
    assert_eq!((plan.seed, plan.order, plan.threads.len()), (Seed(674), Order::Interleaved, 2));
    assert_eq!(plan.header.parent, None);
    let order: Vec<_> = plan.rounds.iter().map(|round| round.stages[0].to_string()).collect();
    assert_eq!(
        order,
        [
            "thread-001/stage-000",
            "thread-002/stage-000",
            "thread-002/stage-001",
            "thread-001/stage-001",
            "thread-001/stage-002",
            "thread-002/stage-002"
        ]
    );
    for (thread, nodes) in plan.threads.iter().zip([1, 2]) {
        assert_eq!((thread.instance.provider, thread.instance.nodes), (ProviderName::Local, nodes));
        assert!(thread.co_located);
        assert_eq!(thread.workers.len(), 1);
        assert_eq!(thread.instance.dataset.generate.as_ref().unwrap().repositories, 16);
        for (stage, clients) in thread.stages.iter().zip([4, 8, 16]) {
            assert_eq!(stage.clients.len(), clients);
            assert_eq!((stage.mix, stage.jobs.len()), (Mix::Ops, 13));
            assert_eq!(
                (stage.duration, stage.warm_up, stage.grace),
                (Span::from_secs(6), Span::from_secs(1), Span::from_secs(5))
            );
            assert!(stage.jobs.iter().all(|job| !job.ops.is_empty() && job.scale == 1.0));
        }
    }
}

#[test]
fn the_same_text_gives_the_same_plan_and_another_seed_another_one() {
    assert_eq!(plan(QUICKSTART), plan(QUICKSTART));
    let other = plan(&QUICKSTART.replace("\"seed\": 674", "\"seed\": 2"));
    assert_ne!(
        plan(QUICKSTART).threads[0].stages[0].clients[0].seed,
        other.threads[0].stages[0].clients[0].seed
    );
}

#[test]
fn threads_get_the_same_draws_and_stages_do_not() {
    let plan = plan(QUICKSTART);
    let seeds = |thread: usize, stage: usize| -> Vec<Seed> {
        plan.threads[thread].stages[stage].clients.iter().map(|client| client.seed).collect()
    };
    assert_eq!(seeds(0, 0), seeds(1, 0));
    assert!(seeds(0, 0).iter().all(|seed| !seeds(0, 1).contains(seed)));
}

#[test]
fn repeated_stages_are_stages_of_their_own() {
    let plan = plan(&QUICKSTART.replacen("{\"clients\": 4}", "{\"clients\": 4, \"repeat\": 3}", 1));
    let clients: Vec<_> = plan.threads[0].stages.iter().map(|stage| stage.clients.len()).collect();
    assert_eq!(clients, [4, 4, 4, 8, 16]);
    assert_eq!(plan.rounds.len(), 8);
    assert_ne!(plan.threads[0].stages[0].clients[0].seed, plan.threads[0].stages[1].clients[0].seed);
}

#[test]
fn clients_keep_their_jobs_when_weights_are_shares_of_clients() {
    let text = QUICKSTART.replace("\"mix\": \"ops\"", "\"rampUp\": \"800ms\"");
    let plan = plan(&text.replace("\"workload\": \"quickstart\"", "\"workload\": \"smoke\""));
    let stage = &plan.threads[0].stages[2];
    let shares: Vec<_> = stage.jobs.iter().map(|job| job.clients).collect();
    // Of 16 clients: 2.4, 4.8, 2.4, 1.6, 1.6, 3.2.
    assert_eq!(shares, [2, 5, 2, 2, 2, 3]);
    for (job, share) in shares.iter().enumerate() {
        let clients = stage.clients.iter().filter(|client| client.job.unwrap().index() == job);
        assert_eq!(clients.count(), *share as usize);
    }
    assert_eq!(stage.clients[1].start_offset, Span::from_millis(50));
}

#[test]
fn defaults_are_as_documented() {
    let plan = plan(
        r#"{"duration": "5s", "workload": "smoke",
            "threads": [{"instance": {"snapshot": "smoke"}, "stages": [{"clients": 10}]}]}"#,
    );
    assert_eq!(plan.threads[0].name, "thread 1");
    assert_eq!(plan.threads[0].instance.nodes, 1);
    assert_eq!((plan.seed, plan.order), (Seed(1), Order::Parallel));
    assert_eq!(plan.threads[0].stages[0].mix, Mix::Clients);
}

#[test]
fn jobs_without_weight_are_left_out() {
    let shelf = super::library::Shelf::embedded().with(
        crate::Kind::Workload,
        "quickstart",
        r#"[{"script": "web.Status", "weight": 0}, {"script": "web.ListUsers", "weight": 1, "scale": 2}]"#,
    );
    let plan = super::library::planned_with(QUICKSTART, &shelf).plan.unwrap();
    let jobs = &plan.threads[0].stages[0].jobs;
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].script.as_str(), jobs[0].scale), ("web.ListUsers", 2.0));
}
