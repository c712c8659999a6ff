//! Cycles: a client's iterations with the time that each took, and how bursty they make a count of ops.

use e3_model::{Mix, Sample, StagePlan};

use crate::stage::Window;

/// The cycles of a stage, each from its iteration's first op to that of the client's next.
///
/// Ops are not independent events: an iteration performs one op, or twenty, and chance decides which. In the closed
/// model a client is a renewal process, whose cycles are drawn one after another, so the variance of a count over the
/// window is the sum of (ops − rate × time)² over cycles. In the open model the schedule makes iterations, not the client
/// that happens to be free: they are a compound Poisson process at most, whose variance is the sum of ops² over iterations.
///
/// Source: W. L. Smith: Regenerative Stochastic Processes, Proceedings of the Royal Society A 232 (1955); S. Asmussen:
/// Applied Probability and Queues, 2nd edition, theorem VI.3.2.
pub(crate) struct Cycles {
    /// By client, then by iteration.
    cycles: Vec<Cycle>,
    /// For every sample, in the samples' order, the position of its cycle.
    of_samples: Vec<usize>,
    is_open: bool,
}

/// One iteration of one client, up to its next.
#[derive(Debug, Clone, Copy)]
struct Cycle {
    client: u32,
    iteration: u32,
    began_ns: u64,
    /// The part of it that lies within the window.
    seconds: f64,
    /// Which other cycles are drawn from the same population.
    group: u16,
}

/// A sample and the position of its cycle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<'a> {
    pub(crate) sample: &'a Sample,
    cycle: usize,
}

impl Cycles {
    /// Returns the cycles of these samples; the last of each client ends with the window.
    ///
    /// Clients that keep a job each are no draws from one population: theirs are grouped by job.
    pub(crate) fn of(plan: &StagePlan, window: Window, samples: &[Sample]) -> Self {
        let mut order: Vec<(u32, u32, usize)> = (0..)
            .zip(samples)
            .map(|(position, sample)| (sample.client, sample.iteration, position))
            .collect();
        order.sort_unstable();
        let mut cycles: Vec<Cycle> = Vec::new();
        let mut of_samples = vec![0; samples.len()];
        for (client, iteration, position) in order {
            let Some(sample) = samples.get(position) else { continue };
            match cycles.last_mut() {
                Some(last) if (last.client, last.iteration) == (client, iteration) => {
                    last.began_ns = last.began_ns.min(sample.scheduled_ns);
                }
                _ => {
                    let group = if plan.mix == Mix::Clients { sample.job } else { 0 };
                    let began_ns = sample.scheduled_ns;
                    cycles.push(Cycle { client, iteration, began_ns, seconds: 0.0, group });
                }
            }
            if let Some(cycle) = of_samples.get_mut(position) {
                *cycle = cycles.len() - 1;
            }
        }
        measure(&mut cycles, window);
        Self { cycles, of_samples, is_open: plan.arrivals.is_some() }
    }

    /// Returns the samples that were due in the window, in order.
    pub(crate) fn population<'a>(&self, window: Window, samples: &'a [Sample]) -> Vec<Counted<'a>> {
        let counted =
            samples.iter().zip(&self.of_samples).map(|(sample, cycle)| Counted { sample, cycle: *cycle });
        counted.filter(|own| window.contains(own.sample.scheduled_ns)).collect()
    }

    /// Returns when the iteration of a sample began, in nanoseconds since the stage's start.
    pub(crate) fn began_ns(&self, counted: Counted<'_>) -> u64 {
        self.cycles.get(counted.cycle).map_or(counted.sample.scheduled_ns, |cycle| cycle.began_ns)
    }

    /// Returns how many times larger the variance of this count is than that of as many independent events; at least 1.
    pub(crate) fn dispersion(&self, counted: &[Counted<'_>]) -> f64 {
        let mut ops = vec![0.0; self.cycles.len()];
        for own in counted {
            if let Some(ops) = ops.get_mut(own.cycle) {
                *ops += 1.0;
            }
        }
        let mut groups: Vec<(f64, f64)> = Vec::new();
        for (cycle, ops) in self.cycles.iter().zip(&ops) {
            let group = usize::from(cycle.group);
            if groups.len() <= group {
                groups.resize(group + 1, (0.0, 0.0));
            }
            if let Some(sums) = groups.get_mut(group) {
                sums.0 += ops;
                sums.1 += cycle.seconds;
            }
        }
        let rate = |group: u16| {
            groups.get(usize::from(group)).filter(|sums| sums.1 > 0.0).map_or(0.0, |sums| sums.0 / sums.1)
        };
        let (mut variance, mut count) = (0.0, 0.0);
        for (cycle, ops) in self.cycles.iter().zip(&ops) {
            let expected = if self.is_open { 0.0 } else { rate(cycle.group) * cycle.seconds };
            variance += (ops - expected).powi(2);
            count += ops;
        }
        if count > 0.0 { f64::max(1.0, variance / count) } else { 1.0 }
    }
}

/// Fills in how long each cycle was within the window.
fn measure(cycles: &mut [Cycle], window: Window) {
    let (start, end) = window.ends_ns();
    let mut next: Option<Cycle> = None;
    for cycle in cycles.iter_mut().rev() {
        let to = next.filter(|next| next.client == cycle.client).map_or(end, |next| next.began_ns);
        cycle.seconds = seconds(to.min(end).saturating_sub(cycle.began_ns.max(start)));
        next = Some(*cycle);
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
        let cycles = Cycles::of(&plan, WINDOW, samples);
        cycles.dispersion(&cycles.population(WINDOW, samples))
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
    fn in_the_open_model_an_iteration_is_a_burst_whoever_was_free() {
        let mut plan = stage_plan(1);
        plan.arrivals = Some(crate::fixture::arrivals(10.0));
        let dispersion = |ops: fn(u32) -> u64| {
            let samples = samples(ops);
            let cycles = Cycles::of(&plan, WINDOW, &samples);
            cycles.dispersion(&cycles.population(WINDOW, &samples))
        };
        assert!((dispersion(|_| 1) - 1.0).abs() < 1e-12);
        assert!((dispersion(|_| 10) - 10.0).abs() < 1e-12, "ten at a time");
    }

    #[test]
    fn nothing_counted_is_not_dispersed() {
        assert!((dispersion(&[], Mix::Ops) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_op_knows_when_its_iteration_began() {
        let samples = samples(|_| 3);
        let cycles = Cycles::of(&stage_plan(1), WINDOW, &samples);
        let population = cycles.population(WINDOW, &samples);
        assert_eq!(population.len(), 300);
        assert!(
            population
                .iter()
                .all(|own| cycles.began_ns(*own) == own.sample.scheduled_ns / (100 * MS) * 100 * MS)
        );
    }
}
