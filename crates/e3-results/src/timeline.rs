//! A stage second by second.

use e3_model::{Outcome, Sample, StagePlan, TimelinePoint};
use e3_stats::{Quantile, percentile};

use crate::stage::{Window, milliseconds};

/// Returns one point per second in which an op may have ended: from the stage's start, warm-up included, to its end, and
/// on through the grace as long as ops ended in it. Each op counts in the second of its end.
pub(crate) fn timeline(plan: &StagePlan, window: Window, samples: &[Sample]) -> Vec<TimelinePoint> {
    let latest = (window.end_ms.saturating_add(plan.grace.as_millis())).div_ceil(1000);
    let last_end = samples.last().map_or(0, |sample| sample.ended_ns / SECOND + 1).min(latest);
    let seconds = u32::try_from(window.end_ms.div_ceil(1000).max(last_end)).unwrap_or(u32::MAX);
    let mut rest = samples;
    (0..seconds)
        .map(|second| {
            let end = (u64::from(second) + 1) * SECOND;
            let (ended, later) = rest.split_at(rest.partition_point(|sample| sample.ended_ns < end));
            rest = later;
            point(second, ended)
        })
        .collect()
}

fn point(second: u32, ended: &[Sample]) -> TimelinePoint {
    let successes = ended.iter().filter(|sample| sample.outcome == Outcome::Ok);
    let mut latencies: Vec<u64> = successes.map(Sample::latency_ns).collect();
    latencies.sort_unstable();
    let errors = ended.iter().filter(|sample| sample.outcome.is_error()).count();
    TimelinePoint {
        second,
        ok: latencies.len().try_into().unwrap_or(u64::MAX),
        errors: errors.try_into().unwrap_or(u64::MAX),
        p50_ms: percentile(&latencies, Quantile::P50).map(milliseconds),
        p95_ms: percentile(&latencies, Quantile::P95).map(milliseconds),
        p99_ms: percentile(&latencies, Quantile::P99).map(milliseconds),
        max_ms: latencies.last().copied().map(milliseconds),
    }
}

const SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MS, sample, stage_plan};

    #[test]
    fn ops_count_in_the_second_of_their_end() {
        let mut samples: Vec<Sample> = (0..10).map(|n| sample(n, 0, 0, (100 + u64::from(n)) * MS)).collect();
        samples.push(sample(0, 0, 500 * MS, 1_999 * MS));
        samples.push(Sample { outcome: Outcome::Timeout, ..sample(1, 0, 500 * MS, 2_000 * MS) });
        samples.push(Sample { outcome: Outcome::Cancelled, ..sample(1, 0, 5_500 * MS, 7_200 * MS) });
        let window = Window { start_ms: 1000, end_ms: 6000 };
        let points = timeline(&stage_plan(1), window, &samples);
        assert_eq!(points.len(), 8, "six seconds of load and two of grace");
        let counts: Vec<_> = points.iter().map(|point| (point.second, point.ok, point.errors)).collect();
        assert_eq!(counts[..3], [(0, 10, 0), (1, 1, 0), (2, 0, 1)]);
        assert_eq!(points[0].p50_ms, Some(104.0));
        assert_eq!((points[1].p50_ms, points[1].max_ms), (None, Some(1499.0)), "one op has no median");
        assert_eq!(points[7].ok + points[7].errors, 0, "a cancelled op is neither");
    }

    #[test]
    fn an_absurd_time_makes_no_endless_timeline() {
        let window = Window { start_ms: 1000, end_ms: 6000 };
        let points = timeline(&stage_plan(1), window, &[sample(0, 0, 0, u64::MAX)]);
        assert_eq!(points.len(), 11, "six seconds of load and five of grace");
    }
}
