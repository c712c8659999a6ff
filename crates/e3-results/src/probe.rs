//! Probes: whether the conditions of a search held at one load.

use e3_home::RunDir;
use e3_model::{Plan, ProbeVerdict, ProbedCondition, Run, StageRef, Threshold, ThresholdState};
use e3_samples::Names;

use crate::ResultsError;
use crate::evidence::{AnalyzedStage, invalid_because, invalidating};
use crate::load::analyzed;
use crate::threshold::judge;

/// Returns how one stage came out for a search with these conditions, and why, as a sentence.
///
/// The plan is the one with its probes, the run the one that has the stage's record. Its samples may be sealed or not. What
/// is judged are the numbers of the analysis, by the code that judges thresholds, so that the report says the same: a probe
/// held where every condition did, and is broken where one is, whatever is not known of the others. In the open model, ops
/// that began late because every client was busy have their wait in their latency, and those that had not ended count with
/// what they had waited at least.
///
/// # Errors
/// When the plan or the run does not have the stage, or its samples cannot be read.
pub fn judge_probe(
    run_dir: &RunDir,
    plan: &Plan,
    run: &Run,
    stage: StageRef,
    slo: &[Threshold],
) -> Result<(ProbeVerdict, String), ResultsError> {
    let begun = (0..).zip(&run.stages).filter(|(_, record)| record.stage == stage).last();
    let (Some(begun), Some((_, stage_plan))) = (begun, plan.stage(stage)) else {
        return Err(ResultsError::UnknownStage(stage));
    };
    let samples = e3_samples::read(&run_dir.stage_directory(stage), &Names::of(stage_plan));
    let samples = samples.map_err(ResultsError::samples(stage))?;
    let judged = Judged::of(slo, &analyzed(plan, begun, &samples, &[])?);
    Ok((judged.verdict, judged.reason))
}

/// How a probe came out.
pub(crate) struct Judged {
    pub(crate) verdict: ProbeVerdict,
    pub(crate) reason: String,
    /// In the order of the conditions.
    pub(crate) conditions: Vec<ProbedCondition>,
}

impl Judged {
    /// Judges a stage by these conditions.
    pub(crate) fn of(slo: &[Threshold], stage: &AnalyzedStage) -> Self {
        let conditions: Vec<ProbedCondition> = slo.iter().map(|own| condition(own, stage)).collect();
        let any = |state| conditions.iter().any(|own| own.state == state);
        let verdict = if any(ThresholdState::Broken) {
            ProbeVerdict::Broken
        } else if any(ThresholdState::Undecided) || conditions.is_empty() {
            ProbeVerdict::Undecided
        } else {
            ProbeVerdict::Held
        };
        let reason = match invalidating(&stage.analysis) {
            Some(stamp) => format!("The stage {}.", invalid_because(stamp)),
            None => reason(slo, &conditions, verdict),
        };
        Self { verdict, reason, conditions }
    }
}

fn condition(condition: &Threshold, stage: &AnalyzedStage) -> ProbedCondition {
    match judge(condition, "", stage) {
        Some(found) => ProbedCondition { value: found.value, state: found.state, detail: found.detail },
        None => ProbedCondition {
            value: None,
            state: ThresholdState::Undecided,
            detail: "The workload has no op that this judges.".to_owned(),
        },
    }
}

/// Returns what was seen of the conditions that decided, each with its text where there are several.
fn reason(slo: &[Threshold], conditions: &[ProbedCondition], verdict: ProbeVerdict) -> String {
    let decisive = match verdict {
        ProbeVerdict::Held => ThresholdState::Held,
        ProbeVerdict::Broken => ThresholdState::Broken,
        ProbeVerdict::Undecided => ThresholdState::Undecided,
    };
    let decided = slo.iter().zip(conditions).filter(|(_, own)| own.state == decisive);
    let said = decided.map(|(condition, own)| {
        if slo.len() > 1 { format!("{}: {}", condition.text, own.detail) } else { own.detail.clone() }
    });
    said.collect::<Vec<_>>().join(" ")
}
