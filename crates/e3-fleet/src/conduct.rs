//! Conducting a plan: round by round, from registration to the last sealed stage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_home::RunDir;
use e3_metrics::SourceKind;
use e3_model::{Fault, Plan, ProductVersion, Reset, Run, StageRef, ThreadId};
use e3_workload::Setting;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::record::RunRecord;
use crate::round::RoundRun;
use crate::search::{Upcoming, judge, upcoming};
use crate::{CoordinatorPort, FleetError, FleetEvent, Judge, ToCoordinator, ToWorker, Watch, WorkerAddress};

/// What happens to a system under test between its stages.
#[async_trait]
pub trait BetweenStages: Send + Sync {
    /// Puts the thread's system under test into the state that the plan's `reset` asks for.
    ///
    /// # Errors
    /// A sentence that says why it could not.
    async fn reset(&self, thread: ThreadId, reset: Reset) -> Result<(), String>;

    /// Readies the thread's system under test for a stage: disturbs it by these faults and no others, and asks it once
    /// which version it has; none where it does not say. After a stage with faults this is called again without any.
    ///
    /// # Errors
    /// A sentence that says why it could not.
    async fn prepare(&self, thread: ThreadId, faults: &[Fault]) -> Result<Option<ProductVersion>, String>;

    /// Looks, after a stage's load has ended, whether the thread's system under test still stands as it was set up.
    ///
    /// # Errors
    /// A sentence that names what is missing; the stage has failed then.
    async fn verify(&self, thread: ThreadId) -> Result<(), String>;
}

/// A plan with everything that is needed to conduct it.
pub struct Conduct<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The run's directory.
    pub run: &'a RunDir,
    /// What clients know of the system under test, one entry per thread.
    pub settings: Vec<Arc<Setting>>,
    /// What happens between stages.
    pub between_stages: &'a dyn BetweenStages,
    /// Says how the probes of searches came out.
    pub judge: &'a dyn Judge,
    /// The kinds of metrics that there are; the plan chooses among them.
    pub metric_sources: Vec<SourceKind>,
    /// What metrics are read about.
    pub watch: &'a dyn Watch,
    /// Ends the run early: the current stage is stopped, its samples are kept.
    pub stop: CancellationToken,
    /// Hears what happens.
    pub events: &'a (dyn Fn(FleetEvent) + Send + Sync),
}

/// Conducts a plan and returns its record, which is also in run.json.
///
/// A stage that fails ends the run; the stages before it are whole. A stage with a search is never run itself: its probes
/// are, each a stage that is appended to its thread, until what they say is enough; only then comes the next round. Where
/// the stages of a round run at the same time, so does each search's next probe.
///
/// # Errors
/// When a worker is missing, late or refuses its share, a system cannot be reset, a probe cannot be judged, or samples
/// cannot be stored.
pub async fn conduct(input: &Conduct<'_>, port: &mut dyn CoordinatorPort) -> Result<Run, FleetError> {
    let mut record = RunRecord::begin(input.run)?;
    let workers = addresses(input.plan);
    await_registered(port, &workers).await?;
    let outcome = rounds(input, port, &mut record).await;
    if outcome.is_err() {
        undisturb(input).await;
    }
    for worker in &workers {
        // A worker that is gone already needs no leave, and one that takes no message is not waited for.
        let _ = tokio::time::timeout(FAREWELL, port.send(*worker, ToWorker::Leave)).await;
    }
    let ended = record.end();
    outcome?;
    ended
}

async fn rounds(
    input: &Conduct<'_>,
    port: &mut dyn CoordinatorPort,
    record: &mut RunRecord<'_>,
) -> Result<(), FleetError> {
    let of = input.plan.rounds.iter().map(|round| round.stages.len()).sum();
    let mut first = 1;
    for round in &input.plan.rounds {
        let mut is_begun = false;
        loop {
            let next = upcoming(input.plan, record.run(), (round, first), is_begun)?;
            if next.is_empty() {
                break;
            }
            if !together(input, port, record, (&next, of)).await? {
                return Ok(());
            }
            is_begun = true;
        }
        first += round.stages.len();
    }
    Ok(())
}

/// Runs stages at the same time, and judges those that are probes; returns whether anything may follow.
async fn together(
    input: &Conduct<'_>,
    port: &mut dyn CoordinatorPort,
    record: &mut RunRecord<'_>,
    (stages, of): (&[Upcoming], usize),
) -> Result<bool, FleetError> {
    if input.stop.is_cancelled() {
        return Ok(false);
    }
    for stage in stages {
        let is_first = !record.run().stages.iter().any(|begun| begun.stage.thread == stage.stage.thread);
        if !is_first {
            reset(input, stage.stage).await?;
        }
    }
    if input.stop.is_cancelled() {
        return Ok(false);
    }
    let mut running = RoundRun::new(input, stages, of)?;
    running.prepare(port).await?;
    let go_on = running.run(port, record).await?;
    judge(input, stages, record).await?;
    Ok(go_on)
}

/// Takes away what faults the stage that could not go on has left: what stands may be used again, or looked at.
async fn undisturb(input: &Conduct<'_>) {
    for (thread, plan) in (0..).map(ThreadId).zip(&input.plan.threads) {
        if plan.stages.iter().any(|stage| !stage.faults.is_empty()) {
            // The run has failed already, and says why.
            let _ = input.between_stages.prepare(thread, &[]).await;
        }
    }
}

/// Resets the stage's system if the plan wants it; returns without, and without an error, when the run is stopped.
async fn reset(input: &Conduct<'_>, stage: StageRef) -> Result<(), FleetError> {
    let reset = input.plan.reset;
    if reset == Reset::None {
        return Ok(());
    }
    let begun = Instant::now();
    tokio::select! {
        done = input.between_stages.reset(stage.thread, reset) => {
            done.map_err(|reason| FleetError::Reset { stage, reason })?;
        }
        () = input.stop.cancelled() => return Ok(()),
    }
    let thread = input.plan.threads.get(stage.thread.index()).map(|thread| thread.name.clone());
    (input.events)(FleetEvent::SystemReset {
        stage,
        thread: thread.unwrap_or_default(),
        reset,
        seconds: begun.elapsed().as_secs_f64(),
    });
    Ok(())
}

/// Returns the address of every worker in the plan, in order.
fn addresses(plan: &Plan) -> Vec<WorkerAddress> {
    (0..)
        .zip(&plan.threads)
        .flat_map(|(thread, plan)| {
            plan.workers
                .iter()
                .map(move |worker| WorkerAddress { thread: ThreadId(thread), worker: worker.worker })
        })
        .collect()
}

async fn await_registered(
    port: &mut dyn CoordinatorPort,
    workers: &[WorkerAddress],
) -> Result<(), FleetError> {
    let until = Instant::now() + REGISTRATION;
    let mut missing: BTreeMap<WorkerAddress, ()> = workers.iter().map(|worker| (*worker, ())).collect();
    while let Some((worker, ())) = missing.first_key_value() {
        let late =
            FleetError::Late { worker: *worker, awaited: "registered", seconds: REGISTRATION.as_secs() };
        match tokio::time::timeout_at(until, port.receive()).await {
            Ok(Some((worker, ToCoordinator::Registered))) => {
                missing.remove(&worker);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Err(late),
        }
    }
    Ok(())
}

/// How long the last message may wait for room at its worker.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long workers may take to register.
const REGISTRATION: Duration = Duration::from_secs(60);
