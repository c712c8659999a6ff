//! A day in simulated time: an open and a closed stage run to its end, and hold their memory flat.
//!
//! The allocator counts the whole process, so that this test needs one of its own, which nextest gives it.

use std::alloc::System;

use async_trait::async_trait;
use e3_model::{
    Arguments, Arrival, ArrivalPlan, ClientId, Distribution, JobPlan, Mix, OpDescriptor, OpId, Protocol,
    ScriptDescriptor, Secret, Seed, Shape, Span, Transport, WorkerId,
};
use e3_workload::{Account, ClientContext, Measured, Script, ScriptClient, ScriptError, Stopped};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use super::*;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A script whose op takes fifty seconds.
struct Slow;

#[async_trait]
impl ScriptClient for Slow {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let work = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            Ok(((), Measured::default()))
        };
        context.op(OpId(0), work).await
    }
}

impl Script for Slow {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new("web.Slow", "Waits.", Protocol::Http, &[("Wait", "fifty seconds")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Self))
    }
}

fn setting() -> Arc<Setting> {
    let admin = Account { name: "admin".into(), password: Secret::new("x"), private_key: None };
    Arc::new(Setting::at("http://127.0.0.1:1", admin))
}

fn day(clients: u32, arrivals: Option<ArrivalPlan>) -> StagePlan {
    let ops = vec![OpDescriptor { name: "Wait".into(), summary: "fifty seconds".into() }];
    let client = |client: u32| ClientPlan {
        client: ClientId(client),
        worker: WorkerId(0),
        job: None,
        seed: Seed(1).fork(u64::from(client)),
        start_offset: Span::ZERO,
    };
    StagePlan {
        arrivals,
        transport: Transport::default(),
        duration: Span::from_secs(DAY_S),
        operations: None,
        warm_up: Span::ZERO,
        grace: Span::from_secs(100),
        think_time: Distribution::Shaped(Shape::Exponential { mean: Span::from_secs(50) }),
        mix: Mix::Ops,
        workload: "test".into(),
        jobs: vec![JobPlan {
            script: "web.Slow".into(),
            ops,
            weight: 1.0,
            scale: 1.0,
            clients: 0,
            arguments: Arguments::new(),
        }],
        clients: (0..clients).map(client).collect(),
        faults: Vec::new(),
        search: None,
    }
}

/// Runs a stage; returns its report and the most bytes that were in use, in each quarter of the day, when a batch was
/// taken.
async fn watched(plan: StagePlan) -> (ShareReport, [usize; 4]) {
    let catalogue = Catalogue::new(vec![Arc::new(Slow)]);
    let plan = Arc::new(plan);
    let share = Share::new(Arc::clone(&plan), &plan.clients, &setting(), &catalogue).unwrap();
    let (batches, mut received) = mpsc::channel::<Batch>(4);
    let origin = Instant::now();
    let watching = tokio::spawn(async move {
        let mut most = [0; 4];
        while received.recv().await.is_some() {
            let stats = ALLOCATOR.stats();
            let in_use = stats.bytes_allocated - stats.bytes_deallocated;
            let quarter = usize::try_from(origin.elapsed().as_secs() * 4 / DAY_S).unwrap().min(3);
            most[quarter] = in_use.max(most[quarter]);
        }
        most
    });
    let report = run(share, origin, CancellationToken::new(), batches).await.unwrap();
    (report, watching.await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_day_holds_memory_flat() {
    let arrivals = |rate| ArrivalPlan {
        arrival: Arrival::Poisson,
        from: rate,
        to: rate,
        ramp: Span::ZERO,
        seed: Seed(3),
    };
    for (plan, samples, why) in [
        // Two clients, an iteration and a think time of 50 s each.
        (day(2, None), 1_650..1_820, "closed"),
        (day(16, Some(arrivals(0.02))), 1_560..1_900, "open"),
        // One in fifty of what is due gets through; the rest of the day waits, and is recorded at its end.
        (day(1, Some(arrivals(1.0))), 85_200..87_600, "open, hopelessly behind"),
    ] {
        let (report, most) = watched(plan).await;
        assert!(samples.contains(&report.samples), "{why}: {}", report.samples);
        assert_eq!(report.honesty.lost_samples, 0, "{why}");
        // The meter has looked all day, and simulated time is never late.
        assert_eq!(report.honesty.event_loop_delay_max_ms, 0.0, "{why}");
        assert!(report.honesty.file_descriptors > 0, "{why}");
        if let Some(arrivals) = report.honesty.arrivals {
            assert_eq!(arrivals.due, report.samples, "{why}");
        }
        // The second and third quarter against the first: what each of thousands of samples left behind would show.
        let grown = most[1].max(most[2]).saturating_sub(most[0]);
        assert!(most.iter().all(|bytes| *bytes > 0) && grown < 32 * 1024, "{why}: {most:?}");
    }
}

const DAY_S: u64 = 24 * 3_600;
