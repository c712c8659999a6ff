//! Cycles: a client's iterations with the time that each took, and how bursty they make a count of ops.

use std::collections::BTreeMap;

use e3_model::{Mix, Sample, StagePlan};

use crate::stage::Window;

/// The cycles of a stage that reach into its window, each from its iteration's first op to that of the client's next.
///
/// Ops are not independent events: an iteration performs one op, or twenty, and chance decides which. In the closed
/// model a client is a renewal process, whose cycles are drawn one after another, so the variance of a count over the
/// window is the sum of (ops − rate × time)² over cycles.
///
/// Source: W. L. Smith: Regenerative Stochastic Processes, Proceedings of the Royal Society A 232 (1955); S. Asmussen:
/// Applied Probability and Queues, 2nd edition, theorem VI.3.2.
pub(crate) struct Cycles {
    /// The seconds within the window and the group of every cycle, by client and iteration.
    cycles: BTreeMap<(u32, u32), (f64, u16)>,
}

impl Cycles {
    /// Returns the cycles of these samples; the last of each client ends with the window.
    ///
    /// Clients that keep a job each are no draws from one population: theirs are grouped by job.
    pub(crate) fn of(plan: &StagePlan, window: Window, samples: &[Sample]) -> Self {
        let mut begun: BTreeMap<(u32, u32), (u64, u16)> = BTreeMap::new();
        for sample in samples {
            let group = if plan.mix == Mix::Clients { sample.job } else { 0 };
            let first = begun.entry((sample.client, sample.iteration)).or_insert((u64::MAX, group));
            first.0 = first.0.min(sample.scheduled_ns);
        }
        let (start, end) = window.ends_ns();
        let begins: Vec<_> = begun.iter().collect();
        let mut cycles = BTreeMap::new();
        for (position, (key, (from, group))) in begins.iter().enumerate() {
            let next = begins.get(position + 1).filter(|(next, _)| next.0 == key.0);
            let to = next.map_or(end, |(_, (to, _))| *to);
            let inside = to.min(end).saturating_sub((*from).max(start));
            cycles.insert(**key, (seconds(inside), *group));
        }
        Self { cycles }
    }

    /// Returns how many times larger the variance of this count is than that of as many independent events; at least 1.
    pub(crate) fn dispersion(&self, counted: &[&Sample]) -> f64 {
        let mut ops: BTreeMap<(u32, u32), f64> = BTreeMap::new();
        for sample in counted {
            *ops.entry((sample.client, sample.iteration)).or_default() += 1.0;
        }
        let mut groups: BTreeMap<u16, (f64, f64)> = BTreeMap::new();
        for (key, (seconds, group)) in &self.cycles {
            let sums = groups.entry(*group).or_default();
            sums.0 += ops.get(key).copied().unwrap_or_default();
            sums.1 += seconds;
        }
        let rate =
            |group: &u16| groups.get(group).filter(|sums| sums.1 > 0.0).map_or(0.0, |sums| sums.0 / sums.1);
        let (mut variance, mut count) = (0.0, 0.0);
        for (key, (seconds, group)) in &self.cycles {
            let own = ops.get(key).copied().unwrap_or_default();
            variance += (own - rate(group) * seconds).powi(2);
            count += own;
        }
        if count > 0.0 { f64::max(1.0, variance / count) } else { 1.0 }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a stage lasts days at most")]
fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MS, sample, stage_plan};

    const WINDOW: Window = Window { start_ms: 1000, end_ms: 11_000 };

    /// One client: an iteration each 100 ms, with as many ops as `ops` says.
    fn samples(ops: impl Fn(u32) -> u64) -> Vec<Sample> {
        (0..120)
            .flat_map(|iteration| {
                (0..ops(iteration)).map(move |op| {
                    let due = (u64::from(iteration) * 100 + op) * MS;
                    Sample { iteration, ..sample(0, 0, due, due + MS) }
                })
            })
            .collect()
    }

    fn dispersion(samples: &[Sample], mix: Mix) -> f64 {
        let mut plan = stage_plan(1);
        plan.mix = mix;
        let counted: Vec<&Sample> = samples.iter().filter(|own| WINDOW.contains(own.scheduled_ns)).collect();
        Cycles::of(&plan, WINDOW, samples).dispersion(&counted)
    }

    #[test]
    fn iterations_of_like_length_are_no_more_dispersed_than_chance() {
        assert!((dispersion(&samples(|_| 1), Mix::Ops) - 1.0).abs() < 1e-12);
        assert!((dispersion(&samples(|_| 10), Mix::Ops) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_rare_long_iteration_disperses_the_count() {
        // 90 iterations of one op, 10 of 21: the mean is 3, the variance of one iteration 36, of a hundred 3,600.
        let found = dispersion(&samples(|iteration| if iteration % 10 == 0 { 21 } else { 1 }), Mix::Ops);
        assert!((found - 12.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn clients_that_keep_their_jobs_are_each_their_own_measure() {
        // A client of twenty ops an iteration beside a client of one: nothing of that is chance.
        let mut both = samples(|_| 20);
        both.extend(samples(|_| 1).into_iter().map(|own| Sample { client: 1, job: 1, ..own }));
        assert!((dispersion(&both, Mix::Clients) - 1.0).abs() < 1e-12);
        assert!(dispersion(&both, Mix::Ops) > 5.0);
    }

    #[test]
    fn nothing_counted_is_not_dispersed() {
        assert!((dispersion(&[], Mix::Ops) - 1.0).abs() < 1e-12);
    }
}
