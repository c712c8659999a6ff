//! One round: its stages side by side, from assignment to the sealed samples.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e3_load::{Batch, FailureNote, ShareReport};
use e3_model::{Honesty, Probe, ProductVersion, StageOutcome, StagePlan, StageRef};
use e3_samples::Names;
use tokio::time::{Instant, MissedTickBehavior};

use crate::collecting::Collecting;
use crate::conduct::Conduct;
use crate::event::Probing;
use crate::recent::LastSeconds;
use crate::record::{RunRecord, worst};
use crate::search::Upcoming;
use crate::{Assignment, CoordinatorPort, FleetError, FleetEvent, ToCoordinator, ToWorker, WorkerAddress};

/// Stages that run at the same time, while they do.
pub(crate) struct RoundRun<'a> {
    input: &'a Conduct<'a>,
    /// How many stages the plan has.
    of: usize,
    stages: BTreeMap<StageRef, StageRun>,
}

/// A stage while it runs.
struct StageRun {
    plan: Arc<StagePlan>,
    /// Where it stands among the plan's stages, from 1.
    position: usize,
    probe: Option<(Probe, Probing)>,
    thread: String,
    product: Option<ProductVersion>,
    workers: BTreeMap<WorkerAddress, Seen>,
    ok: u64,
    errors: u64,
    max_latency_ns: u64,
    last_seconds: LastSeconds,
    metrics: Collecting,
    failed: Option<String>,
}

/// What was last heard of a worker.
struct Seen {
    at: Instant,
    ready: bool,
    report: Option<ShareReport>,
    gone: bool,
}

impl<'a> RoundRun<'a> {
    /// Returns these stages of so many that the plan has.
    pub(crate) fn new(input: &'a Conduct<'a>, stages: &[Upcoming], of: usize) -> Result<Self, FleetError> {
        let mut running = BTreeMap::new();
        for Upcoming { stage, plan, probe, position } in stages {
            let thread = input.plan.threads.get(stage.thread.index());
            let thread = thread.ok_or(FleetError::NoSuchStage { stage: *stage })?;
            let workers = thread
                .workers
                .iter()
                .map(|worker| WorkerAddress { thread: stage.thread, worker: worker.worker })
                .map(|worker| (worker, Seen { at: Instant::now(), ready: false, report: None, gone: false }))
                .collect();
            let run = StageRun {
                plan: Arc::clone(plan),
                position: *position,
                probe: probe.clone(),
                thread: thread.name.clone(),
                product: None,
                workers,
                ok: 0,
                errors: 0,
                max_latency_ns: 0,
                last_seconds: LastSeconds::default(),
                metrics: Collecting::default(),
                failed: None,
            };
            running.insert(*stage, run);
        }
        Ok(Self { input, of, stages: running })
    }

    /// Readies the systems, assigns every share and waits until all workers are ready.
    pub(crate) async fn prepare(&mut self, port: &mut dyn CoordinatorPort) -> Result<(), FleetError> {
        for (stage, run) in &mut self.stages {
            let prepared = self.input.between_stages.prepare(stage.thread, &run.plan.faults).await;
            run.product = prepared.map_err(|reason| FleetError::Prepare { stage: *stage, reason })?;
            let setting = self.input.settings.get(stage.thread.index());
            let setting = setting.ok_or(FleetError::NoSuchStage { stage: *stage })?;
            let setting = Arc::new(setting.with_product(run.product));
            for worker in run.workers.keys() {
                let clients = run
                    .plan
                    .clients
                    .iter()
                    .filter(|client| client.worker == worker.worker)
                    .cloned()
                    .collect();
                let plan = Arc::clone(&run.plan);
                let assignment = Assignment { stage: *stage, plan, clients, setting: Arc::clone(&setting) };
                send(port, *stage, *worker, ToWorker::Assign(assignment)).await?;
            }
        }
        let until = Instant::now() + PREPARATION;
        while let Some(worker) = self.first_unready() {
            let late = FleetError::Late { worker, awaited: "ready", seconds: PREPARATION.as_secs() };
            match tokio::time::timeout_at(until, port.receive()).await {
                Ok(Some((worker, ToCoordinator::Ready { stage }))) => {
                    if let Some(seen) = self.seen(stage, worker) {
                        seen.ready = true;
                    }
                }
                Ok(Some((worker, ToCoordinator::Refused { stage, reason }))) => {
                    return Err(FleetError::Refused { worker, stage, reason });
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Err(late),
            }
        }
        for (stage, run) in &mut self.stages {
            run.metrics = Collecting::prepare(self.input, *stage).await;
        }
        Ok(())
    }

    /// Starts all shares at one time and waits for their end; returns whether the next round may follow.
    pub(crate) async fn run(
        &mut self,
        port: &mut dyn CoordinatorPort,
        record: &mut RunRecord<'_>,
    ) -> Result<bool, FleetError> {
        let started = Instant::now() + HEAD_START;
        let started_unix_ns = unix_ns() + u64::try_from(HEAD_START.as_nanos()).unwrap_or(0);
        for (stage, run) in &mut self.stages {
            let directory = self.input.run.stage_directory(*stage);
            run.metrics.begin(directory, started, self.input.plan.collect.interval.to_duration());
        }
        for (stage, run) in &mut self.stages {
            for (worker, seen) in &mut run.workers {
                seen.at = Instant::now();
                send(port, *stage, *worker, ToWorker::Start { stage: *stage, at_unix_ns: started_unix_ns })
                    .await?;
            }
        }
        // Only now: a slow disk would have used up the head start.
        for (stage, run) in &self.stages {
            let (probe, probing) = run.probe.clone().unzip();
            record.start(*stage, started_unix_ns, run.product, probe)?;
            (self.input.events)(FleetEvent::StageStarted {
                stage: *stage,
                thread: run.thread.clone(),
                clients: u32::try_from(run.plan.clients.len()).unwrap_or(u32::MAX),
                arrivals: run.plan.arrivals.clone(),
                duration: run.plan.duration,
                position: run.position,
                of: self.of,
                probe: probing,
            });
        }
        self.attend(port, started).await?;
        self.stages.values().for_each(|run| run.metrics.stop());
        self.verify().await;
        let mut go_on = !self.input.stop.is_cancelled();
        for (stage, run) in std::mem::take(&mut self.stages) {
            go_on &= run.failed.is_none();
            self.settle(stage, run, record).await?;
        }
        Ok(go_on)
    }

    /// Fails every stage whose system under test did not outlive it: half a system's numbers are not the system's.
    async fn verify(&mut self) {
        for (stage, run) in &mut self.stages {
            let between_stages = self.input.between_stages;
            if let Err(reason) = between_stages.verify(stage.thread).await {
                run.failed.get_or_insert(reason);
            }
            if !run.plan.faults.is_empty()
                && let Err(reason) = between_stages.prepare(stage.thread, &[]).await
            {
                run.failed.get_or_insert(reason);
            }
        }
    }

    /// Hears the workers until every share is over or lost.
    async fn attend(&mut self, port: &mut dyn CoordinatorPort, started: Instant) -> Result<(), FleetError> {
        let mut stopping = false;
        let mut check = tokio::time::interval(HEARTBEAT_CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.stages.values().any(StageRun::is_running) {
            // Another stage of the round may go on for longer.
            self.stages.values().filter(|run| !run.is_running()).for_each(|run| run.metrics.stop());
            // In this order: after a slow disk has held the coordinator up, the heartbeats that wait in the queue are
            // heard before anybody is declared silent.
            let received = tokio::select! {
                biased;
                () = self.input.stop.cancelled(), if !stopping => {
                    stopping = true;
                    self.stop(port).await;
                    continue;
                }
                received = port.receive() => received,
                _ = check.tick() => {
                    self.look_for_lost(started);
                    continue;
                }
            };
            match received {
                Some((worker, message)) => self.hear(port, worker, message, started).await?,
                None => self.fail_all("every worker has left the bus"),
            }
        }
        Ok(())
    }

    async fn hear(
        &mut self,
        port: &mut dyn CoordinatorPort,
        worker: WorkerAddress,
        message: ToCoordinator,
        started: Instant,
    ) -> Result<(), FleetError> {
        for run in self.stages.values_mut() {
            if let Some(seen) = run.workers.get_mut(&worker) {
                seen.at = Instant::now();
            }
        }
        match message {
            ToCoordinator::Samples { stage, batch } => {
                let sequence = batch.sequence;
                self.store(stage, worker, batch, started).await?;
                send(port, stage, worker, ToWorker::Committed { stage, sequence }).await?;
            }
            ToCoordinator::Finished { stage, report } => {
                if let Some(seen) = self.seen(stage, worker) {
                    seen.report = Some(report);
                }
            }
            ToCoordinator::Failed { stage, reason } | ToCoordinator::Refused { stage, reason } => {
                self.lose(stage, worker, &reason);
            }
            ToCoordinator::Registered | ToCoordinator::Heartbeat | ToCoordinator::Ready { .. } => {}
        }
        Ok(())
    }

    async fn store(
        &mut self,
        stage: StageRef,
        worker: WorkerAddress,
        batch: Batch,
        started: Instant,
    ) -> Result<(), FleetError> {
        let Some(run) = self.stages.get_mut(&stage) else { return Ok(()) };
        run.ok += batch.ok;
        run.errors += batch.errors;
        run.max_latency_ns = run.max_latency_ns.max(batch.max_latency_ns);
        let elapsed_s = started.elapsed().as_secs_f64();
        let (ok, errors, recent) = (run.ok, run.errors, run.last_seconds.add(elapsed_s, &batch));
        let directory = self.input.run.stage_directory(stage);
        tokio::task::spawn_blocking(move || {
            e3_samples::append_segment(&directory, worker.worker, batch.sequence, &batch.segment)
        })
        .await
        .map_err(FleetError::Task)?
        .map_err(|source| FleetError::Store { stage, source })?;
        (self.input.events)(FleetEvent::Progress { stage, ok, errors, elapsed_s, recent });
        Ok(())
    }

    async fn settle(
        &self,
        stage: StageRef,
        mut run: StageRun,
        record: &mut RunRecord<'_>,
    ) -> Result<(), FleetError> {
        std::mem::take(&mut run.metrics).finish(stage).await;
        let names = Names::of(&run.plan);
        let directory = self.input.run.stage_directory(stage);
        let samples = tokio::task::spawn_blocking(move || e3_samples::seal(&directory, &names))
            .await
            .map_err(FleetError::Task)?
            .map_err(|source| FleetError::Store { stage, source })?;
        let mut honesty = run
            .reports()
            .map(|report| report.honesty.clone())
            .reduce(|a, b| worst(&a, &b))
            .unwrap_or_else(Honesty::default);
        // What workers handed on and the sealed file does not have was lost on the way: a segment that cannot be read.
        let handed_on: u64 = run.reports().map(|report| report.samples).sum();
        honesty.lost_samples += handed_on.saturating_sub(samples);
        let failures: Vec<FailureNote> = run.reports().flat_map(|report| report.failures.clone()).collect();
        for note in &failures {
            tracing::warn!(%stage, script = note.script, op = note.op, count = note.count, "ops failed: {}", note.message);
        }
        let outcome = match run.failed {
            Some(reason) => StageOutcome::Failed { reason },
            None if self.input.stop.is_cancelled() => StageOutcome::Interrupted,
            None => StageOutcome::Completed,
        };
        record.settle(stage, outcome.clone(), samples, honesty)?;
        #[expect(clippy::cast_precision_loss, reason = "a latency for the display")]
        let max_ms = run.max_latency_ns as f64 / 1e6;
        let (ok, errors) = (run.ok, run.errors);
        (self.input.events)(FleetEvent::StageEnded { stage, outcome, ok, errors, max_ms, failures });
        Ok(())
    }

    async fn stop(&self, port: &mut dyn CoordinatorPort) {
        for (stage, run) in &self.stages {
            for worker in run.workers.keys() {
                // A worker that is gone has stopped already.
                let _ = send(port, *stage, *worker, ToWorker::Stop { stage: *stage }).await;
            }
        }
    }

    /// Gives up workers that have been silent for too long, and stages that should long be over.
    fn look_for_lost(&mut self, started: Instant) {
        let now = Instant::now();
        for run in self.stages.values_mut() {
            let over = started + run.plan.duration.to_duration() + run.plan.grace.to_duration() + OVERTIME;
            let mut lost = Vec::new();
            for (worker, seen) in
                run.workers.iter_mut().filter(|(_, seen)| seen.report.is_none() && !seen.gone)
            {
                if now > seen.at + SILENCE {
                    seen.gone = true;
                    lost.push(format!("{worker} was silent for {} s", SILENCE.as_secs()));
                } else if now > over {
                    seen.gone = true;
                    lost.push(format!(
                        "{worker} did not end within {} s after the grace",
                        OVERTIME.as_secs()
                    ));
                }
            }
            if let Some(reason) = lost.into_iter().next() {
                run.failed.get_or_insert(reason);
            }
        }
    }

    fn lose(&mut self, stage: StageRef, worker: WorkerAddress, reason: &str) {
        if let Some(run) = self.stages.get_mut(&stage) {
            if let Some(seen) = run.workers.get_mut(&worker) {
                seen.gone = true;
            }
            run.failed.get_or_insert_with(|| format!("{worker}: {reason}"));
        }
    }

    fn fail_all(&mut self, reason: &str) {
        for run in self.stages.values_mut() {
            run.workers.values_mut().filter(|seen| seen.report.is_none()).for_each(|seen| seen.gone = true);
            run.failed.get_or_insert_with(|| reason.to_owned());
        }
    }

    fn seen(&mut self, stage: StageRef, worker: WorkerAddress) -> Option<&mut Seen> {
        self.stages.get_mut(&stage)?.workers.get_mut(&worker)
    }

    fn first_unready(&self) -> Option<WorkerAddress> {
        let mut workers = self.stages.values().flat_map(|run| &run.workers);
        workers.find(|(_, seen)| !seen.ready).map(|(worker, _)| *worker)
    }
}

impl StageRun {
    fn is_running(&self) -> bool {
        self.workers.values().any(|seen| seen.report.is_none() && !seen.gone)
    }

    fn reports(&self) -> impl Iterator<Item = &ShareReport> {
        self.workers.values().filter_map(|seen| seen.report.as_ref())
    }
}

async fn send(
    port: &mut dyn CoordinatorPort,
    stage: StageRef,
    worker: WorkerAddress,
    message: ToWorker,
) -> Result<(), FleetError> {
    match tokio::time::timeout(DELIVERY, port.send(worker, message)).await {
        Ok(sent) => sent.map_err(|source| FleetError::Bus { stage, source }),
        Err(_) => {
            Err(FleetError::Late { worker, awaited: "reached by a message", seconds: DELIVERY.as_secs() })
        }
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// How long a message may wait for room at its worker.
const DELIVERY: Duration = Duration::from_secs(10);
/// How long workers may take to prepare their clients.
const PREPARATION: Duration = Duration::from_secs(60);
/// How far ahead the common start lies, so that every worker hears of it in time.
const HEAD_START: Duration = Duration::from_millis(200);
/// How often silent workers are looked for.
const HEARTBEAT_CHECK: Duration = Duration::from_secs(1);
/// How long a worker may be silent: five missed heartbeats.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a share may last beyond its duration and grace.
const OVERTIME: Duration = Duration::from_secs(60);
