//! The bound on concurrency: what finds every client busy starts late, counts from when it was due, and is recorded.

use std::time::Duration;

use e3_model::{Arrival, ArrivalPlan, Arrivals, Outcome, Seed, Span, StagePlan, WorkerId};

use crate::world::{self, job, open, perform, perform_share, takes};

/// Ten a second for ten seconds, four clients, a server that takes one second: four a second get through.
fn overloaded() -> StagePlan {
    open(Arrival::Constant, 10.0, 4, 10)
}

/// Returns due, started and ended of each sample of an outcome, in milliseconds.
fn times(seen: &world::Outcome, outcome: Outcome) -> Vec<[u64; 3]> {
    let samples = seen.samples.iter().filter(|sample| sample.outcome == outcome);
    samples.map(|it| [it.scheduled_ns, it.started_ns, it.ended_ns].map(|ns| ns / 1_000_000)).collect()
}

#[tokio::test(start_paused = true)]
async fn late_starts_count_from_the_schedule_and_nothing_vanishes() {
    let seen = perform(&overloaded(), &takes(1_000)).await;
    // Arrival 4 m + j is due at 0.4 m + 0.1 j and begins at m + 0.1 j seconds.
    let served: Vec<[u64; 3]> = (0..40)
        .map(|index| {
            let begins = index / 4 * 1_000 + index % 4 * 100;
            [index * 100, begins, begins + 1_000]
        })
        .collect();
    assert_eq!(times(&seen, Outcome::Ok), served);
    // What had not begun is cut off at the end: due then, and neither a success nor an error.
    let unstarted: Vec<[u64; 3]> = (40..100).map(|index| [index * 100, 10_000, 10_000]).collect();
    assert_eq!(times(&seen, Outcome::Cancelled), unstarted);
    assert!(seen.samples.iter().zip(0..).all(|(sample, index)| sample.iteration == index));
    let expected = Arrivals {
        due: 100,
        late: 96,
        unstarted: 60,
        most_waiting: 60,
        // Arrival 40 is due at 4 s and waits until the end.
        longest_wait_ms: 6_000.0,
        most_busy: 4,
    };
    assert_eq!(seen.report.honesty.arrivals, Some(expected));
    assert_eq!((seen.report.samples, seen.report.iterations), (100, 40));
    assert!(seen.report.honesty.scheduling_lag_max_ms < 1.0, "waiting for a client is no lag of the worker");
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_the_end_for_what_waits() {
    let stop = Some(Duration::from_millis(5_050));
    let seen = perform_share(&overloaded(), WorkerId(0), &takes(1_000), stop).await;
    // Begun before 5.05 s: four in each of five seconds, and one of the sixth. Due before: 51.
    let arrivals = seen.report.honesty.arrivals.unwrap();
    assert_eq!((arrivals.due, arrivals.unstarted, arrivals.late), (51, 30, 47));
    assert_eq!((times(&seen, Outcome::Ok).len(), times(&seen, Outcome::Cancelled).len()), (21, 30));
    assert!(times(&seen, Outcome::Cancelled).iter().all(|[_, _, ended]| *ended == 5_050));
    assert!(seen.took < Duration::from_millis(6_200), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_leaves_every_arrival_on_record() {
    let mut plan = open(Arrival::Poisson, 50.0, 3, 600);
    plan.grace = Span::from_secs(1);
    plan.transport.op_timeout = Span::from_secs(10_000);
    let seen = perform(&plan, &takes(1_000_000_000)).await;
    let arrivals = seen.report.honesty.arrivals.unwrap();
    assert_eq!(arrivals.due, seen.samples.len() as u64);
    assert_eq!((arrivals.due - arrivals.unstarted, arrivals.most_busy), (3, 3));
    assert_eq!(arrivals.most_waiting, arrivals.unstarted);
    assert!(seen.samples.iter().all(|sample| sample.outcome == Outcome::Cancelled));
    // Those under way get their grace; those that wait do not.
    let ended: Vec<u64> = seen.samples.iter().map(|sample| sample.ended_ns / 1_000_000_000).collect();
    assert_eq!(ended[..3], [601, 601, 601]);
    assert!(ended[3..].iter().all(|ended| *ended == 600));
}

#[tokio::test(start_paused = true)]
async fn a_count_bounds_what_is_due() {
    for (clients, service_ms, why) in
        [(4, 1_000, "waiting for clients"), (64, 1_000, "never waiting"), (1, 10, "one client that keeps up")]
    {
        let mut plan = open(Arrival::Constant, 10.0, clients, 100);
        plan.operations = Some(50);
        let seen = perform(&plan, &takes(service_ms)).await;
        assert_eq!(times(&seen, Outcome::Ok).len(), 50, "{why}");
        let arrivals = seen.report.honesty.arrivals.unwrap();
        assert_eq!((seen.samples.len(), arrivals.due, arrivals.unstarted), (50, 50, 0), "{why}");
        assert!(seen.took < Duration::from_millis(13_500), "{why}: ended with its last op: {:?}", seen.took);
    }
    // Of two ops an iteration, 51 begin: the last iteration has one, and those that wait with it were not due.
    let mut plan = open(Arrival::Constant, 10.0, 2, 100);
    plan.jobs = vec![job("web.Twice", 2, 1.0)];
    plan.operations = Some(51);
    let seen = perform(&plan, &takes(300)).await;
    let arrivals = seen.report.honesty.arrivals.unwrap();
    assert_eq!((seen.samples.len(), arrivals.due, arrivals.unstarted), (51, 26, 0));
    // What a count did not suffice for was not due; what it would have sufficed for was.
    let mut plan = overloaded();
    plan.operations = Some(70);
    let seen = perform(&plan, &takes(1_000)).await;
    let arrivals = seen.report.honesty.arrivals.unwrap();
    assert_eq!((seen.samples.len(), arrivals.due, arrivals.unstarted, arrivals.late), (70, 70, 30, 66));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_down_to_nothing_ends_and_the_stage_goes_on_to_its_end() {
    let arrivals = ArrivalPlan {
        arrival: Arrival::Constant,
        from: 20.0,
        to: 0.0,
        ramp: Span::from_secs(10),
        seed: Seed(5),
    };
    let plan = StagePlan { arrivals: Some(arrivals), ..open(Arrival::Constant, 1.0, 16, 30) };
    let seen = perform(&plan, &takes(5)).await;
    assert_eq!(seen.samples.len(), 100, "the triangle of 10 s and 20 a second");
    assert_eq!(seen.report.honesty.arrivals.map(|it| (it.due, it.unstarted)), Some((100, 0)));
    assert!(seen.took >= Duration::from_secs(30), "the stage is held for as long as it was planned");
}
