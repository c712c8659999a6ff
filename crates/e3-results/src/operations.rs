//! Counts, rates and latencies of ops.

use std::collections::BTreeMap;

use e3_model::{Confidence, Latency, LatencyIntervals, OpStatistics, Outcome, Sample, StagePlan};
use e3_stats::{Interval, LEVEL, Quantile, mean, percentile, poisson_rate, wilson};

use crate::cycle::Cycles;
use crate::stage::{Window, milliseconds};

/// Returns the statistics of all ops together, and of each op of each job in the workload's order.
///
/// The population is the ops that were due in the window; latency is that of the successes, from the scheduled start.
/// The interval of a rate allows for ops that come in iterations, see [`Cycles`].
pub(crate) fn operations(
    plan: &StagePlan,
    window: Window,
    samples: &[Sample],
) -> (OpStatistics, Vec<OpStatistics>) {
    let population: Vec<&Sample> =
        samples.iter().filter(|sample| window.contains(sample.scheduled_ns)).collect();
    let mut by_op: BTreeMap<(u16, u16), Vec<&Sample>> = BTreeMap::new();
    for sample in &population {
        by_op.entry((sample.job, sample.op)).or_default().push(sample);
    }
    let cycles = Cycles::of(plan, window, samples);
    let mut ops = Vec::new();
    for (job, job_plan) in (0..).zip(&plan.jobs) {
        for (op, descriptor) in (0..).zip(&job_plan.ops) {
            let own = by_op.get(&(job, op)).map_or(&[][..], Vec::as_slice);
            ops.push(OpStatistics {
                script: job_plan.script.clone(),
                op: descriptor.name.clone(),
                ..statistics(own, window, &cycles)
            });
        }
    }
    (statistics(&population, window, &cycles), ops)
}

fn statistics(population: &[&Sample], window: Window, cycles: &Cycles) -> OpStatistics {
    let with = |wanted: fn(Outcome) -> bool| population.iter().filter(move |sample| wanted(sample.outcome));
    let successes: Vec<&Sample> = with(|outcome| outcome == Outcome::Ok).copied().collect();
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    for failure in with(Outcome::is_error) {
        *errors.entry(failure.outcome.name().to_owned()).or_default() += 1;
    }
    let ok = length(successes.len());
    let failed: u64 = errors.values().sum();
    let count = ok + failed;
    let total = |bytes: fn(&Sample) -> u64| {
        successes.iter().fold(0_u64, |sum, sample| sum.saturating_add(bytes(sample)))
    };
    OpStatistics {
        script: String::new(),
        op: String::new(),
        count,
        ok,
        cancelled: length(population.len()) - count,
        rate_per_s: per_second(ok, window.seconds()),
        rate_interval: poisson_rate(ok, cycles.dispersion(&successes), window.seconds()).map(confidence),
        error_rate: (count > 0).then(|| ratio(failed, count)),
        error_rate_interval: wilson(failed, count).map(confidence),
        errors,
        latency: latency(&successes),
        distribution: Vec::new(),
        bytes_in: total(|sample| sample.bytes_in),
        bytes_out: total(|sample| sample.bytes_out),
    }
}

fn latency(successes: &[&Sample]) -> Option<Latency> {
    let mut latencies: Vec<u64> = successes.iter().map(|sample| sample.latency_ns()).collect();
    latencies.sort_unstable();
    let at = |quantile| percentile(&latencies, quantile).map(milliseconds);
    Some(Latency {
        min_ms: milliseconds(*latencies.first()?),
        mean_ms: mean(&latencies)? / 1e6,
        p50_ms: at(Quantile::P50),
        p90_ms: at(Quantile::P90),
        p95_ms: at(Quantile::P95),
        p99_ms: at(Quantile::P99),
        p999_ms: at(Quantile::P999),
        max_ms: milliseconds(*latencies.last()?),
        intervals: LatencyIntervals::default(),
    })
}

fn confidence(interval: Interval) -> Confidence {
    Confidence { low: interval.low, high: interval.high, level: LEVEL }
}

fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { ratio(count, 1) / seconds } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MS, sample, stage_plan};

    const WINDOW: Window = Window { start_ms: 0, end_ms: 10_000 };

    #[test]
    fn failures_count_and_cancelled_ops_do_not() {
        let ended = |outcome| Sample { outcome, ..sample(0, 0, 0, 10 * MS) };
        let samples = [
            Outcome::Ok,
            Outcome::Ok,
            Outcome::Http5xx,
            Outcome::Timeout,
            Outcome::Timeout,
            Outcome::Cancelled,
        ]
        .map(ended);
        let (total, ops) = operations(&stage_plan(1), WINDOW, &samples);
        assert_eq!((total.count, total.ok, total.cancelled), (5, 2, 1));
        assert_eq!(total.errors, BTreeMap::from([("http-5xx".to_owned(), 1), ("timeout".to_owned(), 2)]));
        assert!((total.error_rate.unwrap() - 0.6).abs() < 1e-12);
        assert!(total.error_rate_interval.is_some_and(|ends| ends.low > 0.2 && ends.high < 0.9));
        assert!((total.rate_per_s - 0.2).abs() < 1e-12);
        assert_eq!(total.bytes_in, 2 * samples[0].bytes_in, "bytes of successes only");
        let names: Vec<_> = ops.iter().map(|op| (op.script.as_str(), op.op.as_str(), op.count)).collect();
        assert_eq!(
            names,
            [
                ("scm.GitCloneOverHttp", "clone", 5),
                ("web.ListUsers", "log in", 0),
                ("web.ListUsers", "list users", 0)
            ]
        );
        assert_eq!(ops[1].latency, None);
        assert_eq!(ops[1].error_rate, None);
    }

    #[test]
    fn a_percentile_that_too_few_ops_speak_for_is_left_out() {
        let samples: Vec<Sample> = (1..=100).map(|n| sample(0, 0, 0, n * MS)).collect();
        let (total, _) = operations(&stage_plan(1), WINDOW, &samples);
        let latency = total.latency.unwrap();
        assert_eq!((latency.p50_ms, latency.p90_ms, latency.p95_ms), (Some(50.0), Some(90.0), Some(95.0)));
        assert_eq!((latency.p99_ms, latency.p999_ms), (None, None));
        assert_eq!((latency.min_ms, latency.mean_ms, latency.max_ms), (1.0, 50.5, 100.0));
    }
}
