//! Latencies: percentiles, their intervals, and how they are distributed.

use std::collections::BTreeMap;

use e3_model::{Bucket, Confidence, Latency, LatencyIntervals};
use e3_stats::{Draws, Interval, LEVEL, Quantile, Slotted, StageValues, mean, percentile, percentile_draws};

use crate::stage::milliseconds;

/// Returns the figures of these latencies, none without any, and what is known of the percentiles of [`COMPARED`].
pub(crate) fn latency(ascending: &[Slotted], seed: u64) -> (Option<Latency>, Vec<Option<Draws>>) {
    let [p50, p90, p95, p99, p999] = percentile_draws(&[StageValues { values: ascending, seed }], ALL);
    let values: Vec<u64> = ascending.iter().map(|own| own.value).collect();
    let intervals = LatencyIntervals {
        p50: interval_ms(p50.as_ref()),
        p90: interval_ms(p90.as_ref()),
        p95: interval_ms(p95.as_ref()),
        p99: interval_ms(p99.as_ref()),
        p999: interval_ms(p999.as_ref()),
    };
    (figures(&values, intervals), vec![p50, p95, p99])
}

fn figures(ascending: &[u64], intervals: LatencyIntervals) -> Option<Latency> {
    let at = |quantile| percentile(ascending, quantile).map(milliseconds);
    Some(Latency {
        min_ms: milliseconds(*ascending.first()?),
        mean_ms: mean(ascending)? / 1e6,
        p50_ms: at(Quantile::P50),
        p90_ms: at(Quantile::P90),
        p95_ms: at(Quantile::P95),
        p99_ms: at(Quantile::P99),
        p999_ms: at(Quantile::P999),
        max_ms: milliseconds(*ascending.last()?),
        intervals,
    })
}

/// Returns the buckets that hold any of these latencies, ascending.
pub(crate) fn distribution(latencies: &[Slotted]) -> Vec<Bucket> {
    let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
    for own in latencies {
        *counts.entry(bucket(milliseconds(own.value.max(1)))).or_default() += 1;
    }
    let bucket = |(number, count)| Bucket { from_ms: edge(number), to_ms: edge(number + 1), count };
    counts.into_iter().map(bucket).collect()
}

/// The edges decide, not the logarithm: what lies on an edge belongs to the bucket that begins there.
#[expect(clippy::cast_possible_truncation, reason = "between -120 and 270 for 64 bits of nanoseconds")]
fn bucket(latency_ms: f64) -> i32 {
    let near = (latency_ms.log10() * PER_DECADE).floor() as i32;
    (near - 1..=near + 1).rfind(|number| edge(*number) <= latency_ms).unwrap_or(near)
}

fn edge(bucket: i32) -> f64 {
    10_f64.powf(f64::from(bucket) / PER_DECADE)
}

/// Returns an interval as documents have it.
pub(crate) fn confidence(interval: Interval) -> Confidence {
    Confidence { low: interval.low, high: interval.high, level: LEVEL }
}

fn interval_ms(draws: Option<&Draws>) -> Option<Confidence> {
    let interval = draws?.interval()?;
    Some(confidence(Interval { low: interval.low / 1e6, high: interval.high / 1e6 }))
}

/// The percentiles that are compared.
pub(crate) const COMPARED: [Quantile; 3] = [Quantile::P50, Quantile::P95, Quantile::P99];
const ALL: [Quantile; 5] = [Quantile::P50, Quantile::P90, Quantile::P95, Quantile::P99, Quantile::P999];
const PER_DECADE: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn slotted(values: impl IntoIterator<Item = u64>) -> Vec<Slotted> {
        (0_u16..).zip(values).map(|(n, value)| Slotted { value, slot: n * 61 % 160 }).collect()
    }

    #[test]
    fn a_percentile_that_too_few_ops_speak_for_is_left_out() {
        let (latency, draws) = latency(&slotted((1..=100).map(|n| n * 1_000_000)), 1);
        let latency = latency.unwrap();
        assert_eq!((latency.p50_ms, latency.p90_ms, latency.p95_ms), (Some(50.0), Some(90.0), Some(95.0)));
        assert_eq!((latency.p99_ms, latency.p999_ms), (None, None));
        assert_eq!((latency.min_ms, latency.mean_ms, latency.max_ms), (1.0, 50.5, 100.0));
        let median = latency.intervals.p50.unwrap();
        assert!(
            median.low > 30.0 && median.low < 50.0 && median.high > 50.0 && median.high < 70.0,
            "{median:?}"
        );
        assert!(draws[0].is_some() && draws[2].is_none());
        assert_eq!(super::latency(&[], 1), (None, vec![None, None, None]));
    }

    #[test]
    fn what_lies_on_an_edge_belongs_to_the_bucket_that_begins_there() {
        let found =
            distribution(&slotted([0, 1, 1_000_000, 1_000_000, 1_122_018, 1_122_019, 10_000_000, u64::MAX]));
        let counts: Vec<u64> = found.iter().map(|bucket| bucket.count).collect();
        assert_eq!(counts, [2, 3, 1, 1, 1], "{found:?}");
        assert!((found[0].from_ms - 1e-6).abs() < 1e-12, "no latency is shorter than a nanosecond");
        assert!((found[1].from_ms - 1.0).abs() < 1e-12 && (found[1].to_ms - 1.122_018_454).abs() < 1e-9);
        assert!((found[3].from_ms - 10.0).abs() < 1e-12);
        assert!(found.iter().all(|bucket| bucket.from_ms < bucket.to_ms));
        assert_eq!(distribution(&[]), []);
    }
}
