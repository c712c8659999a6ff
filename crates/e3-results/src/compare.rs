//! Comparing: two arms, load by load and measure by measure, with an effect size, its interval and a verdict.

use e3_model::{Comparison, LoadLevel, Measure, ThreadId, Verdict, quantity};
use e3_stats::{LEVEL, Quantile, Ratio, discoveries, share_difference};

use crate::estimate::{Estimate, OpArm};
use crate::evidence::{AnalyzedStage, invalid_because, invalidating};
use crate::latency::confidence;
use crate::operations::ratio;
use crate::repeats::with_repeats;

/// Two arms at one load: all stages of it that can be used, in order.
pub(crate) struct Contest<'a> {
    pub(crate) thread: ThreadId,
    pub(crate) baseline: ThreadId,
    pub(crate) load: LoadLevel,
    pub(crate) stages: Vec<&'a AnalyzedStage>,
    pub(crate) baseline_stages: Vec<&'a AnalyzedStage>,
    /// Why no verdict may be given, in a sentence.
    pub(crate) invalid: Option<String>,
}

/// Returns the contests of two arms at every load that both had, ascending.
///
/// A load is a load level with a workload. Of the stages at a load those count that are valid; only where an arm has
/// no valid one, all of them do, and the contest is invalid. `barred` is why no verdict may be given at any load.
pub(crate) fn contests<'a>(
    arm: (ThreadId, &[&'a AnalyzedStage]),
    baseline: (ThreadId, &[&'a AnalyzedStage]),
    barred: Option<&str>,
) -> Vec<Contest<'a>> {
    let load = |stage: &AnalyzedStage| (stage.analysis.load(), stage.analysis.workload.clone());
    let mut loads: Vec<(LoadLevel, String)> = arm.1.iter().map(|stage| load(stage)).collect();
    loads.sort();
    loads.dedup();
    let at = |stages: &[&'a AnalyzedStage], wanted: &(LoadLevel, String)| -> Vec<&'a AnalyzedStage> {
        let all: Vec<_> = stages.iter().copied().filter(|stage| load(stage) == *wanted).collect();
        let valid: Vec<_> = all.iter().copied().filter(|stage| stage.is_valid()).collect();
        if valid.is_empty() { all } else { valid }
    };
    let contest = |wanted: &(LoadLevel, String)| {
        let (stages, baseline_stages) = (at(arm.1, wanted), at(baseline.1, wanted));
        if stages.is_empty() || baseline_stages.is_empty() {
            return None;
        }
        let spoilt = stages.iter().chain(&baseline_stages).find_map(|stage| {
            let because = invalid_because(invalidating(&stage.analysis)?);
            Some(format!("{} {because}.", stage.analysis.stage))
        });
        Some(Contest {
            thread: arm.0,
            baseline: baseline.0,
            load: wanted.0,
            invalid: spoilt
                .or_else(|| barred.map(str::to_owned))
                .or_else(|| [&stages, &baseline_stages].into_iter().find_map(|own| unlike(own))),
            stages,
            baseline_stages,
        })
    };
    loads.iter().filter_map(contest).collect()
}

/// Returns why an arm's stages at one load are no repeats of each other; none where they are.
fn unlike(stages: &[&AnalyzedStage]) -> Option<String> {
    let (first, others) = stages.split_first()?;
    let differs = |other: &&AnalyzedStage| other.analysis.faults != first.analysis.faults;
    others.iter().any(differs).then(|| {
        "Stages at this load were disturbed in different ways, so that they are no repeats of each other."
            .to_owned()
    })
}

/// Returns the comparisons of these contests: all ops together before each op in the workload's order, then by measure.
///
/// The throughput of a single op is left out: with a fixed mix it is a share of all ops' throughput, and chance. So are the
/// measures of a single op that neither arm has.
///
/// Better and worse are said only where the interval of the ratio leaves 1 out, and where that is more than chance gives when
/// so much is compared: of such verdicts one in twenty is chance at most, and an experiment whose arms do not differ has
/// any at all in one of twenty cases. All ops together count as much as all single ops.
///
/// Source: [`discoveries`], at a rate of 1 − [`LEVEL`].
pub(crate) fn compare(contests: &[Contest<'_>]) -> Vec<Comparison> {
    let mut judged: Vec<(Comparison, Option<f64>)> = contests.iter().flat_map(at_one_load).collect();
    let is_together = |comparison: &Comparison| comparison.script.is_empty();
    let tests: Vec<(bool, f64)> =
        judged.iter().filter_map(|(own, p_value)| Some((is_together(own), (*p_value)?))).collect();
    let together = tests.iter().filter(|(together, _)| *together).count();
    let weight = |own: bool| 1.0 / to_f64(if own { together } else { tests.len() - together });
    let weighted: Vec<(f64, f64)> = tests.iter().map(|(own, p_value)| (*p_value, weight(*own))).collect();
    let mut found = discoveries(&weighted, 1.0 - LEVEL).into_iter();
    for (comparison, p_value) in &mut judged {
        if p_value.is_some() && !found.next().unwrap_or(false) && comparison.reason.is_none() {
            comparison.verdict = Verdict::NoEvidence;
            comparison.reason = Some(format!(
                "The interval leaves 1 out, but so would some of {} comparisons by chance alone.",
                tests.len()
            ));
        }
    }
    judged.into_iter().map(|(comparison, _)| comparison).collect()
}

fn at_one_load(contest: &Contest<'_>) -> Vec<(Comparison, Option<f64>)> {
    let ops = contest.stages.first().map_or(0, |stage| stage.analysis.ops.len());
    let mut judged = Vec::new();
    for position in 0..=ops {
        let Some(other_position) = same_op(contest, position) else { continue };
        let own = OpArm::of(&contest.stages, position);
        let other = OpArm::of(&contest.baseline_stages, other_position);
        let Some((own, other)) = own.zip(other) else { continue };
        let measures = if position == 0 { &Measure::ALL[..] } else { &Measure::ALL[1..] };
        let compared = measures.iter().map(|measure| one(contest, position, *measure, (&own, &other)));
        let is_known = |own: &Comparison| own.value.is_some() || own.baseline_value.is_some();
        judged.extend(compared.filter(|(own, _)| position == 0 || is_known(own)));
    }
    judged
}

/// Returns where the baseline has the op that the arm has at that position; 0 is all together.
fn same_op(contest: &Contest<'_>, position: usize) -> Option<usize> {
    let Some(index) = position.checked_sub(1) else { return Some(0) };
    let own = contest.stages.first()?.analysis.ops.get(index)?;
    let others = &contest.baseline_stages.first()?.analysis.ops;
    let is_same = |other: &&e3_model::OpStatistics| (&other.script, &other.op) == (&own.script, &own.op);
    if others.get(index).filter(is_same).is_some() {
        return Some(position);
    }
    others.iter().position(|other| is_same(&other)).map(|index| index + 1)
}

/// Returns a comparison, and the p-value that its verdict of better or worse still has to stand up for.
fn one(
    contest: &Contest<'_>,
    position: usize,
    measure: Measure,
    (own, other): (&OpArm<'_>, &OpArm<'_>),
) -> (Comparison, Option<f64>) {
    let (estimate, baseline) = (own.estimate(measure), other.estimate(measure));
    let effect = with_repeats(&estimate, &baseline).map(|(own, other)| own.over(&other));
    let op = position.checked_sub(1).and_then(|index| contest.stages.first()?.analysis.ops.get(index));
    let invalid = contest.invalid.clone();
    let invalid = invalid.or_else(|| unfinished(contest.load, measure, own, other));
    let invalid = invalid.or_else(|| differing_errors(contest.load, measure, own, other));
    let (verdict, reason) = match invalid {
        Some(reason) => (Verdict::Invalid, Some(reason)),
        None => verdict(contest.load, measure, effect, (&estimate, &baseline)),
    };
    let p_value = effect.filter(|own| own.interval.is_some() && verdict != Verdict::Invalid);
    let plain = estimate.compared.zip(baseline.compared).filter(|(own, other)| *own > 0.0 && *other > 0.0);
    let comparison = Comparison {
        thread: contest.thread,
        baseline: contest.baseline,
        clients: if let LoadLevel::Clients(clients) = contest.load { clients } else { 0 },
        offered: contest.load.offered(),
        stages: contest.stages.iter().map(|stage| stage.analysis.stage).collect(),
        baseline_stages: contest.baseline_stages.iter().map(|stage| stage.analysis.stage).collect(),
        script: op.map(|op| op.script.clone()).unwrap_or_default(),
        op: op.map(|op| op.op.clone()).unwrap_or_default(),
        measure,
        value: estimate.value,
        baseline_value: baseline.value,
        ratio: plain.map(|(own, other)| own / other),
        ratio_interval: plain.and(effect).and_then(|effect| effect.interval).map(confidence),
        verdict,
        reason,
    };
    (comparison, p_value.map(|own| own.p_value))
}

fn verdict(
    load: LoadLevel,
    measure: Measure,
    effect: Option<Ratio>,
    (own, other): (&Estimate, &Estimate),
) -> (Verdict, Option<String>) {
    let no_evidence = |reason: String| (Verdict::NoEvidence, Some(reason));
    if own.value.is_none() || other.value.is_none() {
        let needed = quantile(measure).map_or(1, Quantile::needed);
        return no_evidence(format!("Too few ops: the {} needs {needed} successes in both.", measure.name()));
    }
    let Some(interval) = effect.and_then(|effect| effect.interval) else {
        return no_evidence("Too few ops that do not depend on each other for an interval.".to_owned());
    };
    let is_more = interval.low > 1.0;
    if is_more || interval.high < 1.0 {
        let is_better = is_more == measure.more_is_better();
        (if is_better { Verdict::Better } else { Verdict::Worse }, None)
    } else if load.is_open() && measure == Measure::Throughput {
        no_evidence(SCHEDULED.to_owned())
    } else {
        no_evidence(
            "The interval of the ratio holds 1: chance may be all there is to the difference.".to_owned(),
        )
    }
}

/// In the open model a percentile is one of what was due. Where as many ops as lie beyond it had not ended when their stage
/// did, nothing is known of it but that it is long; that of the successes is the shorter, the more the system fell behind.
fn unfinished(load: LoadLevel, measure: Measure, own: &OpArm<'_>, other: &OpArm<'_>) -> Option<String> {
    let beyond = quantile(measure).filter(|_| load.is_open()).map(Quantile::beyond)?;
    let share = |arm: &OpArm<'_>| {
        let due = arm.count() + arm.cancelled();
        if due > 0 { ratio(arm.cancelled(), due) } else { 0.0 }
    };
    let (own, other) = (share(own), share(other));
    (own.max(other) >= beyond).then(|| {
        format!(
            "{} of the ops that were due here, and {} of the baseline’s, had not ended when the stage did: the {} of what was due is not known.",
            quantity::percent(own),
            quantity::percent(other),
            measure.name()
        )
    })
}

/// Latencies are those of successes: where more of the slow ops fail in one arm, its latencies look better than they are.
/// In the open model the same holds for ops that had not ended: a client that is still busy takes nothing else on, a schedule
/// goes on.
fn differing_errors(load: LoadLevel, measure: Measure, own: &OpArm<'_>, other: &OpArm<'_>) -> Option<String> {
    if measure == Measure::Throughput {
        return None;
    }
    let differs = |of: &dyn Fn(&OpArm<'_>) -> (u64, u64)| {
        let interval = share_difference(of(own), of(other))?;
        Some(interval.low > 0.0 || interval.high < 0.0)
    };
    let failed = |arm: &OpArm<'_>| (arm.count() - arm.ok(), arm.count());
    let cancelled = |arm: &OpArm<'_>| (arm.cancelled(), arm.count() + arm.cancelled());
    let what = if differs(&failed).unwrap_or(false) {
        "The error rates differ"
    } else if load.is_open() && differs(&cancelled).unwrap_or(false) {
        "The shares of ops differ that had not ended when the stage did"
    } else {
        return None;
    };
    Some(format!("{what}, and latency is that of the successes: those of the two are no like ops."))
}

fn quantile(measure: Measure) -> Option<Quantile> {
    match measure {
        Measure::Throughput => None,
        Measure::P50 => Some(Quantile::P50),
        Measure::P95 => Some(Quantile::P95),
        Measure::P99 => Some(Quantile::P99),
    }
}

/// Said of throughputs that a schedule set.
const SCHEDULED: &str = "The schedule sets the rate of the open model, and neither fell behind it more than the other beyond chance: latency tells them apart, throughput does not.";

fn to_f64(count: usize) -> f64 {
    u32::try_from(count.max(1)).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
