//! The shares of any number of workers together are the plan.

use e3_load::Schedule;
use e3_model::{Arrival, ArrivalPlan, Seed, Span, StagePlan, WorkerId};

use crate::world::{closed, job, open, perform, perform_share, takes};

/// Returns a plan with jobs of different weight, whose clients are dealt to so many workers.
fn plan(arrivals: ArrivalPlan, workers: u32) -> StagePlan {
    let mut plan = StagePlan { arrivals: Some(arrivals), ..closed(42, 20) };
    plan.jobs = vec![job("web.Ask", 1, 0.7), job("web.Ask", 1, 0.3)];
    plan.clients.iter_mut().for_each(|client| client.worker = WorkerId(10 + client.client.0 % workers));
    plan
}

/// What an arrival is: its position, when it was due, its job, and what its iteration drew.
type Identity = (u32, u64, u16, Option<u64>);

#[tokio::test(start_paused = true)]
async fn workers_perform_the_plan_arrival_for_arrival() {
    let up = |arrival| ArrivalPlan { arrival, from: 0.0, to: 60.0, ramp: Span::from_secs(10), seed: Seed(7) };
    for (arrivals, operations, why) in [
        (up(Arrival::Constant), None, "constant, a ramp and then held"),
        (up(Arrival::Poisson), None, "Poisson, the same"),
        (up(Arrival::Poisson), Some(100), "ended by a count, the first so many"),
    ] {
        let whole = Schedule::new(&arrivals, (0, 1), std::time::Duration::from_secs(20));
        let whole: Vec<(u64, u64)> = whole.map(|due| (due.index, due.at_ns)).collect();
        let mut first: Option<Vec<Identity>> = None;
        for workers in [1_u32, 2, 3, 7] {
            let mut plan = plan(arrivals.clone(), workers);
            plan.operations = operations;
            let mut all: Vec<Identity> = Vec::new();
            for worker in 0..workers {
                let seen = perform_share(&plan, WorkerId(10 + worker), &takes(3), None).await;
                let identity = |it: &e3_model::Sample| (it.iteration, it.scheduled_ns, it.job, it.bytes_out);
                all.extend(seen.samples.iter().map(identity));
            }
            all.sort_unstable();
            let due: Vec<(u64, u64)> = all.iter().map(|it| (u64::from(it.0), it.1)).collect();
            let count = operations.map_or(whole.len(), |operations| usize::try_from(operations).unwrap());
            assert_eq!(due, whole[..count], "{why}: {workers} workers");
            assert_eq!(first.get_or_insert_with(|| all.clone()), &all, "{why}: {workers} workers");
        }
        let jobs: Vec<u16> = first.unwrap().iter().map(|it| it.2).collect();
        let second = jobs.iter().filter(|job| **job == 1).count() as f64 / jobs.len() as f64;
        // Four standard deviations of 100 draws are 0.18.
        assert!((second - 0.3).abs() < 0.18, "{why}: {second}");
    }
}

/// Which client serves an arrival, and when, changes nothing of what it does.
#[tokio::test(start_paused = true)]
async fn a_slow_server_gets_the_same_requests() {
    let plan = open(Arrival::Poisson, 40.0, 16, 10);
    let (quick, slow) = (perform(&plan, &takes(1)).await, perform(&plan, &takes(300)).await);
    let drawn = |seen: &[e3_model::Sample]| -> Vec<(u32, Option<u64>)> {
        seen.iter().map(|sample| (sample.iteration, sample.bytes_out)).collect()
    };
    let clients = |seen: &[e3_model::Sample]| seen.iter().map(|sample| sample.client).max();
    assert_eq!(drawn(&quick.samples), drawn(&slow.samples));
    assert!(
        clients(&quick.samples) < clients(&slow.samples),
        "an idle client with a lower number comes first"
    );
}
