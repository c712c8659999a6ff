//! Thresholds: each condition of the plan at every stage that it applies to.

use e3_model::{
    OpStatistics, Relation, Span, Statistic, Threshold, ThresholdResult, ThresholdState, quantity,
};
use e3_stats::{Quantile, mean};

use crate::bounded::Ranked;
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

/// Returns how a threshold came out at one stage; none where the stage's workload does not have its target.
pub(crate) fn judge(threshold: &Threshold, thread: &str, stage: &AnalyzedStage) -> Option<ThresholdResult> {
    let population = Population::of(threshold, stage)?;
    let seen = population.seen(threshold.statistic);
    let (state, detail) = match (invalidating(&stage.analysis), seen) {
        (Some(stamp), _) => (ThresholdState::Undecided, format!("The stage {}.", invalid_because(stamp))),
        (None, None) => (ThresholdState::Undecided, population.too_few(threshold.statistic)),
        (None, Some(seen)) => (population.state(threshold, seen), population.detail(threshold, seen)),
    };
    let is_known = seen.is_some_and(|seen| !seen.at_least) || state != ThresholdState::Undecided;
    Some(ThresholdResult {
        threshold: threshold.text.clone(),
        thread: thread.to_owned(),
        stage: stage.analysis.stage,
        clients: stage.analysis.clients,
        value: seen.filter(|_| is_known).map(|seen| seen.value),
        limit: threshold.limit,
        state,
        detail,
    })
}

/// The ops that a threshold judges at one stage, all together.
struct Population {
    /// Of the successes; in the open model also what the ops had waited that had not ended, as lower bounds.
    latencies: Ranked,
    ok: u64,
    count: u64,
    /// Ops of the open model that had not ended when the stage did. In the closed one they are few, one a client at most,
    /// and latency is that of the successes.
    unfinished: u64,
    seconds: f64,
    window: Span,
}

/// A statistic as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    /// In the unit of its limits.
    value: f64,
    /// Whether it may be more.
    at_least: bool,
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
        let known = chosen.iter().flat_map(|(_, evidence)| evidence.latencies.iter().map(|own| own.value));
        let waited = chosen.iter().filter(|_| stage.is_open()).flat_map(|(_, evidence)| &evidence.unfinished);
        let waited: Vec<u64> = waited.copied().collect();
        Some(Self {
            latencies: Ranked::of(known.collect(), &waited),
            ok: chosen.iter().map(|(own, _)| own.ok).sum(),
            count: chosen.iter().map(|(own, _)| own.count).sum(),
            unfinished: u64::try_from(waited.len()).unwrap_or(u64::MAX),
            seconds: stage.seconds(),
            window: Span::from_millis(analysis.window_end_ms.saturating_sub(analysis.window_start_ms)),
        })
    }

    /// Returns a statistic; none when too few ops speak for it.
    fn seen(&self, statistic: Statistic) -> Option<Seen> {
        if let Some(quantile) = quantile(statistic) {
            let (ns, at_least) = self.latencies.at(quantile)?;
            return Some(Seen { value: milliseconds(ns), at_least });
        }
        let (values, is_bounded) = (self.latencies.values(), self.unfinished > 0);
        let exact = |value: f64| Seen { value, at_least: false };
        match statistic {
            Statistic::Mean => mean(values).map(|ns| Seen { value: ns / 1e6, at_least: is_bounded }),
            Statistic::Max => values.last().map(|ns| Seen { value: milliseconds(*ns), at_least: is_bounded }),
            Statistic::Rate => (self.seconds > 0.0).then(|| exact(per_second(self.ok, self.seconds))),
            _ => (self.count > 0).then(|| exact(ratio(self.count - self.ok, self.count))),
        }
    }

    /// Returns how a threshold came out that was seen so; undecided where what is not known may decide it.
    fn state(&self, threshold: &Threshold, seen: Seen) -> ThresholdState {
        let holds = |value: f64| threshold.relation.holds(value, threshold.limit);
        let is_floor = matches!(threshold.relation, Relation::Above | Relation::AtLeast);
        // Each op that had not ended may yet have failed, or not.
        let due = self.count + self.unfinished;
        let failed = self.count - self.ok;
        let hinges = threshold.statistic == Statistic::Errors
            && holds(ratio(failed, due)) != holds(ratio(failed + self.unfinished, due));
        if hinges || seen.at_least && holds(seen.value) != is_floor {
            ThresholdState::Undecided
        } else if holds(seen.value) {
            ThresholdState::Held
        } else {
            ThresholdState::Broken
        }
    }

    fn detail(&self, threshold: &Threshold, seen: Seen) -> String {
        let statistic = threshold.statistic;
        let of = match statistic {
            Statistic::Errors => format!("{} ops that ended", quantity::count(self.count)),
            _ => format!("{} successes", quantity::count(self.ok)),
        };
        let unfinished = match self.unfinished {
            0 => String::new(),
            _ if statistic == Statistic::Rate => String::new(),
            some => format!(" and {} ops that had not ended with the stage", quantity::count(some)),
        };
        format!(
            "{} {}{}, of {of}{unfinished} in {}; it must be {} {}.",
            name(statistic),
            if seen.at_least { "at least " } else { "" },
            shown(statistic, seen.value),
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
    use e3_model::{Stamp, ThresholdTarget};

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
    fn what_had_not_ended_in_the_open_model_may_decide() {
        use ThresholdState::{Broken, Held, Undecided};
        // 500 ops that succeeded; 50 more had waited 5 ms when the stage ended, 50 had waited 10 s.
        let mut loaded = loaded();
        let stage = &mut loaded.stages[0];
        stage.evidence[0].unfinished = [[5_000_000_u64; 50], [10_000_000_000; 50]].concat();
        stage.analysis.total.cancelled = 100;
        for (statistic, relation, limit, closed, open, why) in [
            (
                Statistic::P50,
                Relation::Below,
                50.0,
                Held,
                Undecided,
                "five milliseconds may have become any more",
            ),
            (Statistic::P95, Relation::Below, 900.0, Held, Broken, "a twelfth had waited ten seconds"),
            (Statistic::P95, Relation::Above, 900.0, Broken, Held, "and so is above any less"),
            (Statistic::Mean, Relation::Below, 900.0, Held, Undecided, "800 ms at least"),
            (Statistic::Max, Relation::Below, 900.0, Held, Broken, "ten seconds at least"),
            (Statistic::Rate, Relation::AtLeast, 100.0, Held, Held, "a rate is what succeeded"),
            (Statistic::Errors, Relation::Below, 0.01, Held, Undecided, "each may yet have failed"),
            (Statistic::Errors, Relation::Below, 0.5, Held, Held, "but not so many"),
        ] {
            let threshold = threshold(statistic, None, relation, limit);
            let mut judged = |arrivals| {
                loaded.stages[0].analysis.arrivals = arrivals;
                judge(&threshold, "one node", &loaded.stages[0]).unwrap()
            };
            assert_eq!(judged(None).state, closed, "{statistic:?}: {why}");
            let found = judged(Some(crate::fixture::arrivals(100.0)));
            assert_eq!(found.state, open, "{statistic:?}: {why}: {}", found.detail);
            assert_eq!(found.value.is_none(), open == Undecided && statistic != Statistic::Errors, "{why}");
        }
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
