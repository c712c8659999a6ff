//! Coordinator and workers over the in-process bus, with a script of known behaviour.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use e3_fleet::{
    BetweenStages, BusError, Conduct, CoordinatorPort, FleetError, FleetEvent, InProcessCoordinator, Judge,
    ToCoordinator, ToWorker, Watch, WorkerAddress, WorkerPort, conduct, in_process_bus, serve,
};
use e3_home::{Home, RunDir};
use e3_load::{Batch, ShareReport};
use e3_metrics::{MetricSource, MetricsError, Readout, SourceKind, Targets};
use e3_model::{
    ClientId, ClientPlan, CollectPlan, Distribution, Fault, GitClient, Header, Honesty, InstancePlan, JobId,
    JobPlan, Mix, OpDescriptor, OpId, Order, Outcome, Plan, PlannedDataset, ProbeVerdict, ProductVersion,
    Protocol, ProviderName, Reset, Round, Run, RunName, ScriptDescriptor, Secret, Seed, Span, StageId,
    StageOutcome, StagePlan, StageRef, ThreadId, ThreadPlan, Threshold, Topology, WorkerId, WorkerPlan,
};
use e3_samples::Names;
use e3_stats::LatencyHistogram;
use e3_workload::{
    Account, Catalogue, ClientContext, Measured, Script, ScriptClient, ScriptError, Setting, Stopped,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

struct Wait;
struct WaitClient;

impl Script for Wait {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new("web.Wait", "Waits.", Protocol::Http, &[("Wait", "ten milliseconds")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(WaitClient))
    }
}

#[async_trait]
impl ScriptClient for WaitClient {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        context
            .op(OpId(0), async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(((), Measured::default()))
            })
            .await
    }
}

/// Resets nothing, as often as it is asked to.
#[derive(Default)]
struct Resets {
    /// Ends the run instead, while the reset is under way.
    stops: Option<CancellationToken>,
}

#[async_trait]
impl BetweenStages for Resets {
    async fn reset(&self, thread: ThreadId, reset: Reset) -> Result<(), String> {
        if let Some(stop) = &self.stops {
            stop.cancel();
            return std::future::pending().await;
        }
        match (thread, reset) {
            (ThreadId(0), Reset::Restart) => Err("it would not stop".into()),
            (_, Reset::None) => Err("nothing asks for a reset here".into()),
            _ => Ok(()),
        }
    }

    async fn prepare(&self, _: ThreadId, _: &[Fault]) -> Result<Option<ProductVersion>, String> {
        Ok(Some(ProductVersion::new(8, 19, 0)))
    }

    async fn verify(&self, _: ThreadId) -> Result<(), String> {
        Ok(())
    }
}

#[async_trait]
impl Judge for Resets {
    async fn judge(
        &self,
        probe: StageRef,
        _: &Plan,
        _: &Run,
        _: &[Threshold],
    ) -> Result<(ProbeVerdict, String), String> {
        Err(format!("no stage here has a search, but {probe} is to be judged"))
    }
}

#[async_trait]
impl Watch for Resets {
    async fn targets(&self, thread: ThreadId) -> Result<Targets, String> {
        // Of the second thread nothing is known; its machine is watched all the same.
        if thread == ThreadId(1) { Err("nothing stands".into()) } else { Ok(Targets::default()) }
    }
}

/// Shows how often it was asked, and fails the third time.
const TICK: SourceKind = SourceKind { name: "proc", open: |_| vec![Box::new(Tick(0))] };

struct Tick(u32);

#[async_trait]
impl MetricSource for Tick {
    fn name(&self) -> &'static str {
        "proc"
    }

    async fn read(&mut self) -> Readout {
        self.0 += 1;
        if self.0 == 3 {
            return Readout::failed(MetricsError::Ended { subject: "tick".into() });
        }
        let mut readout = Readout::default();
        let place = (tokio::time::Instant::now(), &Arc::from("machine"));
        readout.add(place, "tick/count", "", Some(f64::from(self.0)));
        readout
    }
}

fn stage(clients: u32, workers: u32, script: &str) -> StagePlan {
    let ops = vec![OpDescriptor { name: "Wait".into(), summary: "ten milliseconds".into() }];
    StagePlan {
        arrivals: None,
        transport: e3_model::Transport::default(),
        duration: Span::from_millis(700),
        operations: None,
        warm_up: Span::ZERO,
        grace: Span::from_millis(500),
        think_time: Distribution::Constant(Span::from_millis(20)),
        mix: Mix::Clients,
        workload: "wait".into(),
        jobs: vec![JobPlan {
            script: script.into(),
            ops,
            weight: 1.0,
            scale: 1.0,
            clients,
            arguments: e3_model::Arguments::new(),
        }],
        clients: (0..clients)
            .map(|client| ClientPlan {
                client: ClientId(client),
                worker: WorkerId(client % workers),
                job: Some(JobId(0)),
                seed: Seed(1).fork(u64::from(client)),
                start_offset: Span::ZERO,
            })
            .collect(),
        faults: Vec::new(),
        search: None,
    }
}

fn plan(workers: u32, script: &str) -> Plan {
    let thread = |name: &str| ThreadPlan {
        name: name.into(),
        instance: InstancePlan {
            provider: ProviderName::Local,
            nodes: 1,
            dataset: PlannedDataset { snapshot: "none".into(), generate: None },
            properties: BTreeMap::new(),
        },
        workers: (0..workers)
            .map(|worker| WorkerPlan { worker: WorkerId(worker), provider: ProviderName::Local })
            .collect(),
        co_located: true,
        stages: vec![stage(4, workers, script), stage(8, workers, script)],
    };
    let at = |thread, stage| StageRef { thread: ThreadId(thread), stage: StageId(stage) };
    let rounds = [at(0, 0), at(1, 0), at(1, 1), at(0, 1)].map(|stage| Round { stages: vec![stage] });
    Plan {
        header: Header::of::<Plan>(None),
        experiment: "fleet".into(),
        description: None,
        seed: Seed(1),
        order: Order::Interleaved,
        git_client: GitClient::Native,
        reset: Reset::None,
        baseline: ThreadId(0),
        thresholds: Vec::new(),
        collect: CollectPlan::default(),
        threads: vec![thread("A"), thread("B")],
        rounds: rounds.to_vec(),
    }
}

struct Bench {
    _home: tempfile::TempDir,
    run: RunDir,
    plan: Plan,
    events: Mutex<Vec<FleetEvent>>,
    stop: CancellationToken,
    resets: Resets,
}

impl Bench {
    fn new(plan: Plan) -> Self {
        let home = tempfile::tempdir().unwrap();
        let run = Home::at(home.path()).create_run(&RunName("fleet-1".into())).unwrap();
        run.write(&plan).unwrap();
        let parent = run.parent_of::<Plan>().unwrap();
        let header = Header::of::<Topology>(Some(parent));
        run.write(&Topology { header, provisioned_at: "2026-01-01T00:00:00Z".into(), threads: vec![] })
            .unwrap();
        let (events, stop) = (Mutex::new(Vec::new()), CancellationToken::new());
        Self { _home: home, run, plan, events, stop, resets: Resets::default() }
    }

    /// Conducts the plan; each worker behaves as `work` says.
    async fn conduct<F>(&self, work: F) -> Result<Run, FleetError>
    where
        F: Fn(WorkerAddress, Box<dyn WorkerPort>) -> tokio::task::JoinHandle<()>,
    {
        self.conduct_over(work, |port| port).await
    }

    /// Does the same over a bus whose coordinator's end is wrapped.
    async fn conduct_over<F, P>(
        &self,
        work: F,
        wrap: impl FnOnce(InProcessCoordinator) -> P,
    ) -> Result<Run, FleetError>
    where
        F: Fn(WorkerAddress, Box<dyn WorkerPort>) -> tokio::task::JoinHandle<()>,
        P: CoordinatorPort,
    {
        let admin = Account { name: "admin".into(), password: Secret::new("x"), private_key: None };
        let setting = Arc::new(Setting {
            transport: e3_model::Transport {
                op_timeout: Span::from_secs(10),
                ..e3_model::Transport::default()
            },
            ..Setting::at("http://127.0.0.1:1", admin)
        });
        let addresses: Vec<_> = (0..2)
            .flat_map(|thread| {
                let workers = &self.plan.threads[thread].workers;
                workers.iter().map(move |worker| WorkerAddress {
                    thread: ThreadId(u32::try_from(thread).unwrap()),
                    worker: worker.worker,
                })
            })
            .collect();
        let (coordinator, ends) = in_process_bus(&addresses);
        let mut coordinator = wrap(coordinator);
        let mut workers = JoinSet::new();
        for (address, end) in addresses.iter().zip(ends) {
            workers.spawn(work(*address, Box::new(end)));
        }
        let events = |event| self.events.lock().unwrap().push(event);
        let input = Conduct {
            plan: &self.plan,
            run: &self.run,
            settings: vec![Arc::clone(&setting), setting],
            between_stages: &self.resets,
            judge: &self.resets,
            metric_sources: vec![TICK],
            watch: &self.resets,
            stop: self.stop.clone(),
            events: &events,
        };
        let record = conduct(&input, &mut coordinator).await;
        drop(coordinator);
        while workers.join_next().await.is_some() {}
        record
    }

    /// Returns a stage's readings: when they were made, in milliseconds, and their values.
    fn readings(&self, thread: u32, stage: u32) -> Vec<(u64, f64)> {
        let at = StageRef { thread: ThreadId(thread), stage: StageId(stage) };
        let readings = e3_samples::read_metrics(&self.run.stage_directory(at)).unwrap();
        readings.iter().map(|reading| (reading.at_ns / 1_000_000, reading.value)).collect()
    }

    fn samples(&self, thread: u32, stage: u32) -> Vec<e3_model::Sample> {
        let at = StageRef { thread: ThreadId(thread), stage: StageId(stage) };
        let names = Names::of(self.plan.stage(at).unwrap().1);
        e3_samples::read(&self.run.stage_directory(at), &names).unwrap()
    }
}

fn honest(_: WorkerAddress, port: Box<dyn WorkerPort>) -> tokio::task::JoinHandle<()> {
    let catalogue = Catalogue::new(vec![Arc::new(Wait)]);
    tokio::spawn(async move { serve(port, catalogue).await.unwrap() })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stage_runs_in_order_and_every_sample_is_sealed() {
    let bench = Bench::new(plan(2, "web.Wait"));
    let record = bench.conduct(honest).await.unwrap();
    let order: Vec<_> = record.stages.iter().map(|stage| stage.stage.to_string()).collect();
    assert_eq!(
        order,
        ["thread-001/stage-000", "thread-002/stage-000", "thread-002/stage-001", "thread-001/stage-001"]
    );
    assert!(record.ended_at.is_some());
    for stage in &record.stages {
        assert_eq!(stage.outcome, StageOutcome::Completed);
        let samples = bench.samples(stage.stage.thread.0, stage.stage.stage.0);
        assert_eq!(samples.len() as u64, stage.samples);
        let mut by_client = BTreeMap::new();
        for sample in &samples {
            assert_eq!(sample.outcome, Outcome::Ok);
            *by_client.entry(sample.client).or_insert(0) += 1;
        }
        // 700 ms of 10 ms ops and 20 ms thoughts; timers are never early, and a busy machine may be late.
        let clients = if stage.stage.stage.0 == 0 { 4 } else { 8 };
        assert_eq!(by_client.len(), clients);
        assert!(by_client.values().all(|ops| (2..=24).contains(ops)), "{by_client:?}");
        assert!(bench.run.stage_directory(stage.stage).join("samples.parquet").is_file());
        assert_eq!(stage.honesty.lost_samples, 0);
    }
    assert_eq!(bench.run.read::<Run>().unwrap(), record);
    let started =
        bench.events.lock().unwrap().iter().filter(|e| matches!(e, FleetEvent::StageStarted { .. })).count();
    assert_eq!(started, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_keeps_what_was_measured_and_starts_no_further_stage() {
    let bench = Bench::new(plan(1, "web.Wait"));
    let stop = bench.stop.clone();
    let interrupt = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop.cancel();
    });
    let record = bench.conduct(honest).await.unwrap();
    interrupt.await.unwrap();
    assert_eq!(record.stages.len(), 1);
    assert_eq!(record.stages[0].outcome, StageOutcome::Interrupted);
    assert_eq!(bench.samples(0, 0).len() as u64, record.stages[0].samples);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_is_reset_before_every_stage_but_its_first() {
    let bench = Bench::new(Plan { reset: Reset::Restore, ..plan(1, "web.Wait") });
    bench.conduct(honest).await.unwrap();
    let events = bench.events.lock().unwrap();
    let told = events.iter().filter_map(|event| match event {
        FleetEvent::SystemReset { stage, thread, reset, seconds } => {
            assert!(*seconds >= 0.0 && *reset == Reset::Restore, "{event:?}");
            Some(format!("reset {thread} for {stage}"))
        }
        FleetEvent::StageStarted { stage, .. } => Some(stage.to_string()),
        _ => None,
    });
    let expected = [
        "thread-001/stage-000",
        "thread-002/stage-000",
        "reset B for thread-002/stage-001",
        "thread-002/stage-001",
        "reset A for thread-001/stage-001",
        "thread-001/stage-001",
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_that_fails_ends_the_run_and_an_interrupt_ends_a_reset() {
    let bench = Bench::new(Plan { reset: Reset::Restart, ..plan(1, "web.Wait") });
    let error = bench.conduct(honest).await.unwrap_err();
    let expected = "the system under test of thread-001/stage-001 could not be reset: it would not stop";
    assert_eq!(error.to_string(), expected);
    assert_eq!(bench.run.read::<Run>().unwrap().stages.len(), 3, "what was measured before is kept");

    let mut bench = Bench::new(Plan { reset: Reset::Restore, ..plan(1, "web.Wait") });
    bench.resets.stops = Some(bench.stop.clone());
    let record = bench.conduct(honest).await.unwrap();
    assert_eq!(record.stages.len(), 2, "{record:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_cannot_run_is_refused_before_the_start() {
    let bench = Bench::new(plan(1, "web.Missing"));
    let error = bench.conduct(honest).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "thread-001/worker-001 cannot run thread-001/stage-000: this worker has no script web.Missing"
    );
    assert_eq!(bench.run.read::<Run>().unwrap().stages, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_leaves_is_missed_and_the_stage_is_marked() {
    let bench = Bench::new(plan(1, "web.Wait"));
    // A worker that is ready, hears the start, and says that it cannot go on.
    let failing = |_, mut port: Box<dyn WorkerPort>| {
        tokio::spawn(async move {
            port.send(ToCoordinator::Registered).await.unwrap();
            while let Some(message) = port.receive().await {
                let answer = match message {
                    ToWorker::Assign(assignment) => ToCoordinator::Ready { stage: assignment.stage },
                    ToWorker::Start { stage, .. } => {
                        ToCoordinator::Failed { stage, reason: "out of memory".into() }
                    }
                    _ => return,
                };
                port.send(answer).await.unwrap();
            }
        })
    };
    let begun = Instant::now();
    let record = bench.conduct(failing).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(record.stages.len(), 1);
    let reason = "thread-001/worker-001: out of memory".to_owned();
    assert_eq!(record.stages[0].outcome, StageOutcome::Failed { reason });
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_that_were_handed_on_and_are_not_there_are_lost_samples() {
    let bench = Bench::new(plan(1, "web.Wait"));
    let forgetful = |_, mut port: Box<dyn WorkerPort>| {
        tokio::spawn(async move {
            port.send(ToCoordinator::Registered).await.unwrap();
            while let Some(message) = port.receive().await {
                let answer = match message {
                    ToWorker::Assign(assignment) => ToCoordinator::Ready { stage: assignment.stage },
                    ToWorker::Start { stage, .. } => ToCoordinator::Finished { stage, report: report(5) },
                    _ => return,
                };
                port.send(answer).await.unwrap();
            }
        })
    };
    let record = bench.conduct(forgetful).await.unwrap();
    assert_eq!(record.stages.len(), 4);
    assert!(record.stages.iter().all(|stage| stage.samples == 0 && stage.honesty.lost_samples == 5));
}

fn report(samples: u64) -> ShareReport {
    ShareReport { honesty: Honesty::default(), samples, iterations: samples, failures: vec![] }
}

/// A bus on which every commit takes nine seconds, as with a disk that stalls.
struct Slow(InProcessCoordinator);

#[async_trait]
impl CoordinatorPort for Slow {
    async fn send(&self, to: WorkerAddress, message: ToWorker) -> Result<(), BusError> {
        if matches!(message, ToWorker::Committed { .. }) {
            tokio::time::sleep(Duration::from_secs(9)).await;
        }
        self.0.send(to, message).await
    }

    async fn receive(&mut self) -> Option<(WorkerAddress, ToCoordinator)> {
        self.0.receive().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_not_lost_because_the_coordinator_was_busy() {
    let bench = Bench::new(plan(2, "web.Wait"));
    // The first worker keeps the coordinator busy for longer than a worker may be silent; the second one says all the
    // while that it is there.
    let work = |address: WorkerAddress, mut port: Box<dyn WorkerPort>| {
        tokio::spawn(async move {
            port.send(ToCoordinator::Registered).await.unwrap();
            while let Some(message) = port.receive().await {
                match message {
                    ToWorker::Assign(assignment) => {
                        port.send(ToCoordinator::Ready { stage: assignment.stage }).await.unwrap();
                    }
                    ToWorker::Start { stage, .. } if address.worker.0 == 0 => {
                        for sequence in 0..2 {
                            let segment =
                                e3_samples::to_segment(&[], &Names::of(&self::stage(1, 1, "x"))).unwrap();
                            let batch = Batch {
                                sequence,
                                segment,
                                samples: 0,
                                ok: 0,
                                errors: 0,
                                max_latency_ns: 0,
                                latencies: LatencyHistogram::default(),
                            };
                            port.send(ToCoordinator::Samples { stage, batch }).await.unwrap();
                        }
                        port.send(ToCoordinator::Finished { stage, report: report(0) }).await.unwrap();
                    }
                    ToWorker::Start { stage, .. } => {
                        for _ in 0..10 {
                            tokio::time::sleep(Duration::from_secs(2)).await;
                            port.send(ToCoordinator::Heartbeat).await.unwrap();
                        }
                        port.send(ToCoordinator::Finished { stage, report: report(0) }).await.unwrap();
                    }
                    ToWorker::Leave => return,
                    _ => {}
                }
            }
        })
    };
    let record = bench.conduct_over(work, Slow).await.unwrap();
    let outcomes: Vec<_> = record.stages.into_iter().map(|stage| stage.outcome).collect();
    assert_eq!(outcomes, vec![StageOutcome::Completed; 4]);
}

/// A worker whose share lasts so long and no longer.
fn lasting(for_ms: u64) -> impl Fn(WorkerAddress, Box<dyn WorkerPort>) -> tokio::task::JoinHandle<()> {
    move |address, mut port| {
        tokio::spawn(async move {
            port.send(ToCoordinator::Registered).await.unwrap();
            while let Some(message) = port.receive().await {
                let answer = match message {
                    ToWorker::Assign(assignment) => ToCoordinator::Ready { stage: assignment.stage },
                    ToWorker::Start { stage, .. } => {
                        // The head start of 200 ms lies before the stage's start.
                        let longer = 1_000 * u64::from(address.thread.0);
                        tokio::time::sleep(Duration::from_millis(200 + for_ms + longer)).await;
                        ToCoordinator::Finished { stage, report: report(0) }
                    }
                    _ => return,
                };
                port.send(answer).await.unwrap();
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_are_read_from_a_stages_start_to_its_end() {
    let bench = Bench::new(plan(1, "web.Wait"));
    let record = bench.conduct(lasting(4_600)).await.unwrap();
    assert_eq!(record.stages.len(), 4);
    assert!(record.stages.iter().all(|stage| stage.outcome == StageOutcome::Completed), "{record:?}");
    // Whole seconds from the start, a gap where the source failed, and what was left of the last second; each stage
    // begins with sources of its own.
    let expected = [(0, 1.0), (1_000, 2.0), (3_000, 4.0), (4_000, 5.0), (4_600, 6.0)];
    assert_eq!(bench.readings(0, 0), expected);
    assert_eq!(bench.readings(0, 1), expected);
    let longer = [(0, 1.0), (1_000, 2.0), (3_000, 4.0), (4_000, 5.0), (5_000, 6.0), (5_600, 7.0)];
    assert_eq!(bench.readings(1, 0), longer);
    let at = StageRef { thread: ThreadId(0), stage: StageId(0) };
    assert!(e3_samples::metrics_file(&bench.run.stage_directory(at)).is_file());
}

#[tokio::test(start_paused = true)]
async fn stages_of_one_round_end_their_metrics_by_themselves() {
    let mut plan = plan(1, "web.Wait");
    let at = |thread| StageRef { thread: ThreadId(thread), stage: StageId(0) };
    plan.rounds = vec![Round { stages: vec![at(0), at(1)] }];
    plan.collect.interval = Span::from_millis(500);
    let bench = Bench::new(plan);
    bench.conduct(lasting(1_400)).await.unwrap();
    let ends = [bench.readings(0, 0), bench.readings(1, 0)].map(|readings| readings.last().unwrap().0);
    assert_eq!(ends, [1_400, 2_400]);
}

#[tokio::test(start_paused = true)]
async fn only_what_the_plan_wants_is_read() {
    for sources in [vec![], vec!["prometheus".to_owned()]] {
        let mut plan = plan(1, "web.Wait");
        plan.collect = CollectPlan { sources, ..CollectPlan::default() };
        let bench = Bench::new(plan);
        bench.conduct(lasting(100)).await.unwrap();
        assert_eq!(bench.readings(0, 0), []);
        let at = StageRef { thread: ThreadId(0), stage: StageId(0) };
        assert!(!e3_samples::metrics_file(&bench.run.stage_directory(at)).exists());
    }
}
