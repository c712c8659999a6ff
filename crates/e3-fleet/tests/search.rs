//! Searches over the in-process bus: workers that only wait, and a judge who knows where the knee is.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use e3_fleet::{
    BetweenStages, Conduct, FleetError, FleetEvent, InProcessWorker, Judge, Probing, ToCoordinator, ToWorker,
    Watch, WorkerAddress, WorkerPort, conduct, in_process_bus, is_whole, search_state,
};
use e3_home::{Home, RunDir};
use e3_load::ShareReport;
use e3_metrics::Targets;
use e3_model::{
    Arguments, ClientId, ClientPlan, CollectPlan, Distribution, Fault, GitClient, Header, Honesty,
    InstancePlan, JobId, JobPlan, Mix, Order, Plan, PlannedDataset, ProbeVerdict, ProductVersion,
    ProviderName, Reset, Round, Run, RunName, SearchEnd, SearchPlan, Secret, Seed, Span, StageId,
    StageOutcome, StagePlan, StageRef, ThreadId, ThreadPlan, Threshold, Topology, Transport, WorkerId,
    WorkerPlan,
};
use e3_workload::{Account, Setting};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const fn at(thread: u32, stage: u32) -> StageRef {
    StageRef { thread: ThreadId(thread), stage: StageId(stage) }
}

fn stage(clients: u32, search: Option<f64>) -> StagePlan {
    let job = JobPlan {
        script: "web.Status".into(),
        ops: Vec::new(),
        weight: 1.0,
        scale: 1.0,
        clients,
        arguments: Arguments::new(),
    };
    let client = |client| ClientPlan {
        client: ClientId(client),
        worker: WorkerId(0),
        job: Some(JobId(0)),
        seed: Seed(1).fork(client.into()),
        start_offset: Span::ZERO,
    };
    StagePlan {
        duration: Span::from_secs(30),
        operations: None,
        warm_up: Span::ZERO,
        grace: Span::from_secs(1),
        think_time: Distribution::NONE,
        mix: Mix::Clients,
        workload: "w".into(),
        jobs: vec![job],
        arrivals: None,
        transport: Transport::default(),
        faults: Vec::new(),
        search: search.map(|from| SearchPlan {
            slo: Vec::new(),
            from,
            to: clients.into(),
            precision: 0.1,
            probes: 12,
            repeats: 2,
        }),
        clients: (0..clients).map(client).collect(),
    }
}

/// Two threads of a plain stage, a search from 4 to 64 clients, and another plain stage.
fn plan(order: Order) -> Plan {
    let thread = |name: &str| ThreadPlan {
        name: name.into(),
        instance: InstancePlan {
            provider: ProviderName::Local,
            nodes: 1,
            dataset: PlannedDataset { snapshot: "none".into(), generate: None },
            properties: BTreeMap::new(),
        },
        workers: vec![WorkerPlan { worker: WorkerId(0), provider: ProviderName::Local }],
        co_located: true,
        stages: vec![stage(2, None), stage(64, Some(4.0)), stage(3, None)],
    };
    let rounds = match order {
        Order::Interleaved => vec![
            vec![at(0, 0)],
            vec![at(1, 0)],
            vec![at(1, 1)],
            vec![at(0, 1)],
            vec![at(0, 2)],
            vec![at(1, 2)],
        ],
        Order::Parallel => (0..3).map(|stage| vec![at(0, stage), at(1, stage)]).collect(),
    };
    Plan {
        header: Header::of::<Plan>(None),
        experiment: "search".into(),
        description: None,
        seed: Seed(1),
        order,
        git_client: GitClient::Native,
        reset: Reset::Restart,
        baseline: ThreadId(0),
        thresholds: Vec::new(),
        collect: CollectPlan { sources: Vec::new(), ..CollectPlan::default() },
        threads: vec![thread("A"), thread("B")],
        rounds: rounds.into_iter().map(|stages| Round { stages }).collect(),
    }
}

/// Everything around the fleet: systems that bear 21 and 40 clients.
#[derive(Default)]
struct World {
    resets: Mutex<Vec<ThreadId>>,
    /// Judges nothing from so many judged probes on.
    speechless_after: Option<usize>,
}

#[async_trait]
impl Judge for World {
    async fn judge(
        &self,
        probe: StageRef,
        plan: &Plan,
        run: &Run,
        _: &[Threshold],
    ) -> Result<(ProbeVerdict, String), String> {
        let record = run.stages.iter().find(|record| record.stage == probe).ok_or("it never ran")?;
        let told = record.probe.clone().ok_or("it is no probe")?;
        let (_, stage) = plan.stage(probe).ok_or("the plan lacks it")?;
        let judged =
            run.stages.iter().filter(|it| it.probe.as_ref().is_some_and(|it| it.verdict.is_some())).count();
        if self.speechless_after.is_some_and(|after| judged >= after) {
            return Err("its samples are gone".into());
        }
        let clients = stage.clients.len();
        if format!("{:.0}", told.load) != clients.to_string() || stage.search.is_some() {
            return Err(format!("{clients} clients for a load of {}", told.load));
        }
        let knee = if probe.thread == ThreadId(0) { 21.0 } else { 40.0 };
        let verdict = if told.load <= knee { ProbeVerdict::Held } else { ProbeVerdict::Broken };
        Ok((verdict, format!("{clients} clients.")))
    }
}

#[async_trait]
impl BetweenStages for World {
    async fn reset(&self, thread: ThreadId, _: Reset) -> Result<(), String> {
        self.resets.lock().unwrap().push(thread);
        Ok(())
    }

    async fn prepare(&self, _: ThreadId, _: &[Fault]) -> Result<Option<ProductVersion>, String> {
        Ok(None)
    }

    async fn verify(&self, _: ThreadId) -> Result<(), String> {
        Ok(())
    }
}

#[async_trait]
impl Watch for World {
    async fn targets(&self, _: ThreadId) -> Result<Targets, String> {
        Ok(Targets::default())
    }
}

struct Bench {
    _home: tempfile::TempDir,
    run: RunDir,
    plan: Plan,
    world: World,
    events: Mutex<Vec<FleetEvent>>,
    stop: CancellationToken,
}

impl Bench {
    fn new(plan: Plan, world: World) -> Self {
        let home = tempfile::tempdir().unwrap();
        let run = Home::at(home.path()).create_run(&RunName("search-1".into())).unwrap();
        run.write(&plan).unwrap();
        let header = Header::of::<Topology>(Some(run.parent_of::<Plan>().unwrap()));
        run.write(&Topology { header, provisioned_at: "2026-01-01T00:00:00Z".into(), threads: vec![] })
            .unwrap();
        let (events, stop) = (Mutex::new(Vec::new()), CancellationToken::new());
        Self { _home: home, run, plan, world, events, stop }
    }

    /// Conducts the plan; the workers fail in the stage that is named, and the run is stopped in it.
    async fn conduct(
        &self,
        fails_in: Option<StageRef>,
        stops_in: Option<StageRef>,
    ) -> Result<Run, FleetError> {
        let admin = Account { name: "admin".into(), password: Secret::new("x"), private_key: None };
        let setting = Arc::new(Setting::at("http://127.0.0.1:1", admin));
        let addresses = [0, 1].map(|thread| WorkerAddress { thread: ThreadId(thread), worker: WorkerId(0) });
        let (mut coordinator, ends) = in_process_bus(&addresses);
        let mut workers = JoinSet::new();
        ends.into_iter().for_each(|end| drop(workers.spawn(wait(end, fails_in))));
        let events = |event: FleetEvent| {
            if matches!(&event, FleetEvent::StageStarted { stage, .. } if Some(*stage) == stops_in) {
                self.stop.cancel();
            }
            self.events.lock().unwrap().push(event);
        };
        let input = Conduct {
            plan: &self.plan,
            run: &self.run,
            settings: vec![Arc::clone(&setting), setting],
            between_stages: &self.world,
            judge: &self.world,
            metric_sources: Vec::new(),
            watch: &self.world,
            stop: self.stop.clone(),
            events: &events,
        };
        let record = conduct(&input, &mut coordinator).await;
        drop(coordinator);
        while workers.join_next().await.is_some() {}
        record
    }

    /// Returns every stage that started, with its place and what it was for.
    fn started(&self) -> Vec<(StageRef, usize, usize, Option<Probing>)> {
        let events = self.events.lock().unwrap();
        let started = events.iter().filter_map(|event| match event {
            FleetEvent::StageStarted { stage, position, of, probe, .. } => {
                Some((*stage, *position, *of, *probe))
            }
            _ => None,
        });
        started.collect()
    }
}

/// A worker that is ready for every share, and ends it when its time is over.
async fn wait(mut port: InProcessWorker, fails_in: Option<StageRef>) {
    port.send(ToCoordinator::Registered).await.unwrap();
    let mut assigned = BTreeMap::new();
    while let Some(message) = port.receive().await {
        let answer = match message {
            ToWorker::Assign(assignment) => {
                assigned.insert(assignment.stage, assignment.plan.duration);
                ToCoordinator::Ready { stage: assignment.stage }
            }
            ToWorker::Start { stage, .. } if Some(stage) == fails_in => {
                ToCoordinator::Failed { stage, reason: "out of memory".into() }
            }
            ToWorker::Start { stage, .. } => {
                let until = tokio::time::Instant::now() + assigned[&stage].to_duration();
                while tokio::time::Instant::now() < until {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    port.send(ToCoordinator::Heartbeat).await.unwrap();
                }
                let report =
                    ShareReport { honesty: Honesty::default(), samples: 0, iterations: 0, failures: vec![] };
                ToCoordinator::Finished { stage, report }
            }
            ToWorker::Leave => return,
            ToWorker::Committed { .. } | ToWorker::Stop { .. } => continue,
        };
        port.send(answer).await.unwrap();
    }
}

fn loads(run: &Run, thread: u32) -> Vec<f64> {
    let own = run.stages.iter().filter(|record| record.stage.thread == ThreadId(thread));
    own.filter_map(|record| Some(record.probe.as_ref()?.load)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_search_runs_whole_in_its_round_and_every_probe_is_a_stage() {
    let bench = Bench::new(plan(Order::Interleaved), World::default());
    let run = bench.conduct(None, None).await.unwrap();
    let a = [4.0, 8.0, 16.0, 32.0, 23.0, 19.0, 21.0, 21.0];
    let b = [4.0, 8.0, 16.0, 32.0, 64.0, 45.0, 38.0, 41.0, 38.0];
    assert_eq!((loads(&run, 0), loads(&run, 1)), (a.to_vec(), b.to_vec()));
    let order: Vec<_> = run.stages.iter().map(|record| record.stage).collect();
    let probes = |thread: u32, count: u32| (3..3 + count).map(move |stage| at(thread, stage));
    let expected: Vec<_> = [at(0, 0), at(1, 0)]
        .into_iter()
        .chain(probes(1, 9))
        .chain(probes(0, 8))
        .chain([at(0, 2), at(1, 2)])
        .collect();
    assert_eq!(order, expected);
    assert!(run.stages.iter().all(|record| record.outcome == StageOutcome::Completed));
    let last = run.stages[18].probe.clone().unwrap();
    assert_eq!(
        (last.search, last.verdict, last.reason.as_str()),
        (StageId(1), Some(ProbeVerdict::Held), "21 clients.")
    );
    assert_eq!(bench.run.read::<Run>().unwrap(), run);

    let state = search_state(&bench.plan, &run, at(1, 1)).unwrap();
    assert_eq!(
        (state.end, state.highest_held, state.lowest_broken),
        (SearchEnd::Found, Some(38.0), Some(41.0))
    );
    assert!(is_whole(&bench.plan, &run));
    let whole = e3_plan::with_probes(&bench.plan, &run);
    assert_eq!(whole.rounds.iter().map(|round| round.stages[0]).collect::<Vec<_>>(), expected);
    assert_eq!(whole.stage(at(0, 7)).unwrap().1.clients.len(), 23);

    // A search is one of the plan's six stages, whatever it takes.
    let probing = |number| Some(Probing { search: at(1, 1), number, of: 12 });
    assert_eq!(bench.started()[2..4], [(at(1, 3), 3, 6, probing(1)), (at(1, 4), 3, 6, probing(2))]);
    assert_eq!(bench.started()[19], (at(0, 2), 5, 6, None));
    let judged =
        bench.events.lock().unwrap().iter().filter(|it| matches!(it, FleetEvent::ProbeJudged { .. })).count();
    assert_eq!(judged, 17);
    // Before every stage of a thread but its first.
    assert_eq!(bench.world.resets.lock().unwrap().len(), 19);
}

#[tokio::test(start_paused = true)]
async fn searches_of_one_round_probe_at_the_same_time() {
    let bench = Bench::new(plan(Order::Parallel), World::default());
    let run = bench.conduct(None, None).await.unwrap();
    assert_eq!((loads(&run, 0).len(), loads(&run, 1).len()), (8, 9));
    let order: Vec<_> = run.stages.iter().map(|record| record.stage).collect();
    assert_eq!(order[..5], [at(0, 0), at(1, 0), at(0, 3), at(1, 3), at(0, 4)]);
    assert_eq!(order[18..], [at(1, 11), at(0, 2), at(1, 2)]);
    assert_eq!(run.stages[2].started_unix_ns, run.stages[3].started_unix_ns);
    assert!(is_whole(&bench.plan, &run));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_keeps_the_probes_and_judges_no_half_of_one() {
    let bench = Bench::new(plan(Order::Interleaved), World::default());
    let run = bench.conduct(None, Some(at(1, 5))).await.unwrap();
    let verdicts: Vec<_> =
        run.stages[2..].iter().map(|record| record.probe.as_ref().unwrap().verdict).collect();
    assert_eq!(verdicts, [Some(ProbeVerdict::Held), Some(ProbeVerdict::Held), None]);
    assert_eq!(run.stages[4].outcome, StageOutcome::Interrupted);
    assert!(run.ended_at.is_some() && !is_whole(&bench.plan, &run));
    let state = search_state(&bench.plan, &run, at(1, 1)).unwrap();
    assert_eq!((state.end, state.next), (SearchEnd::CutShort, Some(16.0)));
    assert_eq!(e3_plan::with_probes(&bench.plan, &run).stage(at(1, 5)).unwrap().1.clients.len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_ends_the_run_like_any_stage() {
    let bench = Bench::new(plan(Order::Interleaved), World::default());
    let run = bench.conduct(Some(at(1, 4)), None).await.unwrap();
    assert_eq!(run.stages.len(), 4);
    assert_eq!(
        run.stages[3].outcome,
        StageOutcome::Failed { reason: "thread-002/worker-001: out of memory".into() }
    );
    assert_eq!(run.stages[3].probe.as_ref().unwrap().verdict, None);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_cannot_be_judged_ends_the_run_with_what_it_has() {
    let bench = Bench::new(plan(Order::Interleaved), World { speechless_after: Some(2), ..World::default() });
    let error = bench.conduct(None, None).await.unwrap_err();
    assert_eq!(error.to_string(), "thread-002/stage-005 could not be judged: its samples are gone");
    let run: Run = bench.run.read().unwrap();
    assert_eq!((run.stages.len(), run.ended_at.is_some()), (5, true));
}
