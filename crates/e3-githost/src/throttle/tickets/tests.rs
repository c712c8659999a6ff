use futures_util::FutureExt as _;

use super::*;

const PATIENCE: Duration = Duration::from_secs(300);

fn tickets(limit: usize) -> Arc<Tickets> {
    Arc::new(Tickets::new(Rules { what: "scm-hosting", limit, queue: 1000, timeout: PATIENCE }))
}

/// Holds a ticket for so long; returns when it was granted and given back, since the beginning.
async fn operation(tickets: Arc<Tickets>, begun: Instant, length: Duration) -> (Duration, Duration) {
    let ticket = tickets.take().await.unwrap();
    let granted = begun.elapsed();
    tokio::time::sleep(length).await;
    drop(ticket);
    (granted, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn who_asks_first_is_served_first_and_the_others_wait_exactly_as_long_as_they_must() {
    let tickets = tickets(2);
    let begun = Instant::now();
    let mut operations = Vec::new();
    for seconds in [3, 5, 1, 1, 1] {
        let length = Duration::from_secs(seconds);
        operations.push(tokio::spawn(operation(Arc::clone(&tickets), begun, length)));
        // Each stands in the line before the next comes.
        tokio::task::yield_now().await;
    }
    let mut times = Vec::new();
    for operation in operations {
        let (granted, ended) = operation.await.unwrap();
        times.push((granted.as_secs(), ended.as_secs()));
    }
    assert_eq!(times, [(0, 3), (0, 5), (3, 4), (4, 5), (5, 6)]);
    let totals = tickets.counted().totals;
    assert_eq!((totals.granted, totals.refused, totals.left), (5, 0, 0));
    assert_eq!((totals.waited.as_secs(), totals.held.as_secs()), (3 + 4 + 5, 3 + 5 + 1 + 1 + 1));
}

/// Little's law, exactly: 64 clients of a closed loop at 16 tickets, each operation one second long. 16 end each second, a
/// round of 64 takes 4 s, of which each waits 3 s; so 16 are served and 48 wait at every moment.
///
/// Source: J. D. C. Little, "A Proof for the Queuing Formula: L = λW", 1961.
#[tokio::test(start_paused = true)]
async fn with_16_tickets_and_64_clients_the_line_is_as_long_as_littles_law_says() {
    let tickets = tickets(16);
    let begun = Instant::now();
    let (warm_up, end) = (Duration::from_secs(10), Duration::from_secs(110));
    for _ in 0..64 {
        let tickets = Arc::clone(&tickets);
        tokio::spawn(async move {
            loop {
                operation(Arc::clone(&tickets), begun, Duration::from_secs(1)).await;
            }
        });
    }
    tokio::time::sleep(warm_up + Duration::from_millis(500)).await;
    let before = tickets.counted();
    let (mut looks, mut used, mut queued) = (0, 0, 0);
    while begun.elapsed() < end + Duration::from_millis(500) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = tickets.counted();
        (looks, used, queued) = (looks + 1, used + now.used, queued + now.queued);
    }
    let after = tickets.counted();
    let seconds = 100;
    let served = after.totals.granted - before.totals.granted;
    let waited = after.totals.waited - before.totals.waited;
    assert_eq!((looks, used, queued), (seconds, seconds * 16, seconds * 48));
    assert_eq!(served, 1600, "16 each second");
    assert_eq!(waited, Duration::from_secs(1600 * 3), "each 3 s");
    // L = λW in the line (48 = 16/s x 3 s) and in the whole (64 = 16/s x 4 s).
    assert_eq!(queued as u64 * 1600, served * 1600 * 3);
    assert_eq!((used + queued) as u64, served * 4);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_bounded_in_time_and_the_line_in_length() {
    let rules = Rules { what: "scm-refs", limit: 1, queue: 1, timeout: Duration::from_secs(2) };
    let tickets = Arc::new(Tickets::new(rules));
    let first = tickets.take().await.unwrap();
    let second = tokio::spawn({
        let tickets = Arc::clone(&tickets);
        async move { tickets.take().await }
    });
    tokio::task::yield_now().await;
    assert_eq!(tickets.take().await.unwrap_err(), Busy::QueueFull(1, "scm-refs"));
    let asked = Instant::now();
    let refused = second.await.unwrap().unwrap_err();
    assert_eq!(refused, Busy::WaitedTooLong(Duration::from_secs(2), "scm-refs"));
    assert_eq!(asked.elapsed(), Duration::from_secs(2));
    assert_eq!(tickets.counted().queued, 0);
    drop(first);
    let counted = tickets.counted();
    assert_eq!((counted.used, counted.available()), (0, 1));
    assert_eq!((counted.totals.granted, counted.totals.refused), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_gives_up_the_place_at_once() {
    let tickets = tickets(1);
    let first = tickets.take().await.unwrap();
    let (mut second, mut third) = (Box::pin(tickets.take()), Box::pin(tickets.take()));
    assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
    assert_eq!(tickets.counted().queued, 2);
    drop(second);
    assert_eq!((tickets.counted().queued, tickets.counted().totals.left), (1, 1));
    drop(first);
    let third = third.now_or_never().expect("it is its turn").unwrap();
    assert_eq!(tickets.counted().used, 1);
    drop(third);
    assert_eq!(tickets.counted().used, 0);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_for_somebody_who_has_just_left_goes_to_the_next() {
    let tickets = tickets(1);
    let first = tickets.take().await.unwrap();
    let (mut second, mut third) = (Box::pin(tickets.take()), Box::pin(tickets.take()));
    assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
    drop(first);
    // It has been granted, but is never picked up.
    drop(second);
    assert!(third.now_or_never().is_some_and(|taken| taken.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_lowered_takes_no_ticket_away_and_one_that_is_raised_serves_at_once() {
    let tickets = tickets(2);
    let (first, second) = (tickets.take().await.unwrap(), tickets.take().await.unwrap());
    tickets.set_limit(1);
    let counted = tickets.counted();
    assert_eq!((counted.total, counted.used, counted.available()), (1, 2, 0));
    let mut third = Box::pin(tickets.take());
    assert!((&mut third).now_or_never().is_none());
    drop(first);
    assert!((&mut third).now_or_never().is_none(), "one is held, and one is all there are");
    tickets.set_limit(2);
    assert!((&mut third).now_or_never().is_some_and(|taken| taken.is_ok()));
    drop(second);
    tickets.set_limit(0);
    assert_eq!(tickets.counted().total, 1, "a node without tickets would serve nobody");
}
