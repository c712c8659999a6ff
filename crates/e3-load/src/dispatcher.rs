//! The dispatcher of an open share: one task that calls clients when arrivals are due.

use std::time::Duration;

use e3_model::Arrivals;
use e3_workload::{Instant, Load, OpBudget, Seat};

use crate::JobDraw;
use crate::alarm::Alarm;
use crate::pool::{Next, Pool, Unstarted};

/// Calls clients from the stage's start until its end, or until it is stopped, and then closes the pool.
pub(crate) async fn dispatch(pool: &Pool, load: &Load) {
    let alarm = Alarm::new();
    let stopped = load.stop.cancelled();
    tokio::pin!(stopped);
    let mut until = load.origin;
    let mut next = Next::Due(0);
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => break,
            () = pool.freed(), if next == Next::Client => {}
            () = alarm.wait_until(until) => {}
        }
        let now = Instant::now();
        if now >= load.end {
            break;
        }
        // At a rate that leaves no time to wait, the clients get their turn all the same.
        tokio::task::coop::consume_budget().await;
        next = pool.dispatch(since_ns(load.origin, now));
        until = load.end.min(match next {
            Next::Due(at_ns) => load.origin + Duration::from_nanos(at_ns),
            Next::Client => now + LOOK,
            Next::End => load.end,
        });
    }
    pool.close(since_ns(load.origin, Instant::now().min(load.end)));
}

/// Records what had not begun when the pool was closed, and returns what became of all arrivals.
///
/// Each is a sample of its job's first op, cut off by the stage's end, of the client that `seat` names, up to
/// [`MOST_RECORDED`]; of a stage that was further behind the rest is only counted. What the stage's ops would not have
/// sufficed for was not due.
pub(crate) async fn conclude(
    pool: &Pool,
    seat: &Seat,
    draw: &JobDraw,
    budget: Option<&OpBudget>,
) -> Arrivals {
    let (tally, unstarted) = pool.outcome();
    let left = unstarted.as_ref().map_or(0, |unstarted| unstarted.count);
    let left = budget.map_or(left, |budget| left.min(budget.left()));
    let (mut late, mut longest_wait_ns) = (tally.late, tally.longest_wait_ns);
    if let Some(unstarted) = unstarted.filter(|_| left > 0) {
        if unstarted.waited {
            late += left;
            let first = unstarted.clone().arrivals().next();
            longest_wait_ns = longest_wait_ns.max(first.map_or(0, |due| unstarted.end_ns - due.at_ns));
        }
        record(unstarted, left.min(MOST_RECORDED), seat, draw).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let longest_wait_ms = longest_wait_ns as f64 / 1e6;
    let unstarted = left + tally.missed;
    Arrivals {
        due: tally.begun + unstarted,
        late,
        unstarted,
        most_waiting: tally.most_waiting,
        longest_wait_ms,
        most_busy: tally.most_busy,
    }
}

async fn record(unstarted: Unstarted, count: u64, seat: &Seat, draw: &JobDraw) {
    let end_ns = unstarted.end_ns;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    for (recorded, due) in unstarted.arrivals().take(count).enumerate() {
        if recorded > 0 && recorded.is_multiple_of(AT_ONCE) {
            tokio::time::sleep(BREATH).await;
        }
        seat.record_unstarted(draw.of_arrival(due.seed), due.index, (due.at_ns, end_ns));
    }
}

/// Returns the nanoseconds from the stage's start; 0 for a time before it.
pub(crate) fn since_ns(origin: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(origin).as_nanos()).unwrap_or(u64::MAX)
}

/// How often a dispatcher that waits for a client looks how many arrivals wait with it, so that a server that never
/// answers leaves no long count for the end.
const LOOK: Duration = Duration::from_secs(1);
/// How many arrivals of a share that did not begin are recorded one by one at most.
const MOST_RECORDED: u64 = 1_000_000;
/// How many are recorded at once, an eighth of what may wait for the recorder, and how long it then gets for them.
const AT_ONCE: usize = 8192;
const BREATH: Duration = Duration::from_millis(100);
