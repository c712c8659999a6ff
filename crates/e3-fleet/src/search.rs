//! The searches of a round: which probes come next, and how they came out.

use std::sync::Arc;

use async_trait::async_trait;
use e3_model::{
    Plan, Probe, ProbeVerdict, Round, Run, StageId, StageOutcome, StagePlan, StageRef, Threshold,
};
use e3_stats::{SearchState, search};

use crate::FleetError;
use crate::conduct::Conduct;
use crate::event::{FleetEvent, Probing};
use crate::record::RunRecord;

/// Says of a probe whether the conditions of its search held.
#[async_trait]
pub trait Judge: Send + Sync {
    /// Returns how a probe that ran to its end came out, and why, as a sentence; its samples are sealed. The plan has every
    /// probe of the run as a stage.
    ///
    /// # Errors
    /// A sentence that says why that cannot be told, which ends the run.
    async fn judge(
        &self,
        probe: StageRef,
        plan: &Plan,
        run: &Run,
        slo: &[Threshold],
    ) -> Result<(ProbeVerdict, String), String>;
}

/// Returns what the probes of a search say that a run has judged so far; none when the stage has no search.
pub fn search_state(plan: &Plan, run: &Run, stage: StageRef) -> Option<SearchState> {
    let (_, pattern) = plan.stage(stage)?;
    let judged: Vec<(f64, ProbeVerdict)> =
        probes_of(run, stage).filter_map(|probe| Some((probe.load, probe.verdict?))).collect();
    Some(search(pattern.search.as_ref()?, pattern.arrivals.is_some(), &judged))
}

/// Returns whether a run has nothing left to do: every stage of its plan was begun, and every search has come to its end.
pub fn is_whole(plan: &Plan, run: &Run) -> bool {
    let mut stages = plan.rounds.iter().flat_map(|round| &round.stages);
    stages.all(|stage| match search_state(plan, run, *stage) {
        Some(state) => state.next.is_none(),
        None => run.stages.iter().any(|begun| begun.stage == *stage),
    })
}

/// A stage that is about to run.
pub(crate) struct Upcoming {
    /// Where it is, or will be, in its thread.
    pub(crate) stage: StageRef,
    /// Its plan.
    pub(crate) plan: Arc<StagePlan>,
    /// What it is for a search, and which of its probes; none for a stage of the plan.
    pub(crate) probe: Option<(Probe, Probing)>,
    /// Where it, or its search, stands among the plan's stages in the order of execution, from 1.
    pub(crate) position: usize,
}

/// Returns what runs at the same time next: of a round that is not begun its plain stages, and of every search that has
/// not come to its end its next probe. Nothing when the round is over.
///
/// # Errors
/// When the plan lacks a stage of the round.
pub(crate) fn upcoming(
    plan: &Plan,
    run: &Run,
    (round, first): (&Round, usize),
    is_begun: bool,
) -> Result<Vec<Upcoming>, FleetError> {
    let mut upcoming = Vec::new();
    for (position, stage) in (first..).zip(&round.stages) {
        let (_, own) = plan.stage(*stage).ok_or(FleetError::NoSuchStage { stage: *stage })?;
        match search_state(plan, run, *stage) {
            None if is_begun => {}
            None => {
                let plan = Arc::new(own.clone());
                upcoming.push(Upcoming { stage: *stage, plan, probe: None, position });
            }
            Some(state) => {
                let next = state.next.and_then(|load| probe(plan, run, *stage, load));
                upcoming.extend(next.map(|next| Upcoming { position, ..next }));
            }
        }
    }
    Ok(upcoming)
}

/// Judges what has just run, as far as it was for a search, and tells what that means.
///
/// # Errors
/// When a probe cannot be judged, or the record cannot be written.
pub(crate) async fn judge(
    input: &Conduct<'_>,
    ran: &[Upcoming],
    record: &mut RunRecord<'_>,
) -> Result<(), FleetError> {
    for Upcoming { stage, probe, .. } in ran {
        let Some((probe, _)) = probe else { continue };
        let search = StageRef { thread: stage.thread, stage: probe.search };
        let own = input.plan.stage(search).ok_or(FleetError::NoSuchStage { stage: search })?;
        let (thread, Some(plan)) = (own.0, &own.1.search) else { continue };
        let ended = record.run().stages.iter().rfind(|ended| ended.stage == *stage);
        if ended.is_none_or(|ended| ended.outcome != StageOutcome::Completed) {
            continue;
        }
        let whole = e3_plan::with_probes(input.plan, record.run());
        let judged = input.judge.judge(*stage, &whole, record.run(), &plan.slo).await;
        let (verdict, reason) = judged.map_err(|reason| FleetError::Judge { stage: *stage, reason })?;
        record.judged(*stage, verdict, &reason)?;
        let Some(state) = search_state(input.plan, record.run(), search) else { continue };
        (input.events)(FleetEvent::ProbeJudged {
            stage: *stage,
            search,
            thread: thread.name.clone(),
            is_open: own.1.arrivals.is_some(),
            verdict,
            reason,
            state,
        });
    }
    Ok(())
}

/// Returns the probe at this load that follows on the probes so far.
fn probe(plan: &Plan, run: &Run, search: StageRef, load: f64) -> Option<Upcoming> {
    let (thread, pattern) = plan.stage(search)?;
    let in_thread =
        |begun: &&e3_model::StageRecord| begun.probe.is_some() && begun.stage.thread == search.thread;
    let place = thread.stages.len() + run.stages.iter().filter(in_thread).count();
    let stage = StageRef { thread: search.thread, stage: StageId(u32::try_from(place).ok()?) };
    let number = u32::try_from(probes_of(run, search).count()).ok()? + 1;
    let probing = Probing { search, number, of: pattern.search.as_ref()?.probes };
    let told = Probe { search: search.stage, load, verdict: None, reason: String::new() };
    let plan = Arc::new(e3_plan::probe(pattern, load, number));
    Some(Upcoming { stage, plan, probe: Some((told, probing)), position: 0 })
}

/// Returns what a search's probes were for it, in the order in which they were begun.
fn probes_of(run: &Run, search: StageRef) -> impl Iterator<Item = &Probe> {
    let of_thread = run.stages.iter().filter(move |begun| begun.stage.thread == search.thread);
    of_thread.filter_map(|begun| begun.probe.as_ref()).filter(move |probe| probe.search == search.stage)
}
