//! Reading how a run is from its documents, its journal, and its nodes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e3_home::{HomeError, RunDir};
use e3_model::{
    Analysis, Document, Plan, Results, Run, StageOutcome, StageRecord, StageRef, Teardown, ThreadTopology,
    Topology,
};
use e3_provider::{Ledger, Provider};
use std::sync::Arc;

use super::{Node, Phase, Stage, StageState, Status};
use crate::app::App;
use crate::registry;

/// Reads how a run is.
///
/// # Errors
/// When the run has no plan, or one of its documents cannot be read.
pub(super) async fn status(app: &App, run: &RunDir) -> Result<Status, HomeError> {
    let plan: Plan = run.read()?;
    let found = Found::of(run)?;
    let phase = found.phase();
    let record = found.record.as_ref();
    let whole = record.map_or_else(|| plan.clone(), |record| e3_plan::with_probes(&plan, record));
    let stages = plan.rounds.iter().flat_map(|round| &round.stages);
    let stages: Vec<Stage> = stages
        .flat_map(|stage| begun_and_to_come(&plan, record, *stage))
        .filter_map(|stage| stage_of(&whole, record, stage, phase == Phase::Running))
        .collect();
    // A question to a node is load, too: while a stage runs, the clients alone ask.
    let ask = phase != Phase::Running && !found.standing.is_empty();
    let nodes = match &found.topology {
        Some(topology) if ask => nodes(&topology.threads, &registry::providers(app.program.clone())).await,
        _ => Vec::new(),
    };
    let report = run.report_file();
    Ok(Status {
        run: run.name().0.clone(),
        directory: run.path().display().to_string(),
        experiment: plan.experiment.clone(),
        phase,
        process: found.process,
        provisioned_at: found.topology.as_ref().map(|topology| topology.provisioned_at.clone()),
        stages,
        next: next(app, run, &found, phase),
        standing: found.standing,
        nodes,
        left: found.left,
        report: report.is_file().then(|| report.display().to_string()),
    })
}

/// Returns how far a run has come; none when it cannot be read.
pub(crate) fn phase_of(run: &RunDir) -> Option<Phase> {
    Some(Found::of(run).ok()?.phase())
}

/// What a run's directory holds.
struct Found {
    topology: Option<Topology>,
    record: Option<Run>,
    gathered: bool,
    analysed: bool,
    removed: bool,
    left: Vec<String>,
    standing: Vec<String>,
    process: Option<u32>,
}

impl Found {
    fn of(run: &RunDir) -> Result<Self, HomeError> {
        let process = run.worked_on_by();
        let journal = std::fs::read(run.journal()).unwrap_or_default();
        let teardown: Option<Teardown> = written(run)?;
        let left = teardown.iter().flat_map(|teardown| &teardown.left);
        Ok(Self {
            topology: written(run)?,
            record: written(run)?,
            gathered: run.path().join(Results::FILE).is_file(),
            analysed: run.path().join(Analysis::FILE).is_file(),
            removed: teardown.is_some(),
            left: left.map(|left| format!("{}: {}", left.resource, left.reason)).collect(),
            standing: Ledger::of(&journal).open_resources().iter().map(ToString::to_string).collect(),
            process,
        })
    }

    fn phase(&self) -> Phase {
        let under_way = self.process.is_some();
        let over = self.record.as_ref().map(|record| record.ended_at.is_some());
        match (self.topology.is_some(), over) {
            _ if self.removed && self.standing.is_empty() && self.left.is_empty() => Phase::Deprovisioned,
            _ if self.analysed => Phase::Analysed,
            _ if self.gathered => Phase::Gathered,
            (_, Some(true)) => Phase::Ran,
            (_, Some(false)) if under_way => Phase::Running,
            (_, Some(false)) => Phase::RunCutOff,
            (true, None) => Phase::Provisioned,
            (false, None) if under_way => Phase::Provisioning,
            (false, None) if self.standing.is_empty() => Phase::Planned,
            (false, None) => Phase::ProvisioningCutOff,
        }
    }
}

/// Returns a document that is written when its phase is over; none before that.
fn written<D: Document>(run: &RunDir) -> Result<Option<D>, HomeError> {
    match run.read() {
        Ok(document) => Ok(Some(document)),
        Err(HomeError::NotYet { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns what stands for a stage of the plan: itself, or a search's probes, and the search while more are to come.
fn begun_and_to_come(plan: &Plan, record: Option<&Run>, stage: StageRef) -> Vec<StageRef> {
    let Some(record) = record else { return vec![stage] };
    let Some(state) = e3_fleet::search_state(plan, record, stage) else { return vec![stage] };
    let is_own = |begun: &&StageRecord| {
        let probe = begun.probe.as_ref();
        begun.stage.thread == stage.thread && probe.is_some_and(|probe| probe.search == stage.stage)
    };
    let probes = record.stages.iter().filter(is_own).map(|begun| begun.stage);
    probes.chain(state.next.map(|_| stage)).collect()
}

fn stage_of(plan: &Plan, record: Option<&Run>, stage: StageRef, running: bool) -> Option<Stage> {
    let (thread, planned) = plan.stage(stage)?;
    let begun = record.and_then(|record| record.stages.iter().rev().find(|begun| begun.stage == stage));
    let over = record.is_some_and(|record| record.ended_at.is_some());
    let (state, reason) = begun.map_or((StageState::ToCome, None), |begun| match &begun.outcome {
        StageOutcome::Completed => (StageState::Completed, None),
        StageOutcome::Interrupted => (StageState::Interrupted, None),
        // A stage counts as not finished from its start on, so that a kill needs no last word.
        StageOutcome::Failed { .. } if unsettled(begun) && running => (StageState::Running, None),
        StageOutcome::Failed { .. } if unsettled(begun) && !over => (StageState::CutOff, None),
        StageOutcome::Failed { reason } => (StageState::Failed, Some(reason.clone())),
    });
    Some(Stage {
        stage: stage.to_string(),
        thread: thread.name.clone(),
        clients: planned.clients.len(),
        rate: planned.arrivals.clone(),
        search: planned.search.is_some(),
        state,
        verdict: begun.and_then(|begun| begun.probe.as_ref()?.verdict),
        reason,
        samples: begun.map_or(0, |begun| begun.samples),
        elapsed_s: begun.filter(|_| state == StageState::Running).map(since_start),
        duration_s: planned.duration.as_secs_f64(),
    })
}

/// Returns whether a stage has not been settled: then it has neither samples nor a word of its worker.
fn unsettled(stage: &StageRecord) -> bool {
    stage.samples == 0 && stage.honesty.cpus == 0
}

fn since_start(stage: &StageRecord) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_sub(Duration::from_nanos(stage.started_unix_ns)).as_secs_f64()
}

/// Asks every node of every thread at once, and waits no longer than the bound.
async fn nodes(threads: &[ThreadTopology], providers: &[Arc<dyn Provider>]) -> Vec<Node> {
    let mut asked = tokio::task::JoinSet::new();
    for thread in threads {
        let (thread, providers) = (thread.clone(), providers.to_vec());
        asked.spawn(async move {
            let answer = tokio::time::timeout(BOUND, e3_provision::probe(&thread, &providers)).await;
            let name = thread.thread.to_string();
            match answer {
                Ok(Ok(probe)) => probe
                    .nodes
                    .into_iter()
                    .map(|node| Node {
                        thread: name.clone(),
                        serves: node.is_running(),
                        node: node.name,
                        state: node.state.unwrap_or_else(|why| why),
                    })
                    .collect(),
                Ok(Err(error)) => vec![silent(name, e3_model::with_causes(&error))],
                Err(_) => vec![silent(name, format!("no answer within {} s", BOUND.as_secs()))],
            }
        });
    }
    let mut nodes: Vec<Node> = Vec::new();
    while let Some(answer) = asked.join_next().await {
        nodes.extend(answer.unwrap_or_default());
    }
    nodes.sort_by(|one, other| (&one.thread, &one.node).cmp(&(&other.thread, &other.node)));
    nodes
}

fn silent(thread: String, state: String) -> Node {
    Node { thread, node: "all nodes".to_owned(), state, serves: false }
}

/// Returns the commands that make sense now, the next one first.
fn next(app: &App, run: &RunDir, found: &Found, phase: Phase) -> Vec<String> {
    if found.process.is_some() {
        return Vec::new();
    }
    let mut next: Vec<&str> = match phase {
        Phase::Provisioned => vec!["run"],
        Phase::Ran | Phase::RunCutOff => vec!["gather"],
        Phase::Gathered => vec!["analyze"],
        Phase::Deprovisioned if found.record.is_some() && !found.gathered => vec!["gather"],
        Phase::Deprovisioned if found.gathered && !found.analysed => vec!["analyze"],
        Phase::Planned
        | Phase::Provisioning
        | Phase::ProvisioningCutOff
        | Phase::Running
        | Phase::Analysed
        | Phase::Deprovisioned => Vec::new(),
    };
    if !found.standing.is_empty() || !found.left.is_empty() {
        next.push("deprovision");
    }
    next.into_iter().map(|verb| app.command(verb, run)).collect()
}

const BOUND: Duration = Duration::from_secs(3);
