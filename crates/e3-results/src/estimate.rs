//! Estimates: one measure of one op over all stages of an arm at one load, and how sure it is.

use e3_model::{Measure, OpStatistics};
use e3_stats::{Draws, Quantile, StageValues, percentile, percentile_draws, rate_draws};

use crate::evidence::{AnalyzedStage, OpEvidence};
use crate::latency::COMPARED;
use crate::operations::{per_second, ratio};
use crate::stage::milliseconds;

/// An arm's stages at one load, and the position of one op in each; 0 is all ops together.
pub(crate) struct OpArm<'a> {
    stages: Vec<(&'a AnalyzedStage, &'a OpStatistics, &'a OpEvidence)>,
}

/// A measure's value and what is known of it.
pub(crate) struct Estimate {
    /// In the measure's unit; none when too few ops speak for it.
    pub(crate) value: Option<f64>,
    /// What ratios are of: the value, but for throughput in the open model the successes per arrival that was due.
    pub(crate) compared: Option<f64>,
    /// In any unit, the same for both arms.
    pub(crate) draws: Option<Draws>,
    /// The logarithms of what each stage alone says, where each says something.
    pub(crate) by_stage: Vec<f64>,
}

impl<'a> OpArm<'a> {
    /// Returns the op at that position of every stage; none where a stage does not have it.
    pub(crate) fn of(stages: &[&'a AnalyzedStage], position: usize) -> Option<Self> {
        let of_stage = |stage: &&'a AnalyzedStage| {
            let analysis = &stage.analysis;
            let statistics = match position.checked_sub(1) {
                None => &analysis.total,
                Some(position) => analysis.ops.get(position)?,
            };
            Some((*stage, statistics, stage.evidence.get(position)?))
        };
        Some(Self { stages: stages.iter().map(of_stage).collect::<Option<_>>()? })
    }

    /// Returns how many ops succeeded in all stages.
    pub(crate) fn ok(&self) -> u64 {
        self.stages.iter().map(|(_, statistics, _)| statistics.ok).sum()
    }

    /// Returns how many ops ended in all stages, well or not.
    pub(crate) fn count(&self) -> u64 {
        self.stages.iter().map(|(_, statistics, _)| statistics.count).sum()
    }

    /// Returns how many ops were cut off by their stages' ends, or never begun.
    pub(crate) fn cancelled(&self) -> u64 {
        self.stages.iter().map(|(_, statistics, _)| statistics.cancelled).sum()
    }

    /// Returns what the stages say together of a measure.
    pub(crate) fn estimate(&self, measure: Measure) -> Estimate {
        match measure {
            Measure::Throughput => self.throughput(),
            Measure::P50 => self.percentile(Quantile::P50),
            Measure::P95 => self.percentile(Quantile::P95),
            Measure::P99 => self.percentile(Quantile::P99),
        }
    }

    fn throughput(&self) -> Estimate {
        let ok = self.ok();
        let seconds: f64 = self.stages.iter().map(|(stage, _, _)| stage.seconds()).sum();
        // How much there was of what the count is set against: time, but for an open schedule what it let come due. How
        // many arrivals chance put into a window says nothing of the system.
        let given = |stage: &AnalyzedStage| {
            if stage.is_open() { ratio(stage.analysis.iterations(), 1) } else { stage.seconds() }
        };
        let all_given: f64 = self.stages.iter().map(|(stage, _, _)| given(stage)).sum();
        let variance: f64 =
            self.stages.iter().map(|(_, own, evidence)| evidence.dispersion * ratio(own.ok, 1)).sum();
        let dispersion = if ok > 0 { variance / ratio(ok, 1) } else { 1.0 };
        let by_stage =
            self.stages.iter().map(|(stage, own, _)| per_second(own.ok, given(stage)).ln()).collect();
        Estimate {
            value: (seconds > 0.0).then(|| per_second(ok, seconds)),
            compared: (all_given > 0.0).then(|| per_second(ok, all_given)),
            draws: rate_draws(ok, dispersion, all_given),
            by_stage: all_finite(by_stage),
        }
    }

    fn percentile(&self, quantile: Quantile) -> Estimate {
        let mut values: Vec<u64> = Vec::new();
        let mut by_stage = Vec::new();
        for (_, _, evidence) in &self.stages {
            let own: Vec<u64> = evidence.latencies.iter().map(|own| own.value).collect();
            by_stage.push(percentile(&own, quantile).map_or(f64::NAN, |ns| milliseconds(ns.max(1)).ln()));
            values.extend(own);
        }
        values.sort_unstable();
        let position = COMPARED.iter().position(|own| *own == quantile);
        let draws = match self.stages.as_slice() {
            [(_, _, only)] => position.and_then(|position| only.draws.get(position).cloned().flatten()),
            several => {
                let stage = |(_, _, own): &(_, _, &'a OpEvidence)| StageValues {
                    values: &own.latencies,
                    seed: own.seed,
                };
                // All of them, since each says how much the others' values depend on each other.
                let all = percentile_draws(&several.iter().map(stage).collect::<Vec<_>>(), COMPARED);
                position.and_then(|position| all.into_iter().nth(position).flatten())
            }
        };
        let value = percentile(&values, quantile).map(milliseconds);
        Estimate { value, compared: value, draws, by_stage: all_finite(by_stage) }
    }
}

fn all_finite(values: Vec<f64>) -> Vec<f64> {
    if values.iter().all(|value| value.is_finite()) { values } else { Vec::new() }
}
