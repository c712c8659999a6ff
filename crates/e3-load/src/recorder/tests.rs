//! The recorder, fed by hand.

use e3_model::{
    CacheState, ClientId, Distribution, JobId, JobPlan, Mix, OpDescriptor, OpId, Seed, Span, StagePlan,
};
use e3_workload::{ClientContext, Failure, Load, Measured, SampleSink, Seat, sample_channel};
use tokio_util::sync::CancellationToken;

use super::*;

fn names() -> Names {
    let ops = vec![OpDescriptor { name: "Wait".into(), summary: "one wait".into() }];
    let arguments = e3_model::Arguments::new();
    let job = JobPlan { script: "web.Wait".into(), ops, weight: 1.0, scale: 1.0, clients: 0, arguments };
    Names::of(&StagePlan {
        arrivals: None,
        transport: e3_model::Transport::default(),
        duration: Span::from_secs(10),
        operations: None,
        warm_up: Span::ZERO,
        grace: Span::from_secs(2),
        think_time: Distribution::NONE,
        mix: Mix::Ops,
        workload: "test".into(),
        jobs: vec![job],
        clients: vec![],
        faults: Vec::new(),
        search: None,
    })
}

/// Returns a client that records into the sink until it is dropped.
fn client(samples: SampleSink) -> ClientContext {
    let seat = Seat { client: ClientId(0), seed: Seed(1), op_timeout: Duration::from_secs(9), samples };
    let mut context = ClientContext::new(seat, JobId(0), Vec::<OpDescriptor>::new(), 0);
    let origin = Instant::now();
    let end = origin + Duration::from_secs(1_000);
    context.begin_stage(Load { origin, end, stop: CancellationToken::new() });
    context
}

async fn perform(context: &mut ClientContext, ops: u32, takes: Duration, outcome: Outcome) {
    for _ in 0..ops {
        let work = async {
            tokio::time::sleep(takes).await;
            match outcome {
                Outcome::Ok => Ok(((), Measured::default())),
                failed => Err(Failure::new(failed, "as it was told to")),
            }
        };
        let _ = context.op(OpId(0), work).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_comes_twice_a_second_and_says_what_it_holds() {
    let (sink, source) = sample_channel(100);
    let (batches, mut received) = mpsc::channel(8);
    let recorder = tokio::spawn(Recorder::new(names(), batches).run(source));
    let mut context = client(sink);
    let begun = Instant::now();
    perform(&mut context, 3, Duration::from_millis(40), Outcome::Ok).await;
    perform(&mut context, 2, Duration::from_millis(100), Outcome::Http5xx).await;
    let first = received.recv().await.unwrap();
    assert_eq!(begun.elapsed(), INTERVAL, "no later than that");
    assert_eq!((first.sequence, first.samples, first.ok, first.errors), (0, 5, 3, 2));
    assert_eq!((first.max_latency_ns, first.latencies.count()), (40_000_000, 3), "successes alone");
    perform(&mut context, 1, Duration::from_millis(1), Outcome::Ok).await;
    drop(context);
    let last = received.recv().await.unwrap();
    assert_eq!((last.sequence, last.samples), (1, 1));
    assert_eq!(begun.elapsed(), INTERVAL + Duration::from_millis(1), "the end waits for no tick");
    assert!(received.recv().await.is_none());
    assert_eq!(recorder.await.unwrap().unwrap(), Recorded { delivered: 6, undelivered: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_full_block_is_handed_on_at_once() {
    let (sink, source) = sample_channel(4);
    let (batches, mut received) = mpsc::channel(8);
    let recorder = tokio::spawn(Recorder::new(names(), batches).run(source));
    let mut context = client(sink);
    let begun = Instant::now();
    perform(&mut context, 4, Duration::from_millis(1), Outcome::Ok).await;
    assert_eq!(received.recv().await.map(|batch| batch.samples), Some(4));
    assert_eq!(begun.elapsed(), Duration::from_millis(4));
    drop(context);
    assert_eq!(recorder.await.unwrap().unwrap(), Recorded { delivered: 4, undelivered: 0 });
}

#[tokio::test(start_paused = true)]
async fn clients_never_wait_for_a_batch_that_nobody_takes_and_every_sample_is_accounted_for() {
    let (sink, source) = sample_channel(4);
    let (batches, mut received) = mpsc::channel(1);
    let recorder = tokio::spawn(Recorder::new(names(), batches).run(source));
    let mut context = client(sink.clone());
    let begun = Instant::now();
    perform(&mut context, 1_000, Duration::from_millis(1), Outcome::Ok).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "as long as the ops take, and no longer");
    let lost = sink.lost();
    drop((context, sink));
    let mut kept = 0;
    while let Some(batch) = received.recv().await {
        kept += batch.samples;
    }
    assert!(lost > 0 && kept + lost == 1_000, "{kept} kept, {lost} lost");
    assert_eq!(recorder.await.unwrap().unwrap(), Recorded { delivered: kept, undelivered: 0 });
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_any_more_counts_as_undelivered() {
    let (sink, source) = sample_channel(100);
    let (batches, received) = mpsc::channel(1);
    drop(received);
    let recorder = tokio::spawn(Recorder::new(names(), batches).run(source));
    let mut context = client(sink);
    perform(&mut context, 3, Duration::from_millis(1), Outcome::Ok).await;
    drop(context);
    assert_eq!(recorder.await.unwrap().unwrap(), Recorded { delivered: 0, undelivered: 3 });
}

#[tokio::test]
async fn a_sample_of_a_job_that_the_stage_lacks_is_an_error() {
    let (sink, source) = sample_channel(100);
    let (batches, _received) = mpsc::channel(1);
    let recorder = tokio::spawn(Recorder::new(names(), batches).run(source));
    let mut context = client(sink);
    let _ = context
        .op(OpId(7), async { Ok(((), Measured { cache: CacheState::Hit, ..Measured::default() })) })
        .await;
    drop(context);
    assert!(matches!(recorder.await.unwrap(), Err(LoadError::Encode(_))));
}
