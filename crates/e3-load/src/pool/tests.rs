//! The pool against a schedule of ten a second, without a clock.

use std::time::Duration;

use e3_model::{Arrival, ArrivalPlan, Seed, Span};

use super::*;

const MS: u64 = 1_000_000;

/// Ten arrivals a second, for so many seconds.
fn pool(clients: u32, seconds: u64) -> Pool {
    let plan =
        ArrivalPlan { arrival: Arrival::Constant, from: 10.0, to: 10.0, ramp: Span::ZERO, seed: Seed(1) };
    Pool::new(Schedule::new(&plan, (0, 1), Duration::from_secs(seconds)), clients)
}

/// Returns the index of the arrival that a client was called for.
fn heard(pool: &Pool, client: u32) -> Option<u64> {
    pool.state().call_of(client).unwrap().take().map(|call| call.due.index)
}

#[test]
fn the_idle_client_with_the_lowest_number_is_called_first() {
    let pool = pool(3, 10);
    assert_eq!(pool.dispatch(0), Next::Due(100 * MS));
    assert_eq!(pool.dispatch(100 * MS), Next::Due(200 * MS));
    assert_eq!([0, 1, 2].map(|client| heard(&pool, client)), [Some(0), Some(1), None]);
    assert_eq!(pool.release(1, 150 * MS), None);
    assert_eq!(pool.release(0, 160 * MS), None);
    assert_eq!(pool.dispatch(200 * MS), Next::Due(300 * MS));
    assert_eq!([0, 1, 2].map(|client| heard(&pool, client)), [Some(2), None, None]);
    assert_eq!(pool.outcome().0, Tally { begun: 3, most_busy: 2, ..Tally::default() });
}

#[test]
fn what_waits_is_served_in_order_by_whoever_is_free_first() {
    let pool = pool(2, 10);
    pool.dispatch(100 * MS);
    assert_eq!(pool.dispatch(450 * MS), Next::Client);
    let call = pool.release(1, 500 * MS).unwrap();
    assert_eq!((call.due.index, call.waited), (2, true), "due at 200 ms, and first of those that wait");
    assert_eq!(pool.release(0, 500 * MS).unwrap().due.index, 3);
    assert_eq!(pool.release(0, 510 * MS).unwrap().due.index, 4);
    assert_eq!(pool.release(0, 510 * MS).unwrap().due.index, 5);
    assert_eq!(pool.release(0, 510 * MS), None, "the schedule was caught up with");
    let expected = Tally {
        begun: 6,
        late: 4,
        // At 500 ms those of 200, 300 and 400 ms, not the one that is due that moment.
        most_waiting: 3,
        longest_wait_ns: 300 * MS,
        most_busy: 2,
        missed: 0,
    };
    assert_eq!(pool.outcome().0, expected);
    assert_eq!(pool.dispatch(520 * MS), Next::Due(600 * MS));
}

#[test]
fn a_moment_that_is_met_exactly_is_no_wait_whoever_comes_first() {
    for client_first in [true, false] {
        let pool = pool(1, 10);
        pool.dispatch(0);
        if !client_first {
            assert_eq!(pool.dispatch(100 * MS), Next::Client);
        }
        let call = pool.release(0, 100 * MS).unwrap();
        assert_eq!((call.due.index, call.waited), (1, false));
        let tally = pool.outcome().0;
        assert_eq!((tally.late, tally.most_waiting, tally.begun), (0, 0, 2), "{client_first}");
    }
}

#[test]
fn a_dispatcher_that_is_late_makes_nothing_wait_for_a_client() {
    let pool = pool(4, 10);
    pool.dispatch(0);
    // Due at 100 and 200 ms; a client that becomes free takes one of them before the dispatcher is awake.
    assert_eq!(pool.release(0, 250 * MS).map(|call| (call.due.index, call.waited)), Some((1, false)));
    assert_eq!(pool.dispatch(290 * MS), Next::Due(300 * MS));
    assert_eq!(heard(&pool, 1), Some(2));
    assert_eq!((pool.outcome().0.late, pool.outcome().0.most_waiting), (0, 0));
    // The stage ends before it is woken again.
    pool.close(450 * MS);
    let unstarted = pool.outcome().1.unwrap();
    assert_eq!((unstarted.count, unstarted.waited, pool.outcome().0.most_waiting), (2, false, 0));
}

#[test]
fn what_had_not_begun_at_the_end_is_known_one_by_one() {
    let pool = pool(1, 1);
    pool.dispatch(0);
    pool.dispatch(100 * MS);
    assert_eq!(pool.release(0, 350 * MS).unwrap().due.index, 1);
    pool.close(800 * MS);
    pool.close(900 * MS);
    assert_eq!(pool.release(0, 850 * MS), None, "nothing begins after the end");
    let (tally, unstarted) = pool.outcome();
    let unstarted = unstarted.unwrap();
    assert_eq!((unstarted.end_ns, unstarted.count, unstarted.waited), (800 * MS, 6, true));
    assert_eq!((tally.begun, tally.most_waiting), (2, 6));
    let left: Vec<u64> = unstarted.arrivals().map(|due| due.index).collect();
    assert_eq!(left, [2, 3, 4, 5, 6, 7]);
}

#[test]
fn times_that_come_in_the_wrong_order_lose_nothing() {
    let pool = pool(2, 10);
    pool.dispatch(100 * MS);
    assert_eq!(pool.dispatch(201 * MS), Next::Client);
    // This client read the clock before the dispatcher did, and had to wait for it.
    let call = pool.release(0, 199 * MS).unwrap();
    assert_eq!((call.due.index, call.waited), (2, true));
    assert_eq!(pool.outcome().0.longest_wait_ns, MS);
}

#[tokio::test]
async fn clients_hear_their_call_even_when_it_came_first_and_go_when_it_is_over() {
    let pool = pool(2, 1);
    pool.dispatch(0);
    assert_eq!(pool.called(0).await.map(|call| call.due.index), Some(0));
    pool.dispatch(950 * MS);
    assert_eq!(pool.dispatch(960 * MS), Next::Client);
    assert_eq!(pool.called(1).await.map(|call| call.due.index), Some(1));
    pool.close(1_000 * MS);
    assert_eq!(pool.called(1).await, None);
    assert_eq!(pool.next(0, 1_010 * MS).await, None);
}

#[test]
fn a_schedule_that_ends_leaves_only_the_end_to_wait_for() {
    let pool = pool(20, 1);
    assert_eq!(pool.dispatch(2_000 * MS), Next::End);
    assert_eq!(pool.outcome().0.begun, 10);
}
