//! A worker, and servers that answer within the process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_load::{Batch, Share, ShareReport, run};
use e3_model::{
    Arguments, Arrival, ArrivalPlan, ClientId, ClientPlan, Distribution, JobPlan, Mix, OpDescriptor, OpId,
    Protocol, Sample, ScriptDescriptor, Secret, Seed, Span, StagePlan, Transport, WorkerId,
};
use e3_samples::Names;
use e3_stats::LatencyHistogram;
use e3_workload::{
    Account, Catalogue, ClientContext, Instant, Measured, Script, ScriptClient, ScriptError, Setting, Stopped,
};
use rand::RngExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Answers one request, which brings a number that its iteration has drawn.
pub(crate) type Serve = Arc<dyn Fn(u64) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Returns a server from a closure.
pub(crate) fn server<F>(serve: impl Fn(u64) -> F + Send + Sync + 'static) -> Serve
where
    F: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |drawn| Box::pin(serve(drawn)))
}

/// Returns a server that takes the same time for every request, and any number of them at once.
pub(crate) fn takes(milliseconds: u64) -> Serve {
    server(move |_| tokio::time::sleep(Duration::from_millis(milliseconds)))
}

/// A script that asks a server, once an op; a sample's `bytes_out` are what its iteration has drawn.
struct Asking {
    name: &'static str,
    ops: u16,
    serve: Serve,
}

struct Asker {
    ops: u16,
    serve: Serve,
}

impl Script for Asking {
    fn descriptor(&self) -> ScriptDescriptor {
        ScriptDescriptor::new(self.name, "Asks.", Protocol::Http, &[("Ask", "one request")])
    }

    fn client(&self, _: &Arc<Setting>, _: &mut ClientContext) -> Result<Box<dyn ScriptClient>, ScriptError> {
        Ok(Box::new(Asker { ops: self.ops, serve: Arc::clone(&self.serve) }))
    }
}

#[async_trait]
impl ScriptClient for Asker {
    async fn iterate(&mut self, context: &mut ClientContext) -> Result<(), Stopped> {
        let drawn = context.random().random::<u64>() >> 16;
        for op in 0..self.ops {
            let answer = (self.serve)(drawn);
            let work = async {
                answer.await;
                Ok(((), Measured { bytes_out: Some(drawn), ..Measured::default() }))
            };
            context.op(OpId(op), work).await?;
        }
        Ok(())
    }
}

/// What a worker has handed over.
pub(crate) struct Outcome {
    /// Ordered by when they were due.
    pub(crate) samples: Vec<Sample>,
    pub(crate) report: ShareReport,
    /// The latencies of the successes, merged from all batches.
    pub(crate) latencies: LatencyHistogram,
    /// How long the share ran.
    pub(crate) took: Duration,
}

impl Outcome {
    /// Returns the latencies of all samples with this outcome, ascending, in nanoseconds.
    pub(crate) fn latencies_of(&self, outcome: e3_model::Outcome) -> Vec<u64> {
        let samples = self.samples.iter().filter(|sample| sample.outcome == outcome);
        let mut latencies: Vec<u64> = samples.map(Sample::latency_ns).collect();
        latencies.sort_unstable();
        latencies
    }
}

/// Returns a plan of one worker and one job, `web.Ask`, in the closed model.
pub(crate) fn closed(clients: u32, seconds: u64) -> StagePlan {
    StagePlan {
        arrivals: None,
        transport: Transport::default(),
        duration: Span::from_secs(seconds),
        operations: None,
        warm_up: Span::ZERO,
        grace: Span::from_secs(2),
        think_time: Distribution::NONE,
        mix: Mix::Ops,
        workload: "test".into(),
        jobs: vec![job("web.Ask", 1, 1.0)],
        clients: (0..clients)
            .map(|client| ClientPlan {
                client: ClientId(client),
                worker: WorkerId(0),
                job: None,
                seed: Seed(1).fork(u64::from(client)),
                start_offset: Span::ZERO,
            })
            .collect(),
        faults: Vec::new(),
        search: None,
    }
}

/// Returns the same in the open model, at a rate per second.
pub(crate) fn open(arrival: Arrival, rate: f64, clients: u32, seconds: u64) -> StagePlan {
    let arrivals = ArrivalPlan { arrival, from: rate, to: rate, ramp: Span::ZERO, seed: Seed(99) };
    StagePlan { arrivals: Some(arrivals), ..closed(clients, seconds) }
}

/// Returns a job whose script records so many ops an iteration.
pub(crate) fn job(script: &str, ops: u16, weight: f64) -> JobPlan {
    let op = |op| OpDescriptor { name: format!("Ask{op}"), summary: "one request".into() };
    JobPlan {
        script: script.into(),
        ops: (0..ops).map(op).collect(),
        weight,
        scale: 1.0,
        clients: 0,
        arguments: Arguments::new(),
    }
}

/// Runs all of a plan whose scripts are `web.Ask`, and `web.Twice` with two ops.
pub(crate) async fn perform(plan: &StagePlan, serve: &Serve) -> Outcome {
    perform_share(plan, WorkerId(0), serve, None).await
}

/// Runs what of a plan falls to one worker, and stops it after a time if one is given.
pub(crate) async fn perform_share(
    plan: &StagePlan,
    worker: WorkerId,
    serve: &Serve,
    stop_after: Option<Duration>,
) -> Outcome {
    let script = |name, ops| Arc::new(Asking { name, ops, serve: Arc::clone(serve) });
    let catalogue = Catalogue::new(vec![script("web.Ask", 1), script("web.Twice", 2)]);
    let clients: Vec<_> = plan.clients.iter().filter(|client| client.worker == worker).cloned().collect();
    let plan = Arc::new(plan.clone());
    let share = Share::new(Arc::clone(&plan), &clients, &setting(), &catalogue).unwrap();
    let (batches, received) = mpsc::channel(64);
    let keeping = tokio::spawn(keep(received, Names::of(&plan)));
    let (origin, stop) = (Instant::now(), CancellationToken::new());
    if let Some(after) = stop_after {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            stop.cancel();
        });
    }
    let report = run(share, origin, stop, batches).await.unwrap();
    let took = origin.elapsed();
    let (mut samples, latencies) = keeping.await.unwrap();
    assert_eq!((samples.len() as u64, report.honesty.lost_samples), (report.samples, 0));
    samples.sort_by_key(|sample| (sample.scheduled_ns, sample.iteration, sample.op));
    Outcome { samples, report, latencies, took }
}

async fn keep(mut received: mpsc::Receiver<Batch>, names: Names) -> (Vec<Sample>, LatencyHistogram) {
    let directory = tempfile::tempdir().unwrap();
    let mut latencies = LatencyHistogram::default();
    while let Some(batch) = received.recv().await {
        e3_samples::append_segment(directory.path(), WorkerId(0), batch.sequence, &batch.segment).unwrap();
        latencies.merge(&batch.latencies);
    }
    (e3_samples::read(directory.path(), &names).unwrap(), latencies)
}

fn setting() -> Arc<Setting> {
    let admin = Account { name: "admin".into(), password: Secret::new("x"), private_key: None };
    Arc::new(Setting::at("http://127.0.0.1:1", admin))
}
