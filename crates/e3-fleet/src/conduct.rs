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
use crate::round::{Place, RoundRun};
use crate::{CoordinatorPort, FleetError, FleetEvent, ToCoordinator, ToWorker, Watch, WorkerAddress};

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
/// A stage that fails ends the run; the stages before it are whole.
///
/// # Errors
/// When a worker is missing, late or refuses its share, a system cannot be reset, or samples cannot be stored.
pub async fn conduct(input: &Conduct<'_>, port: &mut dyn CoordinatorPort) -> Result<Run, FleetError> {
    let mut record = RunRecord::begin(input.run)?;
    let workers = addresses(input.plan);
    await_registered(port, &workers).await?;
    let outcome = rounds(input, port, &mut record).await;
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
    let mut position = 0;
    for round in &input.plan.rounds {
        if input.stop.is_cancelled() {
            return Ok(());
        }
        for stage in &round.stages {
            reset(input, *stage).await?;
        }
        if input.stop.is_cancelled() {
            return Ok(());
        }
        let first = position + 1;
        position += round.stages.len();
        let mut running = RoundRun::new(input, &round.stages, Place { first, of })?;
        running.prepare(port).await?;
        if !running.run(port, record).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Resets the stage's system if the plan wants it; returns without, and without an error, when the run is stopped.
async fn reset(input: &Conduct<'_>, stage: StageRef) -> Result<(), FleetError> {
    let reset = input.plan.reset;
    if stage.stage.0 == 0 || reset == Reset::None {
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
