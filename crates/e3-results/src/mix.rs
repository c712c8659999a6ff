//! The job mix: what was asked for, and what was seen.

use std::collections::BTreeMap;

use e3_model::{JobShare, Mix, Sample, StagePlan};
use e3_stats::fit;

use crate::stage::Window;

/// Returns each job's share of the iterations that began in the window.
///
/// An iteration begins when its first op is due, and is one client's pass through a script, however many ops it has
/// and however they end.
pub(crate) fn job_shares(plan: &StagePlan, window: Window, samples: &[Sample]) -> Vec<JobShare> {
    let mut begun: BTreeMap<(u32, u32), (u64, u16)> = BTreeMap::new();
    for sample in samples {
        let own = (sample.scheduled_ns, sample.job);
        let first = begun.entry((sample.client, sample.iteration)).or_insert(own);
        *first = own.min(*first);
    }
    let mut iterations = vec![0_u64; plan.jobs.len()];
    for (scheduled_ns, job) in begun.into_values() {
        if let Some(count) = iterations.get_mut(usize::from(job)).filter(|_| window.contains(scheduled_ns)) {
            *count += 1;
        }
    }
    let all: u64 = iterations.iter().sum();
    let share = |own: u64| (all > 0).then(|| part_of(own, all));
    plan.jobs
        .iter()
        .zip(iterations)
        .map(|(job, iterations)| JobShare {
            script: job.script.clone(),
            weight: job.weight,
            iterations,
            share: share(iterations),
        })
        .collect()
}

/// Returns how likely such shares are by chance; none where weights are shares of clients, whose iterations differ in
/// length, or where too few iterations were seen for the test to hold.
pub(crate) fn mix_p_value(mix: Mix, jobs: &[JobShare]) -> Option<f64> {
    if mix != Mix::Ops {
        return None;
    }
    let observed: Vec<u64> = jobs.iter().map(|job| job.iterations).collect();
    let weights: Vec<f64> = jobs.iter().map(|job| job.weight).collect();
    fit(&observed, &weights)
        .filter(|found| found.smallest_expected >= SMALLEST_EXPECTED)
        .map(|found| found.p_value)
}

#[expect(clippy::cast_precision_loss, reason = "counts of iterations stay far below 2^53")]
fn part_of(own: u64, all: u64) -> f64 {
    own as f64 / all as f64
}

/// Source: W. G. Cochran: Some Methods for Strengthening the Common χ² Tests, Biometrics 10 (1954).
const SMALLEST_EXPECTED: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MS, sample, stage_plan};

    #[test]
    fn an_iteration_counts_once_and_where_it_began() {
        let window = Window { start_ms: 1000, end_ms: 6000 };
        let op = |iteration: u32, op: u16, scheduled_ms: u64| Sample {
            iteration,
            op,
            ..sample(0, 1, scheduled_ms * MS, (scheduled_ms + 10) * MS)
        };
        let samples = [
            op(0, 0, 990),  // begun in the warm-up,
            op(0, 1, 1005), // so its second op makes no iteration of the window
            op(1, 0, 1100),
            op(1, 1, 1200),
            op(2, 0, 5990),
            op(2, 1, 6010),
            Sample { iteration: 3, ..sample(0, 0, 3000 * MS, 3100 * MS) },
        ];
        let jobs = job_shares(&stage_plan(1), window, &samples);
        assert_eq!(jobs.iter().map(|job| job.iterations).collect::<Vec<_>>(), [1, 2]);
        assert!(jobs[1].share.is_some_and(|share| (share - 2.0 / 3.0).abs() < 1e-12));
    }

    #[test]
    fn the_mix_is_tested_only_where_the_test_holds() {
        let jobs = |counts: [u64; 2]| -> Vec<JobShare> {
            let job = |iterations| JobShare { script: String::new(), weight: 0.5, iterations, share: None };
            counts.map(job).to_vec()
        };
        assert!(mix_p_value(Mix::Ops, &jobs([50, 50])).is_some_and(|p| p > 0.99));
        assert!(mix_p_value(Mix::Ops, &jobs([90, 10])).is_some_and(|p| p < 1e-9));
        assert_eq!(mix_p_value(Mix::Ops, &jobs([4, 4])), None, "fewer than five expected");
        assert_eq!(mix_p_value(Mix::Clients, &jobs([90, 10])), None);
    }
}
