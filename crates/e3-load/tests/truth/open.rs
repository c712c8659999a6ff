//! The open model's ops, one by one.

use std::time::Duration;

use e3_model::{Arrival, Outcome, Span};

use crate::world::{closed, job, open, perform, server, takes};

#[tokio::test(start_paused = true)]
async fn arrivals_start_when_they_are_due_whether_or_not_others_have_ended() {
    let seen = perform(&open(Arrival::Constant, 20.0, 100, 10), &takes(2_000)).await;
    assert_eq!(seen.samples.len(), 200);
    for (sample, index) in seen.samples.iter().zip(0_u64..) {
        assert_eq!((sample.scheduled_ns, sample.started_ns), (index * 50_000_000, index * 50_000_000));
        assert_eq!((sample.latency_ns(), sample.outcome), (2_000_000_000, Outcome::Ok));
    }
    let arrivals = seen.report.honesty.arrivals.unwrap();
    assert_eq!((arrivals.late, arrivals.most_busy, arrivals.most_waiting), (0, 40, 0));
}

#[tokio::test(start_paused = true)]
async fn of_an_iteration_only_the_first_op_has_the_schedule() {
    let mut plan = open(Arrival::Constant, 10.0, 1, 2);
    plan.jobs = vec![job("web.Twice", 2, 1.0)];
    let seen = perform(&plan, &takes(100)).await;
    // An iteration takes 200 ms and one is due every 100 ms: each first op is 100 ms later than the one before.
    let ops: Vec<(u16, u64, u64)> =
        seen.samples.iter().map(|it| (it.op, it.iteration.into(), it.latency_ns())).collect();
    let begun: Vec<_> = ops.iter().filter(|(_, iteration, _)| *iteration < 10).collect();
    assert_eq!(begun.len(), 20);
    for (op, iteration, latency_ns) in begun {
        let expected_ms = if *op == 0 { 100 + 100 * iteration } else { 100 };
        assert_eq!(latency_ns / 1_000_000, expected_ms, "op {op} of arrival {iteration}");
    }
    let arrivals = seen.report.honesty.arrivals.unwrap();
    assert_eq!((arrivals.due, arrivals.unstarted, arrivals.late), (20, 10, 19));
}

#[tokio::test(start_paused = true)]
async fn ops_under_way_get_their_grace_and_are_then_cancelled() {
    // Due every second; what takes 2.5 s ends within the grace of 2 s when it began a second before the end.
    for (service_ms, cancelled, why) in [(2_500, 0, "ends in time"), (3_500, 1, "the last one does not")] {
        let seen = perform(&open(Arrival::Constant, 1.0, 8, 10), &takes(service_ms)).await;
        let cut: Vec<u64> =
            seen.samples.iter().filter(|it| it.outcome == Outcome::Cancelled).map(|it| it.ended_ns).collect();
        assert_eq!(cut, vec![12_000_000_000; cancelled], "{why}");
        assert_eq!(seen.samples.len(), 10, "{why}");
        let arrivals = seen.report.honesty.arrivals.unwrap();
        assert_eq!((arrivals.due, arrivals.unstarted), (10, 0), "{why}: it had begun");
    }
}

#[tokio::test(start_paused = true)]
async fn an_op_takes_no_longer_than_its_transport_lets_it_in_either_model() {
    let hangs = server(|_| std::future::pending());
    for mut plan in [open(Arrival::Constant, 1.0, 8, 10), closed(1, 10)] {
        plan.transport.op_timeout = Span::from_millis(1_500);
        let seen = perform(&plan, &hangs).await;
        assert!(seen.samples.len() >= 6);
        let timed_out = seen.samples.iter().filter(|it| it.outcome == Outcome::Timeout);
        assert!(timed_out.clone().all(|it| (1_500..=1_501).contains(&(it.latency_ns() / 1_000_000))));
        assert_eq!(timed_out.count(), seen.samples.len());
        let note = &seen.report.failures[0];
        assert_eq!((note.message.as_str(), note.count), ("timeout: no end after 1.5 s", seen.report.samples));
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_without_think_time_starts_again_at_once() {
    let seen = perform(&closed(3, 10), &takes(4)).await;
    // Timers count whole milliseconds, but no other one is spent between two ops.
    assert_eq!(seen.samples.len(), 3 * 2_500);
    assert!(seen.took < Duration::from_millis(10_100));
}
