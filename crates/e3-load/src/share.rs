//! A worker's share of a stage, from the first client to the last sample.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e3_model::{ClientPlan, Honesty, Sample, StagePlan};
use e3_samples::Names;
use e3_workload::{Catalogue, Instant, Load, OpBudget, SampleSink, Seat, Setting, sample_channel};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, JobRoom, TIDYING, Told};
use crate::failures::Failures;
use crate::recorder::Recorder;
use crate::{Batch, JobDraw, LoadError, honesty};

/// A worker's share of a stage, with every client prepared.
pub struct Share {
    plan: Arc<StagePlan>,
    clients: Vec<Client>,
    samples: SampleSink,
    recorded: mpsc::Receiver<Sample>,
    failures: Arc<Failures>,
    iterations: Arc<AtomicU64>,
    /// How many ops its clients may begin; none when only time ends the stage.
    operations: Option<u64>,
}

/// What a worker has to say when its share is over.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareReport {
    /// Its word on itself.
    pub honesty: Honesty,
    /// How many samples it handed on.
    pub samples: u64,
    /// How many iterations its clients began.
    pub iterations: u64,
    /// Why ops failed: the first of each kind, and how many of it there were.
    pub failures: Vec<FailureNote>,
}

/// One kind of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureNote {
    /// The script.
    pub script: String,
    /// The op.
    pub op: String,
    /// The outcome and what happened, of the first such failure.
    pub message: String,
    /// How many failures of this op and outcome ended an iteration.
    pub count: u64,
}

impl Share {
    /// Returns the share of these clients, each prepared: what is left to do at the start takes no time.
    ///
    /// # Errors
    /// When the plan names a script that the catalogue lacks, or a job that the stage lacks; when a script cannot make
    /// a client in this setting.
    pub fn new(
        plan: Arc<StagePlan>,
        clients: &[ClientPlan],
        setting: &Arc<Setting>,
        catalogue: &Catalogue,
    ) -> Result<Self, LoadError> {
        let setting = &Arc::new(setting.with_transport(&plan.transport));
        // All clients of a share have the same worker.
        let operations = clients.first().and_then(|client| plan.operations_of(client.worker));
        let rooms: Vec<JobRoom> = plan
            .jobs
            .iter()
            .map(|job| {
                let script = catalogue
                    .find(&job.script)
                    .ok_or_else(|| LoadError::UnknownScript { script: job.script.clone() })?;
                Ok(JobRoom {
                    script: Arc::clone(script),
                    ops: job.ops.clone(),
                    arguments: Arc::new(job.arguments.clone()),
                })
            })
            .collect::<Result<Vec<_>, LoadError>>()?;
        let (samples, recorded) = sample_channel(SAMPLES_IN_FLIGHT);
        let failures = Arc::new(Failures::default());
        let iterations = Arc::new(AtomicU64::new(0));
        let told = Told { failures: Arc::clone(&failures), iterations: Arc::clone(&iterations) };
        let draw = JobDraw::of(&plan.jobs);
        let prepare = |client: &ClientPlan| {
            if let Some(job) = client.job.filter(|job| job.index() >= rooms.len()) {
                return Err(LoadError::NoSuchJob { client: client.client.0, job: job.0 });
            }
            let (op_timeout, samples) = (plan.transport.op_timeout.to_duration(), samples.clone());
            let seat = Seat { client: client.client, seed: client.seed, op_timeout, samples };
            Client::prepare(client, &seat, &rooms, setting, (&draw, &plan.think_time), told.clone())
                .map_err(|(script, source)| LoadError::Prepare { script, source })
        };
        let clients = clients.iter().map(prepare).collect::<Result<_, LoadError>>()?;
        Ok(Self { plan, clients, samples, recorded, failures, iterations, operations })
    }
}

/// Runs a share: starts its clients at `origin`, ends them after the stage's duration, gives ops under way their grace.
///
/// A share that may begin only so many ops ends when the last of them has, if that is earlier.
///
/// Batches arrive while it runs; the last one arrives before it returns. When `stop` is cancelled the stage's end is now.
///
/// # Errors
/// When samples cannot be encoded, or a task ended abnormally.
pub async fn run(
    share: Share,
    origin: Instant,
    stop: CancellationToken,
    batches: mpsc::Sender<Batch>,
) -> Result<ShareReport, LoadError> {
    let Share { plan, clients: prepared, samples, recorded, failures, iterations, operations } = share;
    let end = origin + plan.duration.to_duration();
    let recorder = tokio::spawn(Recorder::new(Names::of(&plan), batches).run(recorded));
    let over = stop.child_token();
    let _ends_the_meter = over.clone().drop_guard();
    let meter = tokio::spawn(honesty::measure((origin, end), over.clone()));
    // When the ops are used up no further one begins, as after a stop; but those under way still have until the stage's end.
    let load = Load { origin, end, stop: stop.child_token() };
    let budget = operations.map(|operations| Arc::new(OpBudget::new(operations, load.stop.clone())));
    let cut = CancellationToken::new();
    let running = prepared.into_iter().map(|client| client.run(load.clone(), budget.clone(), cut.clone()));
    let mut clients: JoinSet<()> = running.collect();

    drain(&mut clients, end, &stop, (plan.grace.to_duration(), cut)).await?;
    over.cancel();
    let mut honesty = meter.await.map_err(LoadError::Task)?;
    let lost = samples.lost();
    drop(samples);
    let (recorded, undelivered) = recorder.await.map_err(LoadError::Task)??;
    honesty.lost_samples = lost + undelivered;
    let iterations = iterations.load(Ordering::Relaxed);
    Ok(ShareReport { honesty, samples: recorded, iterations, failures: failures.notes(&plan) })
}

/// Waits for all clients until the stage's end and its grace, then cuts off those still under way; they tidy up.
async fn drain(
    clients: &mut JoinSet<()>,
    end: Instant,
    stop: &CancellationToken,
    (grace, cut): (Duration, CancellationToken),
) -> Result<(), LoadError> {
    let cutting_off = async {
        tokio::select! {
            () = tokio::time::sleep_until(end) => {}
            () = stop.cancelled() => {}
        }
        tokio::time::sleep(grace).await;
        cut.cancel();
        tokio::time::sleep(TIDYING * 2).await;
    };
    tokio::pin!(cutting_off);
    let mut aborted = false;
    loop {
        tokio::select! {
            joined = clients.join_next() => match joined {
                None => return Ok(()),
                Some(Ok(())) => {}
                Some(Err(error)) if error.is_cancelled() => {}
                Some(Err(error)) => return Err(LoadError::Task(error)),
            },
            () = &mut cutting_off, if !aborted => {
                aborted = true;
                clients.abort_all();
            }
        }
    }
}

/// How many samples may wait for the recorder; at 50,000 ops/s more than a second.
const SAMPLES_IN_FLIGHT: usize = 1 << 16;

#[cfg(test)]
mod tests;
