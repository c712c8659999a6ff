//! Recording a sample allocates nothing: an allocator counts while a share performs its ops, and then twice as many.
//!
//! This test is alone in its binary, since the allocator counts the whole process.

use std::alloc::System;
use std::sync::Arc;

use async_trait::async_trait;
use e3_load::{Share, run};
use e3_model::{
    Arguments, ClientId, ClientPlan, Distribution, JobId, JobPlan, Mix, OpDescriptor, OpId, Protocol,
    ScriptDescriptor, Secret, Seed, Span, StagePlan, Transport, WorkerId,
};
use e3_workload::{
    Account, Catalogue, ClientContext, Instant, Measured, Script, ScriptClient, ScriptError, Setting, Stopped,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A script whose iterations have so many ops, each of which does nothing but let others go first.
struct Idle {
    ops: u32,
}

struct IdleClient {
    ops: u32,
}

impl Script for Idle {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new("web.Idle", "Does nothing.", Protocol::Http, &[("Idle", "nothing")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(IdleClient { ops: self.ops }))
    }
}

#[async_trait]
impl ScriptClient for IdleClient {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        for _ in 0..self.ops {
            let work = async {
                tokio::task::yield_now().await;
                Ok(((), Measured::default()))
            };
            context.op(OpId(0), work).await?;
        }
        Ok(())
    }
}

fn setting() -> Arc<Setting> {
    let admin = Account { name: "admin".into(), password: Secret::new("x"), private_key: None };
    Arc::new(Setting::at("http://127.0.0.1:1", admin))
}

fn plan(operations: u64) -> StagePlan {
    let ops = vec![OpDescriptor { name: "Idle".into(), summary: "nothing".into() }];
    let client = |client: u32| ClientPlan {
        client: ClientId(client),
        worker: WorkerId(0),
        job: Some(JobId(0)),
        seed: Seed(1).fork(u64::from(client)),
        start_offset: Span::ZERO,
    };
    StagePlan {
        arrivals: None,
        transport: Transport::default(),
        duration: Span::from_secs(60),
        operations: Some(operations),
        warm_up: Span::ZERO,
        grace: Span::from_secs(2),
        think_time: Distribution::NONE,
        mix: Mix::Clients,
        workload: "test".into(),
        jobs: vec![JobPlan {
            script: "web.Idle".into(),
            ops,
            weight: 1.0,
            scale: 1.0,
            clients: 0,
            arguments: Arguments::new(),
        }],
        // Several, which take turns on the one thread.
        clients: (0..8).map(client).collect(),
        faults: Vec::new(),
        search: None,
    }
}

/// Returns how many allocations a share makes for so many ops, from its start to its last batch.
async fn allocations(operations: u64, per_iteration: u32) -> u64 {
    let catalogue = Catalogue::new(vec![Arc::new(Idle { ops: per_iteration })]);
    let plan = Arc::new(plan(operations));
    let share = Share::new(Arc::clone(&plan), &plan.clients, &setting(), &catalogue)
        .expect("its one script is in the catalogue");
    let (batches, mut received) = mpsc::channel(64);
    let taking = tokio::spawn(async move { while received.recv().await.is_some() {} });
    let region = Region::new(ALLOCATOR);
    let report = run(share, Instant::now(), CancellationToken::new(), batches)
        .await
        .expect("every sample is of the one op");
    let counted = region.change();
    taking.await.expect("it only takes");
    assert_eq!((report.samples, report.honesty.lost_samples), (operations, 0));
    (counted.allocations + counted.reallocations) as u64
}

#[tokio::test]
async fn recording_a_sample_allocates_nothing() {
    // The first share pays for what the process makes once.
    allocations(OPS, 1_000).await;
    let once = allocations(OPS, 1_000).await;
    let twice = allocations(2 * OPS, 1_000).await;
    let per_op = |more: u64| more as f64 / OPS as f64;
    // A batch of 8,192 samples may allocate some dozens of times, a second of the stage a few.
    let recording = per_op(twice.saturating_sub(once));
    // On a machine that is busy with other things the stage lasts longer; one a sample would be 1.
    assert!(recording < 0.2, "{once} allocations for {OPS} ops, {twice} for twice as many");

    let once = allocations(OPS, 1).await;
    let twice = allocations(2 * OPS, 1).await;
    // The contract boxes the future of each iteration; nothing else may.
    let iterating = per_op(twice.saturating_sub(once)) - recording;
    assert!(iterating < 1.2, "{once} allocations for {OPS} iterations, {twice} for twice as many");
}

const OPS: u64 = 64_000;
