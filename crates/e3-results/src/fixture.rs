//! A small run in a temporary home: two threads of two stages each, interleaved.

use e3_home::{Home, RunDir};
use e3_model::{
    Arrival, ArrivalPlan, CacheState, ClientId, ClientPlan, CollectPlan, Distribution, Generate, GitClient,
    Header, Honesty, InstancePlan, JobPlan, Mix, OpDescriptor, Order, Outcome, Plan, PlannedDataset, Probe,
    ProbeVerdict, ProviderName, Relation, Reset, Round, Run, RunName, Sample, SearchPlan, Seed, Sizes, Span,
    StageId, StageOutcome, StagePlan, StageRecord, StageRef, Statistic, ThreadId, ThreadPlan, Threshold,
    WorkerId, WorkerPlan,
};
use e3_samples::{Names, append_segment, to_segment};
use std::collections::BTreeMap;

pub(crate) const MS: u64 = 1_000_000;

pub(crate) struct Fixture {
    pub(crate) run: RunDir,
    _directory: tempfile::TempDir,
}

impl Fixture {
    /// A run that is planned and nothing more.
    pub(crate) fn new() -> Self {
        Self::planned(|_| {})
    }

    /// The same with a changed plan.
    pub(crate) fn planned(change: impl FnOnce(&mut Plan)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let run = Home::at(directory.path()).create_run(&RunName("tiny-1".to_owned())).unwrap();
        let mut plan = plan();
        change(&mut plan);
        run.write(&plan).unwrap();
        Self { run, _directory: directory }
    }

    /// A run whose four stages ran to their end.
    pub(crate) fn whole() -> Self {
        Self::whole_of(|_| {})
    }

    /// The same with a changed plan.
    pub(crate) fn whole_of(change: impl FnOnce(&mut Plan)) -> Self {
        let fixture = Self::planned(change);
        let order = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(thread, stage)| stage_ref(thread, stage));
        for stage in order {
            fixture.record(stage, 600);
        }
        fixture.write_run(&order);
        fixture
    }

    /// Records samples of a stage, one every 10 ms, in segments of 100; half of those of the first thread take 10 to 108 ms,
    /// of the second 5 to 54 ms.
    pub(crate) fn record(&self, stage: StageRef, count: u32) {
        self.record_slower(stage, count, u64::from(2 - stage.thread.0));
    }

    /// The same, where half take 5 to 54 ms times a factor.
    pub(crate) fn record_slower(&self, stage: StageRef, count: u32, slower: u64) {
        let plan = stage_plan(4);
        let samples: Vec<Sample> = (0..count)
            .map(|number| {
                let job = u16::from(number % 2 == 1);
                let scheduled = u64::from(number) * 10 * MS;
                let latency = slower * (5 + scattered(number)) * MS / if job == 0 { 1 } else { 10 };
                Sample { iteration: number / 4, ..sample(number % 4, job, scheduled, scheduled + latency) }
            })
            .collect();
        for (sequence, chunk) in (1..).zip(samples.chunks(100)) {
            let segment = to_segment(chunk, &Names::of(&plan)).unwrap();
            append_segment(&self.run.stage_directory(stage), WorkerId(0), sequence, &segment).unwrap();
        }
    }

    pub(crate) fn write_run(&self, stages: &[StageRef]) {
        self.write_run_with(stages, |_| {});
    }

    pub(crate) fn write_run_with(&self, stages: &[StageRef], change: impl Fn(&mut StageRecord)) {
        let records = stages.iter().map(|stage| {
            let mut record = record(*stage);
            change(&mut record);
            record
        });
        self.write_records(records.collect());
    }

    pub(crate) fn write_records(&self, stages: Vec<StageRecord>) {
        let run = Run {
            header: Header::of::<Run>(Some(self.run.parent_of::<Plan>().unwrap())),
            name: "tiny-1".to_owned(),
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            ended_at: None,
            stages,
        };
        self.run.write(&run).unwrap();
    }
}

/// Each thread's second stage is a search for the most clients with a p95 below 150 ms; the probes of each thread, in order,
/// have a number of clients, and hold the condition or not.
pub(crate) fn searched(probes: [&[(u32, bool)]; 2]) -> Fixture {
    searched_of(probes, |_| {})
}

/// The same with a changed plan.
pub(crate) fn searched_of(probes: [&[(u32, bool)]; 2], change: impl FnOnce(&mut Plan)) -> Fixture {
    let fixture = Fixture::planned(|plan| {
        for thread in &mut plan.threads {
            let mut pattern = stage_plan(64);
            pattern.search = Some(search_plan());
            thread.stages = vec![stage_plan(4), pattern];
        }
        change(plan);
    });
    let mut records = vec![record(stage_ref(0, 0)), record(stage_ref(1, 0))];
    fixture.record(stage_ref(0, 0), 600);
    fixture.record(stage_ref(1, 0), 600);
    for (thread, probes) in (0..).zip(probes) {
        for (number, (clients, held)) in (2..).zip(probes) {
            let stage = stage_ref(thread, number);
            fixture.record_slower(stage, 600, if *held { 1 } else { 4 });
            let verdict = Some(if *held { ProbeVerdict::Held } else { ProbeVerdict::Broken });
            let load = f64::from(*clients);
            let probe = Probe { search: StageId(1), load, verdict, reason: String::new() };
            records.push(StageRecord { probe: Some(probe), ..record(stage) });
        }
    }
    fixture.write_records(records);
    fixture
}

/// From 8 clients to 64, to a tenth, in at most 12 probes, two of which must agree.
pub(crate) fn search_plan() -> SearchPlan {
    let p95 = Threshold {
        text: "p95 < 150ms".to_owned(),
        statistic: Statistic::P95,
        target: None,
        relation: Relation::Below,
        limit: 150.0,
    };
    SearchPlan { slo: vec![p95], from: 8.0, to: 64.0, precision: 0.1, probes: 12, repeats: 2 }
}

/// Every fifty numbers are each of 0 to 49 once, even for even and odd for odd, in an order that does not repeat.
fn scattered(number: u32) -> u64 {
    const STEPS: [u64; 8] = [1, 3, 7, 9, 11, 13, 17, 19];
    let drawn = Seed(1).fork(u64::from(number / 50)).0;
    let step = STEPS.iter().cycle().nth(usize::try_from(drawn % 8).unwrap()).unwrap();
    (step * u64::from(number % 50) + drawn / 8 % 25 * 2) % 50
}

/// The whole run, analysed.
pub(crate) fn loaded() -> crate::load::Loaded {
    let fixture = Fixture::whole();
    crate::gather(&fixture.run).unwrap();
    crate::load::Loaded::read(&fixture.run).unwrap()
}

pub(crate) fn stage_ref(thread: u32, stage: u32) -> StageRef {
    StageRef { thread: ThreadId(thread), stage: StageId(stage) }
}

pub(crate) fn record(stage: StageRef) -> StageRecord {
    StageRecord {
        stage,
        started_unix_ns: 1_767_323_045_000_000_000,
        outcome: StageOutcome::Completed,
        product: None,
        probe: None,
        samples: 0,
        honesty: Honesty { cpus: 2, scheduling_lag_p99_ms: 1.5, worker_cpus: 0.25, ..Honesty::default() },
    }
}

pub(crate) fn sample(client: u32, job: u16, scheduled_ns: u64, ended_ns: u64) -> Sample {
    Sample {
        scheduled_ns,
        started_ns: scheduled_ns,
        first_byte_ns: Some(ended_ns),
        ended_ns,
        bytes_in: Some(1000),
        bytes_out: Some(10),
        client,
        job,
        op: 0,
        iteration: 0,
        outcome: Outcome::Ok,
        cache: CacheState::Unknown,
        phases: None,
    }
}

/// Constant arrivals at a rate.
pub(crate) fn arrivals(rate: f64) -> ArrivalPlan {
    ArrivalPlan { arrival: Arrival::Constant, from: rate, to: rate, ramp: Span::ZERO, seed: Seed(1) }
}

/// Makes both stages of each thread open ones, the first at 100/s, which is what is recorded, the second at 200/s.
pub(crate) fn open(plan: &mut Plan) {
    for thread in &mut plan.threads {
        for (stage, rate) in thread.stages.iter_mut().zip([100.0, 200.0]) {
            stage.arrivals = Some(arrivals(rate));
        }
    }
}

pub(crate) fn stage_plan(clients: u32) -> StagePlan {
    let job = |script: &str, ops: &[&str]| JobPlan {
        script: script.to_owned(),
        ops: ops
            .iter()
            .map(|name| OpDescriptor { name: (*name).to_owned(), summary: String::new() })
            .collect(),
        weight: 0.5,
        scale: 1.0,
        clients: 0,
        arguments: e3_model::Arguments::new(),
    };
    StagePlan {
        arrivals: None,
        transport: e3_model::Transport::default(),
        duration: Span::from_secs(6),
        operations: None,
        warm_up: Span::from_secs(1),
        grace: Span::from_secs(5),
        think_time: Distribution::NONE,
        mix: Mix::Ops,
        workload: "mixed".to_owned(),
        jobs: vec![job("scm.GitCloneOverHttp", &["clone"]), job("web.ListUsers", &["log in", "list users"])],
        clients: (0..clients)
            .map(|client| ClientPlan {
                client: ClientId(client),
                worker: WorkerId(0),
                job: None,
                seed: Seed(u64::from(client)),
                start_offset: Span::ZERO,
            })
            .collect(),
        faults: Vec::new(),
        search: None,
    }
}

fn plan() -> Plan {
    let thread = |name: &str, nodes| ThreadPlan {
        name: name.to_owned(),
        instance: InstancePlan {
            provider: ProviderName::Local,
            nodes,
            dataset: dataset(),
            properties: BTreeMap::new(),
        },
        workers: vec![WorkerPlan { worker: WorkerId(0), provider: ProviderName::Local }],
        co_located: true,
        stages: vec![stage_plan(4), stage_plan(8)],
    };
    let stages = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(thread, stage)| stage_ref(thread, stage));
    Plan {
        header: Header::of::<Plan>(None),
        experiment: "tiny".to_owned(),
        description: Some("Does a second node help?".to_owned()),
        seed: Seed(1),
        order: Order::Interleaved,
        git_client: GitClient::Native,
        reset: Reset::None,
        baseline: ThreadId(0),
        thresholds: Vec::new(),
        collect: CollectPlan::default(),
        threads: vec![thread("one node", 1), thread("two nodes", 2)],
        rounds: stages.into_iter().map(|stage| Round { stages: vec![stage] }).collect(),
    }
}

fn dataset() -> PlannedDataset {
    let generate = Generate {
        seed: Seed(1),
        projects: 3,
        repositories: 8,
        commits_min: 50,
        commits_max: 1000,
        users: 5,
        sizes: Sizes::Even,
        pull_requests: 0,
        assets_mb: 0,
    };
    PlannedDataset { snapshot: "tiny".to_owned(), generate: Some(generate) }
}
