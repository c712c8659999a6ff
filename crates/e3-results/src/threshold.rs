//! Thresholds: each condition of the plan at every stage that it applies to.

use e3_model::{OpStatistics, Span, Statistic, Threshold, ThresholdResult, ThresholdState, quantity};
use e3_stats::{Quantile, mean, percentile};

use crate::evidence::{AnalyzedStage, OpEvidence, invalid_because, invalidating};
use crate::operations::{per_second, ratio};
use crate::stage::milliseconds;

/// Returns how every threshold came out at every stage whose workload has its target: by threshold, then in the order of
/// the stages.
pub(crate) fn thresholds(
    thresholds: &[Threshold],
    threads: &[(String, Vec<&AnalyzedStage>)],
) -> Vec<ThresholdResult> {
    let stages = || threads.iter().flat_map(|(name, stages)| stages.iter().map(move |stage| (name, *stage)));
    thresholds
        .iter()
        .flat_map(|threshold| stages().filter_map(|(thread, stage)| judge(threshold, thread, stage)))
        .collect()
}

fn judge(threshold: &Threshold, thread: &str, stage: &AnalyzedStage) -> Option<ThresholdResult> {
    let population = Population::of(threshold, stage)?;
    let value = population.value(threshold.statistic);
    let invalid = invalidating(&stage.analysis);
    let (state, detail) = match (invalid, value) {
        (Some(stamp), _) => (ThresholdState::Undecided, format!("The stage {}.", invalid_because(stamp))),
        (None, None) => (ThresholdState::Undecided, population.too_few(threshold.statistic)),
        (None, Some(value)) if threshold.relation.holds(value, threshold.limit) => {
            (ThresholdState::Held, population.detail(threshold, value))
        }
        (None, Some(value)) => (ThresholdState::Broken, population.detail(threshold, value)),
    };
    Some(ThresholdResult {
        threshold: threshold.text.clone(),
        thread: thread.to_owned(),
        stage: stage.analysis.stage,
        clients: stage.analysis.clients,
        value,
        limit: threshold.limit,
        state,
        detail,
    })
}

/// The ops that a threshold judges at one stage, all together.
struct Population {
    /// The successes' latencies in nanoseconds, ascending.
    latencies: Vec<u64>,
    ok: u64,
    count: u64,
    seconds: f64,
    window: Span,
}

impl Population {
    /// Returns the ops of the threshold's target; none where the stage's workload does not have it.
    fn of(threshold: &Threshold, stage: &AnalyzedStage) -> Option<Self> {
        let analysis = &stage.analysis;
        let ops = || analysis.ops.iter().zip(stage.evidence.iter().skip(1));
        let chosen: Vec<(&OpStatistics, &OpEvidence)> = match &threshold.target {
            None => stage.evidence.first().map(|evidence| (&analysis.total, evidence)).into_iter().collect(),
            Some(target) => ops()
                .filter(|(own, _)| own.script == target.script)
                .filter(|(own, _)| target.op.is_empty() || own.op == target.op)
                .collect(),
        };
        if chosen.is_empty() {
            return None;
        }
        let mut latencies: Vec<u64> =
            chosen.iter().flat_map(|(_, evidence)| evidence.latencies.iter().map(|own| own.value)).collect();
        latencies.sort_unstable();
        Some(Self {
            latencies,
            ok: chosen.iter().map(|(own, _)| own.ok).sum(),
            count: chosen.iter().map(|(own, _)| own.count).sum(),
            seconds: stage.seconds(),
            window: Span::from_millis(analysis.window_end_ms.saturating_sub(analysis.window_start_ms)),
        })
    }

    /// Returns a statistic in the unit of its limits; none when too few ops speak for it.
    fn value(&self, statistic: Statistic) -> Option<f64> {
        if let Some(quantile) = quantile(statistic) {
            return percentile(&self.latencies, quantile).map(milliseconds);
        }
        match statistic {
            Statistic::Mean => mean(&self.latencies).map(|ns| ns / 1e6),
            Statistic::Max => self.latencies.last().copied().map(milliseconds),
            Statistic::Rate => (self.seconds > 0.0).then(|| per_second(self.ok, self.seconds)),
            _ => (self.count > 0).then(|| ratio(self.count - self.ok, self.count)),
        }
    }

    fn detail(&self, threshold: &Threshold, value: f64) -> String {
        let statistic = threshold.statistic;
        let of = match statistic {
            Statistic::Errors => format!("{} ops that ended", quantity::count(self.count)),
            _ => format!("{} successes", quantity::count(self.ok)),
        };
        format!(
            "{} {}, of {of} in {}; it must be {} {}.",
            name(statistic),
            shown(statistic, value),
            self.window,
            threshold.relation.sign(),
            shown(statistic, threshold.limit),
        )
    }

    fn too_few(&self, statistic: Statistic) -> String {
        match quantile(statistic) {
            Some(quantile) => format!(
                "Too few ops: {} of {} successes that it takes.",
                quantity::count(self.ok),
                quantity::count(quantile.needed())
            ),
            None => "No op says anything: none ended in the measured window.".to_owned(),
        }
    }
}

fn quantile(statistic: Statistic) -> Option<Quantile> {
    match statistic {
        Statistic::P50 => Some(Quantile::P50),
        Statistic::P90 => Some(Quantile::P90),
        Statistic::P95 => Some(Quantile::P95),
        Statistic::P99 => Some(Quantile::P99),
        Statistic::P999 => Some(Quantile::P999),
        Statistic::Mean | Statistic::Max | Statistic::Rate | Statistic::Errors => None,
    }
}

fn name(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::P50 => "The median latency is",
        Statistic::P90 => "The 90th percentile of latency is",
        Statistic::P95 => "The 95th percentile of latency is",
        Statistic::P99 => "The 99th percentile of latency is",
        Statistic::P999 => "The 99.9th percentile of latency is",
        Statistic::Mean => "The mean latency is",
        Statistic::Max => "The largest latency is",
        Statistic::Rate => "The rate of successes is",
        Statistic::Errors => "The share of failures is",
    }
}

fn shown(statistic: Statistic, value: f64) -> String {
    match statistic {
        Statistic::Rate => quantity::rate(value),
        Statistic::Errors => quantity::percent(value),
        _ => quantity::latency(value),
    }
}

#[cfg(test)]
mod tests {
    use e3_model::{Relation, Stamp, ThresholdTarget};

    use super::*;
    use crate::fixture::loaded;

    fn threshold(
        statistic: Statistic,
        target: Option<(&str, &str)>,
        relation: Relation,
        limit: f64,
    ) -> Threshold {
        let target =
            target.map(|(script, op)| ThresholdTarget { script: script.to_owned(), op: op.to_owned() });
        Threshold { text: format!("{statistic:?}"), statistic, target, relation, limit }
    }

    #[test]
    fn each_statistic_is_judged_in_its_own_unit() {
        use ThresholdState::{Broken, Held, Undecided};
        let loaded = loaded();
        let stage = loaded.stages_of(e3_model::ThreadId(0))[0];
        let clone = Some(("scm.GitCloneOverHttp", "clone"));
        for (statistic, target, relation, limit, state, detail) in [
            (
                Statistic::P95,
                clone,
                Relation::Below,
                100.0,
                Broken,
                "The 95th percentile of latency is 102 ms, of 250 successes in 5 s; it must be < 100 ms.",
            ),
            (Statistic::P95, clone, Relation::AtMost, 102.0, Held, "<= 102 ms."),
            (
                Statistic::P99,
                clone,
                Relation::Below,
                900.0,
                Undecided,
                "Too few ops: 250 of 500 successes that it takes.",
            ),
            (
                Statistic::P99,
                None,
                Relation::Below,
                900.0,
                Held,
                "of 500 successes in 5 s; it must be < 900 ms.",
            ),
            (
                Statistic::Mean,
                Some(("web.ListUsers", "")),
                Relation::Below,
                3.0,
                Broken,
                "The mean latency is 6.00 ms",
            ),
            (Statistic::Max, clone, Relation::Above, 1.0, Held, "The largest latency is 106 ms"),
            (Statistic::Rate, None, Relation::AtLeast, 100.0, Held, "The rate of successes is 100 ops/s"),
            (
                Statistic::Errors,
                None,
                Relation::AtMost,
                0.0,
                Held,
                "of 500 ops that ended in 5 s; it must be <= 0 %.",
            ),
            (
                Statistic::Mean,
                Some(("web.ListUsers", "list users")),
                Relation::Below,
                1.0,
                Undecided,
                "No op says anything",
            ),
        ] {
            let threshold = threshold(statistic, target, relation, limit);
            let found = judge(&threshold, "one node", stage).unwrap();
            assert_eq!(found.state, state, "{statistic:?} {}", found.detail);
            assert!(found.detail.contains(detail), "{}", found.detail);
        }
        let elsewhere = threshold(Statistic::P50, Some(("rest.Unknown", "")), Relation::Below, 1.0);
        assert_eq!(judge(&elsewhere, "one node", stage), None, "the stage does not have the script");
    }

    #[test]
    fn a_stage_that_cannot_be_believed_decides_nothing() {
        let mut loaded = loaded();
        loaded.stages[0].analysis.stamps.push(Stamp::ClientBound);
        let easy = threshold(Statistic::P50, None, Relation::Below, 10_000.0);
        let found = judge(&easy, "one node", &loaded.stages[0]).unwrap();
        assert_eq!(found.state, ThresholdState::Undecided);
        assert!(found.detail.starts_with("The stage was client-bound"), "{}", found.detail);
        let all = thresholds(&[easy], &[("one node".to_owned(), loaded.stages.iter().collect())]);
        assert_eq!(all.len(), 4);
        assert!(all[1..].iter().all(|own| own.state == ThresholdState::Held));
    }
}
