//! When a client polls: at ticks of its own, spread over the interval and counted from when they are due.

use std::time::Duration;

use e3_model::OpId;
use e3_workload::{ClientContext, Instant, Stopped};
use rand::RngExt as _;

/// The ticks of one client, an interval apart from the stage's start on.
///
/// A tick is due at its time, however long the one before took: one that is overdue comes at once and counts from when it
/// was due, none is left out. What came due while the client was thinking or busy with another job is not the system's
/// doing, and passes.
#[derive(Debug)]
pub(super) struct Ticks {
    /// Nanoseconds from tick to tick.
    interval: u64,
    /// Nanoseconds from the stage's start to the first tick.
    phase: u64,
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    tick: u64,
    /// When the client was done with it.
    ended: Instant,
}

impl Ticks {
    /// Returns the ticks of a context's client.
    ///
    /// The clients' positions in the interval are multiples of the golden ratio, by which any number of them is spread
    /// evenly; a seeded shift of at most a thirty-second keeps two jobs apart.
    /// Source: Knuth, The Art of Computer Programming, volume 3, section 6.4, theorem S.
    pub(super) fn new(interval: Duration, context: &mut ClientContext) -> Self {
        let interval = nanoseconds(interval).max(1);
        let shift = context.random().random::<u64>() >> 5;
        let position = spread(context.client().0, GOLDEN).wrapping_add(shift);
        Self { interval, phase: part(interval, position), last: None }
    }

    /// Waits for the next tick and returns its number; the next op counts from when it is due. In the open model every
    /// arrival is a poll of its own, and has no number.
    ///
    /// # Errors
    /// When the stage is over first.
    pub(super) async fn next(&mut self, context: &mut ClientContext) -> Result<Option<u64>, Stopped> {
        if context.is_arrival() {
            return Ok(None);
        }
        let (origin, now) = (context.stage_start(), Instant::now());
        let coming = self.at_or_after(nanoseconds(now.saturating_duration_since(origin)));
        let (tick, due) = match &self.last {
            None => (coming, self.due(origin, coming)),
            Some(Last { tick, ended }) => {
                let next = tick.saturating_add(1);
                let due = self.due(origin, next);
                if due <= *ended {
                    // Overdue; what the client did in between is not counted.
                    (next, due + now.saturating_duration_since(*ended))
                } else {
                    let tick = next.max(coming);
                    (tick, self.due(origin, tick))
                }
            }
        };
        self.last = Some(Last { tick, ended: now });
        context.until_due(due).await?;
        Ok(Some(tick))
    }

    /// Notes that the client is done with the last tick; what was overdue by the stage's end is recorded as that op, cut
    /// off.
    pub(super) fn done(&mut self, context: &mut ClientContext, op: OpId) {
        let origin = context.stage_start();
        let Some(mut last) = self.last.take() else { return };
        last.ended = Instant::now();
        while context.record_overdue(op, self.due(origin, last.tick.saturating_add(1))) {
            last.tick = last.tick.saturating_add(1);
        }
        self.last = Some(last);
    }

    /// Returns when a tick is due, in nanoseconds from the stage's start.
    pub(super) fn due_ns(&self, tick: u64) -> u64 {
        self.phase.saturating_add(tick.saturating_mul(self.interval))
    }

    /// Returns the nanoseconds from tick to tick.
    pub(super) fn interval_ns(&self) -> u64 {
        self.interval
    }

    fn due(&self, origin: Instant, tick: u64) -> Instant {
        origin + Duration::from_nanos(self.due_ns(tick))
    }

    fn at_or_after(&self, elapsed: u64) -> u64 {
        elapsed.saturating_sub(self.phase).div_ceil(self.interval)
    }
}

/// Returns a client's position, as a fraction of 2^64: multiples of a ratio, without their whole part.
pub(super) fn spread(client: u32, ratio: u64) -> u64 {
    u64::from(client).wrapping_mul(ratio)
}

/// Returns that fraction, of 2^64, of a whole.
pub(super) fn part(whole: u64, fraction: u64) -> u64 {
    u64::try_from((u128::from(whole) * u128::from(fraction)) >> 64).unwrap_or(whole)
}

pub(super) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The golden ratio's fractional part, 0.618…, of 2^64.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests;
