//! The engine against scripts of known behaviour, in simulated time.

use std::time::Duration;

use async_trait::async_trait;
use e3_model::{
    Arguments, ClientId, Distribution, JobId, JobPlan, Mix, OpDescriptor, OpId, Outcome, Protocol, Sample,
    ScriptDescriptor, Secret, Seed, Shape, Span, WorkerId,
};
use e3_workload::{Account, ClientContext, Failure, Measured, Script, ScriptClient, ScriptError, Stopped};

use super::*;

/// A script whose one op takes a known time and ends in a known way.
struct Fixed {
    name: &'static str,
    takes: Duration,
    fails: bool,
}

/// A script that finds no account.
struct Homeless;

impl Script for Homeless {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new("web.Homeless", "Waits.", Protocol::Http, &[("Wait", "one wait")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Err(ScriptError::NoUser { script: "web.Homeless".into() })
    }
}

struct FixedClient {
    takes: Duration,
    fails: bool,
}

impl Script for Fixed {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(self.name, "Waits.", Protocol::Http, &[("Wait", "one wait")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(FixedClient { takes: self.takes, fails: self.fails }))
    }
}

#[async_trait]
impl ScriptClient for FixedClient {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let (takes, fails) = (self.takes, self.fails);
        context
            .op(OpId(0), async move {
                tokio::time::sleep(takes).await;
                if fails {
                    Err(Failure::new(Outcome::Http5xx, "status 503"))
                } else {
                    Ok(((), Measured::default()))
                }
            })
            .await
    }
}

fn setting() -> Arc<Setting> {
    let admin = Account { name: "admin".into(), password: Secret::new("x"), private_key: None };
    let transport = e3_model::Transport { op_timeout: Span::from_secs(60), ..e3_model::Transport::default() };
    Arc::new(Setting { transport, ..Setting::at("http://127.0.0.1:1", admin) })
}

fn job(script: &str, weight: f64) -> JobPlan {
    let ops = vec![OpDescriptor { name: "Wait".into(), summary: "one wait".into() }];
    JobPlan { script: script.into(), ops, weight, scale: 1.0, clients: 0, arguments: Arguments::new() }
}

fn stage(clients: u32, think_ms: u64, mix: Mix) -> StagePlan {
    StagePlan {
        arrivals: None,
        transport: e3_model::Transport::default(),
        duration: Span::from_secs(10),
        operations: None,
        warm_up: Span::ZERO,
        grace: Span::from_secs(2),
        think_time: Distribution::Constant(Span::from_millis(think_ms)),
        mix,
        workload: "test".into(),
        jobs: vec![job("web.Fast", 0.75), job("web.Slow", 0.25)],
        clients: (0..clients)
            .map(|client| ClientPlan {
                client: ClientId(client),
                worker: WorkerId(0),
                job: (mix == Mix::Clients).then_some(JobId(u16::from(client == 0))),
                seed: Seed(1).fork(u64::from(client)),
                start_offset: Span::ZERO,
            })
            .collect(),
        faults: Vec::new(),
        search: None,
    }
}

async fn perform(plan: StagePlan, scripts: [(Duration, bool); 2]) -> (Vec<Sample>, ShareReport) {
    let clients = plan.clients.clone();
    perform_share(plan, &clients, scripts).await
}

async fn perform_share(
    plan: StagePlan,
    clients: &[ClientPlan],
    scripts: [(Duration, bool); 2],
) -> (Vec<Sample>, ShareReport) {
    let [fast, slow] = scripts;
    let catalogue = Catalogue::new(vec![
        Arc::new(Fixed { name: "web.Fast", takes: fast.0, fails: fast.1 }),
        Arc::new(Fixed { name: "web.Slow", takes: slow.0, fails: slow.1 }),
    ]);
    let plan = Arc::new(plan);
    let names = Names::of(&plan);
    let share = Share::new(Arc::clone(&plan), clients, &setting(), &catalogue).unwrap();
    let (batches, mut received) = mpsc::channel(1024);
    let report = run(share, Instant::now(), CancellationToken::new(), batches).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    while let Some(batch) = received.recv().await {
        e3_samples::append_segment(directory.path(), WorkerId(0), batch.sequence, &batch.segment).unwrap();
    }
    let samples = e3_samples::read(directory.path(), &names).unwrap();
    assert_eq!(samples.len() as u64, report.samples);
    (samples, report)
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_starts_again_when_it_has_thought() {
    let quick = (Duration::from_millis(100), false);
    let (samples, report) = perform(stage(2, 900, Mix::Clients), [quick, quick]).await;
    // One iteration a second for ten seconds, by each of two clients.
    assert_eq!((samples.len(), report.iterations), (20, 20));
    assert!(samples.iter().all(|sample| sample.latency_ns() == 100_000_000), "{samples:?}");
    assert!(samples.iter().all(|sample| sample.job == u16::from(sample.client == 0)));
}

#[tokio::test(start_paused = true)]
async fn ops_under_way_get_their_grace_and_are_then_cancelled() {
    let (samples, report) = perform(
        stage(2, 0, Mix::Clients),
        [(Duration::from_secs(11), false), (Duration::from_secs(60), false)],
    )
    .await;
    let outcomes: Vec<_> =
        samples.iter().map(|s| (s.client, s.outcome, s.ended_ns / 1_000_000_000)).collect();
    // The fast job ends within the grace of 2 s; the slow one is cut off at its end.
    assert!(outcomes.contains(&(1, Outcome::Ok, 11)), "{outcomes:?}");
    assert!(outcomes.contains(&(0, Outcome::Cancelled, 12)), "{outcomes:?}");
    assert_eq!(outcomes.len(), 2);
    assert_eq!(report.iterations, 2, "one that was cut off had begun, too");
}

#[tokio::test(start_paused = true)]
async fn failures_are_samples_and_are_told_once_a_kind() {
    let fails = (Duration::from_millis(100), true);
    let (samples, report) = perform(stage(4, 900, Mix::Ops), [fails, fails]).await;
    assert!(samples.iter().all(|sample| sample.outcome == Outcome::Http5xx));
    assert_eq!(samples.len(), 40);
    assert_eq!(report.failures.iter().map(|note| note.count).sum::<u64>(), 40);
    assert_eq!(report.failures.len(), 2, "one a script: {:?}", report.failures);
    assert_eq!(report.failures[0].message, "http-5xx: status 503");
}

#[tokio::test(start_paused = true)]
async fn no_failure_is_left_out_of_the_count() {
    let fails = (Duration::from_millis(1), true);
    let mut plan = stage(8, 0, Mix::Ops);
    plan.operations = Some(5_000);
    let (_, report) = perform(plan, [fails, fails]).await;
    assert_eq!(report.failures.iter().map(|note| note.count).sum::<u64>(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_sequence_of_jobs() {
    let quick = (Duration::from_millis(20), false);
    let sequence = |samples: &[Sample]| {
        let mut jobs: Vec<_> = samples.iter().map(|s| (s.client, s.iteration, s.job)).collect();
        jobs.sort_unstable();
        jobs
    };
    let mut plan = stage(8, 0, Mix::Ops);
    plan.think_time = Distribution::Shaped(Shape::Exponential { mean: Span::from_millis(80) });
    let (first, _) = perform(plan.clone(), [quick, quick]).await;
    // Slower ops give fewer iterations; what there is of each client's sequence stays the same.
    let (second, _) = perform(plan, [quick, (Duration::from_millis(50), false)]).await;
    let first: std::collections::BTreeSet<_> = sequence(&first).into_iter().collect();
    let second = sequence(&second);
    assert!(second.len() > 500 && second.len() < first.len());
    assert!(second.iter().all(|entry| first.contains(entry)));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_stage_and_keeps_what_was_measured() {
    let catalogue = Catalogue::new(vec![
        Arc::new(Fixed { name: "web.Fast", takes: Duration::from_millis(100), fails: false }),
        Arc::new(Fixed { name: "web.Slow", takes: Duration::from_millis(100), fails: false }),
    ]);
    let plan = Arc::new(stage(3, 900, Mix::Ops));
    let share = Share::new(Arc::clone(&plan), &plan.clients, &setting(), &catalogue).unwrap();
    let (batches, mut received) = mpsc::channel(1024);
    let stop = CancellationToken::new();
    let origin = Instant::now();
    let running = tokio::spawn(run(share, origin, stop.clone(), batches));
    tokio::time::sleep(Duration::from_millis(3_050)).await;
    stop.cancel();
    let report = running.await.unwrap().unwrap();
    assert!(origin.elapsed() < Duration::from_millis(3_300), "{:?}", origin.elapsed());
    let mut samples = 0;
    while let Some(batch) = received.recv().await {
        samples += batch.samples;
    }
    assert_eq!((report.samples, samples), (12, 12), "four of each client: at 0, 1, 2 and 3 s");
}

#[tokio::test]
async fn what_the_catalogue_lacks_is_named() {
    let plan = Arc::new(stage(1, 0, Mix::Ops));
    let error =
        Share::new(Arc::clone(&plan), &plan.clients, &setting(), &Catalogue::default()).err().unwrap();
    assert_eq!(error.to_string(), "this worker has no script web.Fast");
}

#[tokio::test]
async fn a_client_that_cannot_be_prepared_is_told_before_the_start() {
    let mut plan = stage(1, 0, Mix::Ops);
    plan.jobs = vec![job("web.Homeless", 1.0)];
    let catalogue = Catalogue::new(vec![Arc::new(Homeless)]);
    let clients = plan.clients.clone();
    let error = Share::new(Arc::new(plan), &clients, &setting(), &catalogue).err().unwrap();
    assert!(matches!(error, LoadError::Prepare { .. }), "{error}");
}

/// A script that never ends its op by itself and counts how many clients tidied up.
struct Untidy {
    tidied: Arc<std::sync::atomic::AtomicU32>,
}

#[async_trait]
impl ScriptClient for Untidy {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        context.op(OpId(0), std::future::pending::<Result<((), Measured), Failure>>()).await
    }

    async fn finish(&mut self) -> Result<(), String> {
        match self.tidied.fetch_add(1, Ordering::Relaxed) {
            0 => Err("a branch, since the server is gone".to_owned()),
            1 => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

impl Script for Untidy {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new("web.Fast", "Never ends.", Protocol::Http, &[("Wait", "for ever")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Self { tidied: Arc::clone(&self.tidied) }))
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_were_cut_off_still_tidy_up_within_a_bound() {
    let tidied = Arc::default();
    let catalogue = Catalogue::new(vec![Arc::new(Untidy { tidied: Arc::clone(&tidied) })]);
    let mut plan = stage(4, 0, Mix::Ops);
    plan.jobs.truncate(1);
    let plan = Arc::new(plan);
    let share = Share::new(Arc::clone(&plan), &plan.clients, &setting(), &catalogue).unwrap();
    let (batches, mut received) = mpsc::channel(1024);
    let begun = Instant::now();
    let report = run(share, begun, CancellationToken::new(), batches).await.unwrap();
    // 10 s of load, 2 s of grace, and the bound of the one that never tidies up.
    assert_eq!(begun.elapsed(), Duration::from_secs(12) + TIDYING);
    assert_eq!(tidied.load(Ordering::Relaxed), 4);
    let mut cancelled = 0;
    while let Some(batch) = received.recv().await {
        assert_eq!((batch.ok, batch.errors), (0, 0));
        cancelled += batch.samples;
    }
    assert_eq!(cancelled, 4);
    let told: Vec<_> = report.failures.iter().map(|note| (note.op.as_str(), note.count)).collect();
    assert_eq!(told, [("tidying up", 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_ends_by_a_count_begins_exactly_so_many_ops() {
    let (fast, slow) = (Duration::from_millis(70), Duration::from_millis(110));
    for clients in [1_u32, 2, 3, 7, 8, 16, 31, 50] {
        for (operations, fails, why) in [
            (1, false, "fewer than clients"),
            (50, false, "about as many as clients"),
            (333, false, "several for each client"),
            (100, true, "a failure is an op"),
        ] {
            let mut plan = stage(clients, 0, Mix::Ops);
            plan.operations = Some(operations);
            plan.duration = Span::from_secs(100);
            let begun = Instant::now();
            let (samples, report) = perform(plan, [(fast, fails), (slow, fails)]).await;
            assert_eq!((samples.len() as u64, report.samples), (operations, operations), "{clients}: {why}");
            let last = samples.iter().map(|sample| sample.ended_ns).max().unwrap();
            let elapsed = u64::try_from(begun.elapsed().as_nanos()).unwrap();
            assert!(elapsed < last + 1_000_000_000, "{clients}: {why}: ended with the last op, not later");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn workers_share_a_count_so_that_it_is_met_exactly() {
    let quick = (Duration::from_millis(30), false);
    for (clients, workers, operations) in [(5_u32, 2_u32, 101_u64), (7, 3, 50), (3, 3, 1), (50, 4, 1_000)] {
        let mut plan = stage(clients, 0, Mix::Ops);
        plan.operations = Some(operations);
        plan.duration = Span::from_secs(100);
        plan.clients.iter_mut().for_each(|client| client.worker = WorkerId(client.client.0 % workers));
        let mut begun = 0;
        for worker in 0..workers {
            let own = plan.clients.iter().filter(|client| client.worker == WorkerId(worker)).cloned();
            let (samples, _) = perform_share(plan.clone(), &own.collect::<Vec<_>>(), [quick, quick]).await;
            assert_eq!(Some(samples.len() as u64), plan.operations_of(WorkerId(worker)));
            begun += samples.len() as u64;
        }
        assert_eq!(begun, operations, "{clients} clients, {workers} workers");
    }
}

#[tokio::test(start_paused = true)]
async fn the_duration_bounds_a_count_and_an_op_that_was_cut_off_has_begun() {
    let mut plan = stage(2, 0, Mix::Clients);
    plan.operations = Some(1_000_000);
    let begun = Instant::now();
    let quick = (Duration::from_millis(2_500), false);
    let (samples, _) = perform(plan.clone(), [quick, (Duration::from_secs(60), false)]).await;
    // At 0, 2.5, 5 and 7.5 s by the one client, and one op by the other until the grace of 2 s is over.
    let cancelled = samples.iter().filter(|sample| sample.outcome == Outcome::Cancelled).count();
    assert_eq!((samples.len(), cancelled), (5, 1));
    assert_eq!(begun.elapsed(), Duration::from_secs(12));
    // Three ops are begun at 0 and 2.5 s; the slow one is under way when they are used up, and still cut off by time alone.
    plan.operations = Some(3);
    let (samples, _) = perform(plan, [quick, (Duration::from_secs(60), false)]).await;
    let outcomes: Vec<_> = samples.iter().map(|it| (it.outcome, it.ended_ns / 1_000_000_000)).collect();
    assert_eq!(outcomes.iter().filter(|it| it.0 == Outcome::Ok).count(), 2);
    assert!(outcomes.contains(&(Outcome::Cancelled, 12)), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn clients_that_think_or_have_not_started_do_not_hold_up_the_end() {
    let mut plan = stage(4, 60_000, Mix::Ops);
    plan.operations = Some(2);
    plan.duration = Span::from_secs(1_000);
    plan.clients.iter_mut().for_each(|it| it.start_offset = Span::from_secs(u64::from(it.client.0) * 50));
    let begun = Instant::now();
    let quick = (Duration::from_millis(100), false);
    let (samples, _) = perform(plan, [quick, quick]).await;
    let scheduled: Vec<_> = samples.iter().map(|sample| sample.scheduled_ns / 1_000_000_000).collect();
    assert_eq!(scheduled, [0, 50]);
    assert!(begun.elapsed() < Duration::from_secs(52), "{:?}", begun.elapsed());
}

/// A worker of 10,000 clients has to fit in memory with them: what each takes besides its script's own client.
#[test]
fn a_client_is_small() {
    let plan = stage(1, 0, Mix::Ops);
    let rooms = [JobRoom {
        script: Arc::new(Fixed { name: "web.Fast", takes: Duration::ZERO, fails: false }),
        ops: plan.jobs[0].ops.as_slice().into(),
        arguments: Arc::default(),
    }];
    let equipment = Equipment {
        rooms: &rooms,
        setting: &setting(),
        draw: Arc::new(JobDraw::of(&plan.jobs[..1])),
        think_time: plan.think_time,
        is_open: false,
        told: Told { failures: Arc::default(), iterations: Arc::default() },
    };
    let (samples, _recorded) = sample_channel(1);
    let seat = Seat { client: ClientId(0), seed: Seed(1), op_timeout: Duration::ZERO, samples };
    let client = Client::prepare(&plan.clients[0], &seat, &equipment).unwrap();
    let now = Instant::now();
    let load = Load { origin: now, end: now, stop: CancellationToken::new() };
    let start = Start { load, budget: None, pool: None, lag: LagMeter::default(), cut: Cut::default() };
    let task = size_of_val(&client.run(start, 0));
    let place = size_of::<ClientContext>();
    println!("a task has {task} bytes, and for each job a context of {place}");
    assert!(task <= 2_048 && place <= 768, "{task} and {place} bytes");
}
