//! How late what waited for a time began: counted while clients run, without a lock and without allocation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e3_model::LagBucket;
use e3_workload::thread_lane;

/// Counts lags from all clients of a share; a clone counts into the same meter.
///
/// Each thread counts in a lane of its own, so that two of them never wait for one cache line. Counts lie in classes of
/// equal relative width: exact below 32 µs, within 3.2 % above.
///
/// Source: G. Tene's HdrHistogram, for powers of two that are cut into equal parts.
#[derive(Debug, Clone)]
pub(crate) struct LagMeter {
    lanes: Arc<[Lane]>,
}

/// What the meter says in the end.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Lags {
    /// The 99th percentile in milliseconds; of fewer than 500 the fifth largest, since a percentile needs
    /// n × (1 − p) ≥ 5 to mean anything; 0 of fewer than five.
    pub(crate) p99_ms: f64,
    /// The largest, in milliseconds; 0 when there was none.
    pub(crate) max_ms: f64,
    /// Counts by powers of two, the shortest first, without empty ones.
    pub(crate) buckets: Vec<LagBucket>,
}

#[derive(Debug)]
struct Lane {
    counts: Box<[AtomicU64]>,
    max_ns: AtomicU64,
}

impl Default for LagMeter {
    fn default() -> Self {
        Self::with_lanes(e3_workload::thread_lanes())
    }
}

impl LagMeter {
    /// Returns a meter for a single task.
    pub(crate) fn of_one_task() -> Self {
        Self::with_lanes(1)
    }

    fn with_lanes(lanes: usize) -> Self {
        let lane =
            |_| Lane { counts: (0..CLASSES).map(|_| AtomicU64::new(0)).collect(), max_ns: AtomicU64::new(0) };
        Self { lanes: (0..lanes.max(1)).map(lane).collect() }
    }

    /// Counts one lag.
    pub(crate) fn note(&self, late: Duration) {
        self.note_many(late, 1);
    }

    /// Counts so many lags of one length.
    pub(crate) fn note_many(&self, late: Duration, times: u64) {
        let ns = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        let Some(lane) = self.lanes.get(thread_lane() % self.lanes.len()) else { return };
        if let Some(count) = lane.counts.get(class(ns)) {
            count.fetch_add(times, Ordering::Relaxed);
        }
        if ns > lane.max_ns.load(Ordering::Relaxed) {
            lane.max_ns.fetch_max(ns, Ordering::Relaxed);
        }
    }

    /// Returns what was counted so far.
    pub(crate) fn lags(&self) -> Lags {
        let sum = |class: usize| -> u64 {
            self.lanes
                .iter()
                .filter_map(|lane| lane.counts.get(class))
                .map(|it| it.load(Ordering::Relaxed))
                .sum()
        };
        let counts: Vec<u64> = (0..CLASSES).map(sum).collect();
        let max_ns = self.lanes.iter().map(|lane| lane.max_ns.load(Ordering::Relaxed)).max().unwrap_or(0);
        let mut buckets: Vec<LagBucket> = Vec::new();
        for (class, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let up_to_us = last_us(class).saturating_add(1).next_power_of_two();
            match buckets.last_mut() {
                Some(bucket) if bucket.up_to_us == up_to_us => bucket.count += count,
                _ => buckets.push(LagBucket { up_to_us, count: *count }),
            }
        }
        Lags { p99_ms: p99_ms(&counts).min(ms(max_ns)), max_ms: ms(max_ns), buckets }
    }
}

fn p99_ms(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    if total < FEWEST {
        return 0.0;
    }
    let from_the_top = (total - (total * 99).div_ceil(100) + 1).max(FEWEST);
    let mut above = 0;
    for (class, count) in counts.iter().enumerate().rev() {
        above += count;
        if above >= from_the_top {
            return middle_us(class) / 1000.0;
        }
    }
    0.0
}

/// Returns the class of a lag; one of more than 19 hours lies in the last.
///
/// Whole microseconds that have begun count, less one, so that a class includes its upper bound and not its lower one.
fn class(ns: u64) -> usize {
    let us = (ns.saturating_sub(1) / 1000).min((1 << MOST_BITS) - 1);
    let bits = u64::BITS - us.leading_zeros();
    let class = match bits.checked_sub(PART_BITS + 1) {
        None => us,
        Some(shift) => (u64::from(shift) << PART_BITS) + (us >> shift),
    };
    usize::try_from(class).unwrap_or(CLASSES)
}

/// Returns the first and the last whole microsecond of a class, as [`class`] counts them.
fn bounds_us(class: usize) -> (u64, u64) {
    let shift = (class >> PART_BITS).saturating_sub(1);
    let part = u64::try_from(class - (shift << PART_BITS)).unwrap_or(0);
    (part << shift, ((part + 1) << shift) - 1)
}

fn last_us(class: usize) -> u64 {
    bounds_us(class).1
}

#[expect(clippy::cast_precision_loss, reason = "at most 2^36 µs")]
fn middle_us(class: usize) -> f64 {
    let (first, last) = bounds_us(class);
    (first + last + 1) as f64 / 2.0
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// A power of two is cut into 2^5 parts.
const PART_BITS: u32 = 5;
/// Lags are told apart up to 2^36 µs.
const MOST_BITS: u32 = 36;
/// Parts of all powers of two above the first 2^6 classes, which are a microsecond each.
const CLASSES: usize = ((MOST_BITS - PART_BITS + 1) as usize) << PART_BITS;
/// How many are needed beyond a percentile.
const FEWEST: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lags_us: impl IntoIterator<Item = u64>) -> Lags {
        let meter = LagMeter::default();
        lags_us.into_iter().for_each(|us| meter.note(Duration::from_micros(us)));
        meter.lags()
    }

    #[test]
    fn every_lag_lies_in_its_class_and_no_class_is_wide() {
        let mut before = 0;
        for class in 0..CLASSES {
            let (first, last) = bounds_us(class);
            assert_eq!(first, before, "classes leave no gap");
            before = last + 1;
            for (ns, why) in
                [(first * 1000 + 1, "above the lower bound"), ((last + 1) * 1000, "the upper bound itself")]
            {
                assert_eq!(super::class(ns), class, "{why}: {ns}");
            }
            assert!(last - first <= first / 32, "{first} to {last}");
        }
        assert_eq!(before, 1 << MOST_BITS);
        assert_eq!((class(0), class(u64::MAX)), (0, CLASSES - 1));
    }

    #[test]
    fn classes_are_summed_up_by_powers_of_two() {
        let lags = of([0, 1, 2, 3, 4, 5, 1_024, 1_025, 2_048]);
        let buckets: Vec<_> = lags.buckets.iter().map(|it| (it.up_to_us, it.count)).collect();
        assert_eq!(buckets, [(1, 2), (2, 1), (4, 2), (8, 1), (1_024, 1), (2_048, 2)]);
        assert!((lags.max_ms - 2.048).abs() < 1e-9);
        assert_eq!(of([]), Lags::default());
    }

    #[test]
    fn the_percentile_needs_five_beyond_it() {
        let near = |lags: &Lags, ms: f64| assert!((lags.p99_ms / ms - 1.0).abs() < 0.016, "{lags:?}");
        near(&of(1..=100_000), 99.0);
        near(&of((1..=1_000).map(|n| n * 100)), 99.0);
        // One late wake-up of a short stage says nothing about its 99th percentile; five of them do.
        let short = |late| of(std::iter::repeat_n(100, 116).chain(std::iter::repeat_n(30_000, late)));
        near(&short(4), 0.1);
        near(&short(5), 30.0);
        assert!(of([9_000; 4]).p99_ms.abs() < 1e-9);
    }

    #[test]
    fn threads_count_together() {
        let meter = LagMeter::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1_000).for_each(|_| meter.note(Duration::from_millis(3))));
            }
        });
        assert_eq!(meter.lags().buckets, [LagBucket { up_to_us: 4_096, count: 8_000 }]);
    }
}
