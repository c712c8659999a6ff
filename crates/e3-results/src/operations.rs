//! Counts, rates and latencies of ops.

use std::collections::BTreeMap;

use e3_model::{OpStatistics, Outcome, Sample, Seed, StagePlan};
use e3_stats::{SLOTS, Slotted, block_dispersion, poisson_rate, slot_of, wilson};

use crate::bounded::bounded;
use crate::cycle::{Counted, Cycles};
use crate::evidence::OpEvidence;
use crate::latency::{confidence, distribution, latency};
use crate::stage::Window;

/// An op's statistics and what they rest on.
pub(crate) type OpAnalysis = (OpStatistics, OpEvidence);

/// Returns the statistics of all ops together, and of each op of each job in the workload's order.
///
/// The population is the ops that were due in the window; latency is that of the successes, from the scheduled start.
/// Intervals of rates allow for ops that come in iterations, see [`Cycles`], and for seconds that are slower than others;
/// those of latencies for ops that depend on each other, see [`e3_stats::percentile_draws`].
pub(crate) fn operations(
    plan: &StagePlan,
    window: Window,
    samples: &[Sample],
    seed: Seed,
) -> (OpAnalysis, Vec<OpAnalysis>) {
    let cycles = Cycles::of(plan, window, samples);
    let population = cycles.population(window, samples);
    let mut by_op: BTreeMap<(u16, u16), Vec<Counted<'_>>> = BTreeMap::new();
    for counted in &population {
        by_op.entry((counted.sample.job, counted.sample.op)).or_default().push(*counted);
    }
    let mut ops = Vec::new();
    let mut lanes = 1..;
    for (job, job_plan) in (0..).zip(&plan.jobs) {
        for (op, descriptor) in (0..).zip(&job_plan.ops) {
            let own = by_op.get(&(job, op)).map_or(&[][..], Vec::as_slice);
            let (statistics, evidence) =
                statistics(plan, own, (window, &cycles), seed.fork(lanes.next().unwrap_or(0)));
            let (script, op) = (job_plan.script.clone(), descriptor.name.clone());
            ops.push((OpStatistics { script, op, ..statistics }, evidence));
        }
    }
    (statistics(plan, &population, (window, &cycles), seed.fork(0)), ops)
}

fn statistics(
    plan: &StagePlan,
    population: &[Counted<'_>],
    (window, cycles): (Window, &Cycles),
    seed: Seed,
) -> OpAnalysis {
    let with = |wanted: fn(Outcome) -> bool| population.iter().filter(move |own| wanted(own.sample.outcome));
    let successes: Vec<Counted<'_>> = with(|outcome| outcome == Outcome::Ok).copied().collect();
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    for failure in with(Outcome::is_error) {
        *errors.entry(failure.sample.outcome.name().to_owned()).or_default() += 1;
    }
    let ok = length(successes.len());
    let failed: u64 = errors.values().sum();
    let count = ok + failed;
    // A sum of what is known of some would pass for that of all.
    let total = |bytes: fn(&Sample) -> Option<u64>| {
        successes.iter().try_fold(0_u64, |sum, own| Some(sum.saturating_add(bytes(own.sample)?)))
    };
    let is_open = plan.arrivals.is_some();
    let dispersion = dispersion(&successes, (window, cycles), is_open);
    let latencies = latencies(&successes, window, cycles);
    let (latency, draws) = latency(&latencies, seed.0);
    let (all_due, unfinished) = bounded(population, plan.transport.op_timeout);
    // The schedule sets the rate of the open model: an interval around it would be one around what was asked for.
    let rate_interval = poisson_rate(ok, dispersion, window.seconds()).filter(|_| !is_open);
    let statistics = OpStatistics {
        script: String::new(),
        op: String::new(),
        count,
        ok,
        cancelled: length(population.len()) - count,
        rate_per_s: per_second(ok, window.seconds()),
        rate_interval: rate_interval.map(confidence),
        error_rate: (count > 0).then(|| ratio(failed, count)),
        error_rate_interval: wilson(failed, count).map(confidence),
        errors,
        latency,
        all_due,
        distribution: distribution(&latencies),
        bytes_in: total(|sample| sample.bytes_in),
        bytes_out: total(|sample| sample.bytes_out),
    };
    (statistics, OpEvidence { latencies, unfinished, dispersion, draws, seed: seed.0 })
}

/// The larger of what iterations and what slow and fast seconds make of a count: either alone misses the other.
///
/// What a client of the closed model begins in a second, the system let it begin. A schedule goes on whatever the system
/// does: there, slow seconds are those in which few ops end.
fn dispersion(successes: &[Counted<'_>], (window, cycles): (Window, &Cycles), is_open: bool) -> f64 {
    let (start, end) = window.ends_ns();
    let mut slots = vec![0; SLOTS];
    for own in successes {
        let at = if is_open { own.sample.ended_ns } else { own.sample.scheduled_ns };
        if let Some(slot) = slots.get_mut(usize::from(slot_of(at, start..end))) {
            *slot += 1;
        }
    }
    cycles.dispersion(successes).max(block_dispersion(&slots))
}

fn latencies(successes: &[Counted<'_>], window: Window, cycles: &Cycles) -> Vec<Slotted> {
    let (start, end) = window.ends_ns();
    let slotted = |own: &Counted<'_>| Slotted {
        value: own.sample.latency_ns(),
        slot: slot_of(cycles.began_ns(*own), start..end),
    };
    let mut latencies: Vec<Slotted> = successes.iter().map(slotted).collect();
    latencies.sort_unstable();
    latencies
}

pub(crate) fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { ratio(count, 1) / seconds } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
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
        let ((total, _), ops) = operations(&stage_plan(1), WINDOW, &samples, Seed(1));
        assert_eq!((total.count, total.ok, total.cancelled), (5, 2, 1));
        assert_eq!(total.errors, BTreeMap::from([("http-5xx".to_owned(), 1), ("timeout".to_owned(), 2)]));
        assert!((total.error_rate.unwrap() - 0.6).abs() < 1e-12);
        assert!(total.error_rate_interval.is_some_and(|ends| ends.low > 0.2 && ends.high < 0.9));
        assert!((total.rate_per_s - 0.2).abs() < 1e-12);
        assert_eq!(total.bytes_in, Some(2000), "bytes of successes only");
        let unknown = Sample { bytes_in: None, ..samples[0] };
        let ((total, _), _) = operations(&stage_plan(1), WINDOW, &[samples[0], unknown], Seed(1));
        assert_eq!(
            (total.bytes_in, total.bytes_out),
            (None, Some(20)),
            "a sum of what is known would be too small"
        );
        let names: Vec<_> =
            ops.iter().map(|(op, _)| (op.script.as_str(), op.op.as_str(), op.count)).collect();
        assert_eq!(
            names,
            [
                ("scm.GitCloneOverHttp", "clone", 5),
                ("web.ListUsers", "log in", 0),
                ("web.ListUsers", "list users", 0)
            ]
        );
        assert_eq!(ops[1].0.latency, None);
        assert_eq!(ops[1].0.error_rate, None);
    }
}
