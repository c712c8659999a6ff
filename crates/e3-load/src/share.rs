//! A worker's share of a stage, from the first client to the last sample.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e3_model::{ClientPlan, Honesty, JobPlan, StagePlan};
use e3_samples::Names;
use e3_workload::{
    Catalogue, Ciphers, Instant, Load, OpBudget, SampleSink, SampleSource, Seat, Setting, sample_channel,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, Equipment, JobRoom, Start, TIDYING, Told};
use crate::cut::Cut;
use crate::failures::Failures;
use crate::lag::LagMeter;
use crate::pool::Pool;
use crate::recorder::Recorder;
use crate::{Batch, JobDraw, LoadError, Schedule, dispatcher, honesty};

/// A worker's share of a stage, with every client prepared.
pub struct Share {
    plan: Arc<StagePlan>,
    clients: Vec<Client>,
    /// What of the stage's arrivals falls to it; none in the closed model.
    open: Option<OpenShare>,
    samples: SampleSink,
    recorded: SampleSource,
    failures: Arc<Failures>,
    iterations: Arc<AtomicU64>,
    /// How many ops its clients may begin; none when only time ends the stage.
    operations: Option<u64>,
    /// What its clients' SSH connections are encrypted with.
    ciphers: Ciphers,
}

/// What a share has in the open model besides its clients.
struct OpenShare {
    schedule: Schedule,
    draw: Arc<JobDraw>,
    /// Whose the samples of arrivals are that no client began: the share's first client's.
    seat: Seat,
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
        let rooms = rooms(&plan, catalogue)?;
        let (samples, recorded) = sample_channel(SAMPLES_IN_FLIGHT);
        let failures = Arc::new(Failures::default());
        let iterations = Arc::new(AtomicU64::new(0));
        let equipment = Equipment {
            rooms: &rooms,
            setting,
            draw: Arc::new(JobDraw::of(&plan.jobs)),
            think_time: plan.think_time,
            is_open: plan.arrivals.is_some(),
            told: Told { failures: Arc::clone(&failures), iterations: Arc::clone(&iterations) },
        };
        let op_timeout = plan.transport.op_timeout.to_duration();
        let seat = |client: &ClientPlan| {
            let samples = samples.clone();
            Seat { client: client.client, seed: client.seed, op_timeout, samples }
        };
        let prepare = |client: &ClientPlan| {
            if let Some(job) = client.job.filter(|job| job.index() >= rooms.len()) {
                return Err(LoadError::NoSuchJob { client: client.client.0, job: job.0 });
            }
            Client::prepare(client, &seat(client), &equipment)
                .map_err(|(script, source)| LoadError::Prepare { script, source })
        };
        let open = clients.first().and_then(|first| {
            let schedule = schedule(&plan, first, operations)?;
            Some(OpenShare { schedule, draw: Arc::clone(&equipment.draw), seat: seat(first) })
        });
        let clients = clients.iter().map(prepare).collect::<Result<_, LoadError>>()?;
        let ciphers = setting.ciphers.clone();
        Ok(Self { plan, clients, open, samples, recorded, failures, iterations, operations, ciphers })
    }
}

/// Returns the plan's jobs, each with its script.
fn rooms(plan: &StagePlan, catalogue: &Catalogue) -> Result<Vec<JobRoom>, LoadError> {
    let room = |job: &JobPlan| {
        let script = catalogue.find(&job.script);
        let script = script.ok_or_else(|| LoadError::UnknownScript { script: job.script.clone() })?;
        Ok(JobRoom {
            script: Arc::clone(script),
            ops: job.ops.as_slice().into(),
            arguments: Arc::new(job.arguments.clone()),
        })
    };
    plan.jobs.iter().map(room).collect()
}

/// Returns the arrivals that fall to the worker of its first client; none in the closed model.
///
/// An iteration begins one op at least, so that there are never more arrivals than ops.
fn schedule(plan: &StagePlan, first: &ClientPlan, operations: Option<u64>) -> Option<Schedule> {
    let arrivals = plan.arrivals.as_ref()?;
    let schedule = Schedule::new(arrivals, plan.turn_of(first.worker)?, plan.duration.to_duration());
    Some(schedule.limited_to(operations.unwrap_or(u64::MAX)))
}

/// Runs a share: starts its clients at `origin`, ends them after the stage's duration, gives ops under way their grace.
///
/// A share that may begin only so many ops ends when the last of them has, if that is earlier.
///
/// In the open model the report says what became of the share's arrivals: each is a sample, begun or not.
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
    let end = origin + share.plan.duration.to_duration();
    let over = stop.child_token();
    let _ends_the_meter = over.clone().drop_guard();
    let lag = LagMeter::default();
    let meter = tokio::spawn(honesty::measure((origin, end), over.clone(), lag.clone()));
    let report = perform(share, (origin, end), &stop, batches, (lag, over)).await?;
    let measured = meter.await.map_err(LoadError::Task)?;
    let Honesty { lost_samples, arrivals, ssh_ciphers, .. } = report.honesty;
    Ok(ShareReport { honesty: Honesty { lost_samples, arrivals, ssh_ciphers, ..measured }, ..report })
}

/// Performs a share; cancels `over` when its last client has ended. Of its honesty only what happened to samples and
/// arrivals, and what clients noted, is known here.
async fn perform(
    share: Share,
    (origin, end): (Instant, Instant),
    stop: &CancellationToken,
    batches: mpsc::Sender<Batch>,
    (lag, over): (LagMeter, CancellationToken),
) -> Result<ShareReport, LoadError> {
    let Share { plan, clients: prepared, open, samples, recorded, failures, iterations, operations, ciphers } =
        share;
    let recorder = tokio::spawn(Recorder::new(Names::of(&plan), batches).run(recorded));
    // When the ops are used up no further one begins, as after a stop; but those under way still have until the stage's end.
    let load = Load { origin, end, stop: stop.child_token() };
    let budget = operations.map(|operations| Arc::new(OpBudget::new(operations, load.stop.clone())));
    let cut = Cut::default();
    let places = u32::try_from(prepared.len()).unwrap_or(u32::MAX);
    let pool = open.as_ref().map(|open| Arc::new(Pool::new(open.schedule.clone(), places)));
    let start = Start { load, budget, pool, lag, cut };
    let mut clients = begin(prepared, &start);
    drain(&mut clients, end, stop, (plan.grace.to_duration(), start.cut.clone())).await?;
    over.cancel();
    let mut honesty = Honesty::default();
    if let Some((OpenShare { draw, seat, .. }, pool)) = open.zip(start.pool) {
        honesty.arrivals = Some(dispatcher::conclude(&pool, &seat, &draw, start.budget.as_deref()).await);
    }
    let lost = samples.lost();
    drop(samples);
    let recorded = recorder.await.map_err(LoadError::Task)??;
    honesty.lost_samples = lost + recorded.undelivered;
    honesty.ssh_ciphers = ciphers.names();
    let iterations = iterations.load(Ordering::Relaxed);
    Ok(ShareReport { honesty, samples: recorded.delivered, iterations, failures: failures.notes(&plan) })
}

/// Starts every client, and in the open model who calls them.
fn begin(prepared: Vec<Client>, start: &Start) -> JoinSet<()> {
    let clients = (0..).zip(prepared).map(|(place, client)| client.run(start.clone(), place));
    let mut clients: JoinSet<()> = clients.collect();
    if let Some(pool) = start.pool.clone() {
        let load = start.load.clone();
        clients.spawn(async move { dispatcher::dispatch(&pool, &load).await });
    }
    clients
}

/// Waits for all clients until the stage's end and its grace, then cuts off those still under way; they tidy up.
async fn drain(
    clients: &mut JoinSet<()>,
    end: Instant,
    stop: &CancellationToken,
    (grace, cut): (Duration, Cut),
) -> Result<(), LoadError> {
    let cutting_off = async {
        tokio::select! {
            () = tokio::time::sleep_until(end) => {}
            () = stop.cancelled() => {}
        }
        tokio::time::sleep(grace).await;
        cut.make();
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

#[cfg(test)]
mod tests_of_a_day;
