//! A client's context: its clock, its draws, its samples.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use e3_model::{Arguments, CacheState, ClientId, JobId, OpDescriptor, OpId, Outcome, Sample, Seed};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio_util::sync::CancellationToken;

use crate::op::{OpUnderWay, since};
use crate::op_timer::OpTimer;
use crate::{Failure, Instant, Measured, OpBudget, SampleSink, Stopped};

/// Where a client sits: what is fixed for it through the stage.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The client.
    pub client: ClientId,
    /// The seed of its draws.
    pub seed: Seed,
    /// How long one op may take.
    pub op_timeout: Duration,
    /// Where samples go.
    pub samples: SampleSink,
}

impl Seat {
    /// Records the first op of an arrival that no client began before the stage ended: due then, cut off at the end.
    ///
    /// Both times are nanoseconds since the stage's start.
    pub fn record_unstarted(&self, job: JobId, arrival: u64, (due_ns, end_ns): (u64, u64)) {
        let due = self.sample((job, OpId(0)), iteration_of(arrival), due_ns, end_ns);
        self.samples.record(Sample { outcome: Outcome::Cancelled, ..due });
    }

    /// Returns the sample of an op that has just started, of which nothing is measured yet.
    fn sample(&self, (job, op): (JobId, OpId), iteration: u32, scheduled_ns: u64, started_ns: u64) -> Sample {
        Sample {
            scheduled_ns: scheduled_ns.min(started_ns),
            started_ns,
            first_byte_ns: None,
            ended_ns: started_ns,
            bytes_in: None,
            bytes_out: None,
            client: self.client.0,
            job: job.0,
            op: op.0,
            iteration,
            outcome: Outcome::Ok,
            cache: CacheState::Unknown,
            phases: None,
        }
    }
}

/// When a stage has its load.
#[derive(Debug, Clone)]
pub struct Load {
    /// The stage's start, from which samples count.
    pub origin: Instant,
    /// When no further op begins.
    pub end: Instant,
    /// Ends the stage early: no further op begins.
    pub stop: CancellationToken,
}

/// What a script's client has in hand while it iterates.
pub struct ClientContext {
    seat: Seat,
    load: Load,
    /// The seed of the draws for this job; each iteration forks its own.
    seed: Seed,
    random: ChaCha8Rng,
    job: JobId,
    ops: Arc<[OpDescriptor]>,
    iteration: u32,
    due: Option<Instant>,
    /// Whether this iteration has begun an op.
    has_begun: bool,
    arguments: Arc<Arguments>,
    /// How many more ops may begin, over all clients of the share; none when only time ends the stage.
    budget: Option<Arc<OpBudget>>,
    timer: OpTimer,
    /// Until when it need not be asked again whether the stage was stopped.
    goes_on_until: Option<Instant>,
}

impl ClientContext {
    /// Returns the context of one client for one of its jobs; `lane` keeps the draws of its jobs apart. No op begins
    /// before [`ClientContext::begin_stage`].
    pub fn new(seat: Seat, job: JobId, ops: impl Into<Arc<[OpDescriptor]>>, lane: u64) -> Self {
        let seed = seat.seed.fork(lane);
        let now = Instant::now();
        let load = Load { origin: now, end: now, stop: CancellationToken::new() };
        let random = ChaCha8Rng::seed_from_u64(seed.0);
        let (ops, arguments) = (ops.into(), Arc::default());
        let (iteration, due, has_begun, budget) = (0, None, false, None);
        let (timer, goes_on_until) = (OpTimer::default(), None);
        Self {
            seat,
            load,
            seed,
            random,
            job,
            ops,
            iteration,
            due,
            has_begun,
            arguments,
            budget,
            timer,
            goes_on_until,
        }
    }

    /// Sets what the job tells its script.
    #[must_use]
    pub fn with_arguments(mut self, arguments: Arc<Arguments>) -> Self {
        self.arguments = arguments;
        self
    }

    /// Lets ops take no longer than that, from now on; a longer time than the seat's has no effect.
    pub fn shorten_op_timeout(&mut self, op_timeout: Duration) {
        self.seat.op_timeout = self.seat.op_timeout.min(op_timeout);
    }

    /// Sets when ops may begin and from when samples count.
    pub fn begin_stage(&mut self, load: Load) {
        self.load = load;
        self.goes_on_until = None;
    }

    /// Lets ops begin only as long as the budget has any left; each takes one when it begins.
    pub fn limit_ops(&mut self, budget: Arc<OpBudget>) {
        self.budget = Some(budget);
    }

    /// Sets which iteration of its client comes next, and in the open model when it was due.
    ///
    /// The iteration's draws depend on nothing but its seed and number: one that fails half-way shifts no later draw.
    pub fn begin_iteration(&mut self, iteration: u32, due: Option<Instant>) {
        self.random = ChaCha8Rng::seed_from_u64(self.seed.fork(u64::from(iteration)).0);
        self.iteration = iteration;
        self.due = due;
        self.has_begun = false;
    }

    /// Sets that the iteration of an arrival of the open model comes next, and when it was due.
    ///
    /// Its draws follow from the arrival's own seed, whichever client serves it. Its number is the arrival's position in
    /// the whole schedule, modulo 2^32.
    pub fn begin_arrival(&mut self, arrival: u64, seed: Seed, due: Instant) {
        self.random = ChaCha8Rng::seed_from_u64(seed.0);
        self.iteration = iteration_of(arrival);
        self.due = Some(due);
        self.has_begun = false;
    }

    /// Returns whether this iteration is an arrival of the open model whose first op has not begun.
    pub fn is_arrival(&self) -> bool {
        self.due.is_some()
    }

    /// Returns the stage's start, the same for all clients of a worker.
    pub fn stage_start(&self) -> Instant {
        self.load.origin
    }

    /// Waits outside the clock until an op is due, and has the next one count from then; one that is overdue counts from
    /// when it was due.
    ///
    /// # Errors
    /// When the stage is over by then, or ends first.
    pub async fn until_due(&mut self, due: Instant) -> Result<(), Stopped> {
        if due >= self.load.end {
            tokio::select! {
                () = tokio::time::sleep_until(self.load.end) => {}
                () = self.load.stop.cancelled() => {}
            }
            return Err(Stopped::StageOver);
        }
        if due > Instant::now() {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                () = self.load.stop.cancelled() => return Err(Stopped::StageOver),
            }
        }
        self.due = Some(due);
        Ok(())
    }

    /// Records an op that was due before the stage's end but not begun by then, as cut off at the end; returns whether it
    /// did, which it does not while the stage goes on, nor when its ops are used up.
    pub fn record_overdue(&mut self, op: OpId, due: Instant) -> bool {
        let end = self.load.end;
        if due >= end || Instant::now() < end || self.budget.as_ref().is_some_and(|budget| !budget.take()) {
            return false;
        }
        let (due_ns, end_ns) = (since(self.load.origin, due), since(self.load.origin, end));
        let sample = self.seat.sample((self.job, op), self.iteration, due_ns, end_ns);
        self.seat.samples.record(Sample { outcome: Outcome::Cancelled, ..sample });
        true
    }

    /// Returns whether this iteration has begun an op.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Records this iteration's arrival as one that no client began before the stage ended at that time; returns
    /// whether it did, which it does not when the stage's ops are used up.
    pub fn record_unstarted(&mut self, arrival: u64, end: Instant) -> bool {
        if self.budget.as_ref().is_some_and(|budget| !budget.take()) {
            return false;
        }
        let end_ns = since(self.load.origin, end);
        let due_ns = self.due.take().map_or(end_ns, |due| since(self.load.origin, due));
        self.seat.record_unstarted(self.job, arrival, (due_ns, end_ns));
        true
    }

    /// Returns the iteration's own generator, before the first iteration the client's: same seed, same draws.
    pub fn random(&mut self) -> &mut ChaCha8Rng {
        &mut self.random
    }

    /// Returns the client's position in its stage.
    pub fn client(&self) -> ClientId {
        self.seat.client
    }

    /// Returns which iteration of its client this is, from 0; in the open model, which arrival of the stage.
    pub fn iteration(&self) -> u32 {
        self.iteration
    }

    /// Returns what the job tells its script.
    pub fn arguments(&self) -> &Arc<Arguments> {
        &self.arguments
    }

    /// Performs one op: reads the clock, awaits the work, and records one sample, whatever happens.
    ///
    /// # Errors
    /// When the work failed or took longer than an op may, or when the stage was over or its ops were used up before the op
    /// began; only then no sample is recorded.
    ///
    /// # Cancellation
    /// When the future is dropped, the op is recorded as cancelled.
    pub async fn op<T, W>(&mut self, op: OpId, work: W) -> Result<T, Stopped>
    where
        W: Future<Output = Result<(T, Measured), Failure>>,
    {
        let started = Instant::now();
        if !self.goes_on(started) {
            return Err(Stopped::StageOver);
        }
        if self.budget.as_ref().is_some_and(|budget| !budget.take()) {
            return Err(Stopped::StageOver);
        }
        let started_ns = since(self.load.origin, started);
        let scheduled_ns = self.due.take().map_or(started_ns, |due| since(self.load.origin, due));
        self.has_begun = true;
        let sample = self.seat.sample((self.job, op), self.iteration, scheduled_ns, started_ns);
        let under_way = OpUnderWay::begin(sample, self.load.origin, &self.seat.samples);
        let failure = match self.timer.limit(started + self.seat.op_timeout.min(FOR_EVER), work).await {
            Some(Ok((value, measured))) => {
                under_way.finish(Outcome::Ok, &measured);
                return Ok(value);
            }
            Some(Err(failure)) => failure,
            None => Failure::new(
                Outcome::Timeout,
                format!("no end after {} s", self.seat.op_timeout.as_secs_f64()),
            ),
        };
        under_way.finish(failure.outcome, &failure.measured);
        let op = self.ops.get(op.index()).map_or_else(|| format!("op {}", op.0), |op| op.name.clone());
        Err(Stopped::Failed { op, outcome: failure.outcome, message: failure.message })
    }

    /// Returns whether an op may begin now.
    ///
    /// Whether the stage was stopped is asked once a millisecond: all clients share the lock that this takes, and nobody
    /// stops a stage to the millisecond.
    fn goes_on(&mut self, now: Instant) -> bool {
        if now >= self.load.end {
            return false;
        }
        if self.goes_on_until.is_none_or(|until| now >= until) {
            if self.load.stop.is_cancelled() {
                return false;
            }
            self.goes_on_until = Some(now + Duration::from_millis(1));
        }
        true
    }

    /// Waits outside the clock, as a person between two clicks would.
    ///
    /// # Errors
    /// When the stage ended first.
    pub async fn pause(&self, span: Duration) -> Result<(), Stopped> {
        let until = Instant::now() + span;
        tokio::select! {
            () = tokio::time::sleep_until(until.min(self.load.end)) => {}
            () = self.load.stop.cancelled() => return Err(Stopped::StageOver),
        }
        if until >= self.load.end { Err(Stopped::StageOver) } else { Ok(()) }
    }
}

/// Returns the low half of an arrival's number, which is what a sample has room for.
fn iteration_of(arrival: u64) -> u32 {
    u32::try_from(arrival & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// Longer than any stage, and not too long for the clock.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::sample_channel;

    fn context(end_ms: u64) -> (ClientContext, crate::SampleSource) {
        let (samples, receiver) = sample_channel(8);
        let origin = Instant::now();
        let seat =
            Seat { client: ClientId(3), seed: Seed(1), op_timeout: Duration::from_millis(500), samples };
        let ops = vec![OpDescriptor { name: "Op".into(), summary: "an op".into() }];
        let mut context = ClientContext::new(seat, JobId(0), ops, 0);
        let end = origin + Duration::from_millis(end_ms);
        context.begin_stage(Load { origin, end, stop: CancellationToken::new() });
        (context, receiver)
    }

    async fn work(milliseconds: u64, answer: Result<(), Failure>) -> Result<((), Measured), Failure> {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        answer.map(|()| ((), Measured { bytes_in: Some(7), ..Measured::default() }))
    }

    #[tokio::test(start_paused = true)]
    async fn success_failure_and_timeout_are_each_one_sample() {
        let (mut context, mut samples) = context(10_000);
        assert_eq!(context.op(OpId(0), work(100, Ok(()))).await, Ok(()));
        let failure = Failure::new(Outcome::Http5xx, "status 500");
        assert!(context.op(OpId(0), work(50, Err(failure))).await.is_err());
        assert!(matches!(
            context.op(OpId(0), work(600, Ok(()))).await,
            Err(Stopped::Failed { outcome: Outcome::Timeout, .. })
        ));
        let recorded: Vec<_> = std::iter::from_fn(|| samples.try_recv().ok()).collect();
        let view: Vec<_> =
            recorded.iter().map(|s| (s.outcome, s.latency_ns() / 1_000_000, s.bytes_in)).collect();
        assert_eq!(
            view,
            [(Outcome::Ok, 100, Some(7)), (Outcome::Http5xx, 50, None), (Outcome::Timeout, 500, None)]
        );
        assert_eq!(recorded[0].client, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_op_is_recorded_as_cancelled() {
        let (mut context, mut samples) = context(10_000);
        let cut =
            tokio::time::timeout(Duration::from_millis(30), context.op(OpId(0), work(400, Ok(())))).await;
        assert!(cut.is_err());
        let sample = samples.try_recv().unwrap();
        assert_eq!((sample.outcome, sample.latency_ns()), (Outcome::Cancelled, 30_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn no_op_begins_after_the_stage() {
        let (mut context, mut samples) = context(100);
        assert_eq!(context.pause(Duration::from_millis(200)).await, Err(Stopped::StageOver));
        assert_eq!(context.op(OpId(0), work(1, Ok(()))).await, Err(Stopped::StageOver));
        assert!(samples.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_iteration_draws_the_same_whatever_came_before() {
        let ((mut whole, _first), (mut broken, _second)) = (context(100), context(100));
        for context in [&mut whole, &mut broken] {
            context.begin_iteration(0, None);
        }
        // One client's first iteration draws, the other's fails before it can.
        let _: u64 = whole.random().random();
        for context in [&mut whole, &mut broken] {
            context.begin_iteration(1, None);
        }
        let drawn: u64 = whole.random().random();
        assert_eq!(drawn, broken.random().random::<u64>());
        whole.begin_iteration(2, None);
        assert_ne!(drawn, whole.random().random::<u64>());
    }

    #[tokio::test(start_paused = true)]
    async fn latency_counts_from_the_scheduled_start() {
        let (mut context, mut samples) = context(10_000);
        context.begin_iteration(4, Some(Instant::now()));
        tokio::time::sleep(Duration::from_millis(70)).await;
        assert!(context.op(OpId(0), work(30, Ok(()))).await.is_ok());
        let sample = samples.try_recv().unwrap();
        assert_eq!((sample.latency_ns(), sample.iteration), (100_000_000, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn an_op_counts_from_when_it_is_due_and_may_turn_out_to_be_another() {
        let (mut context, mut samples) = context(1_000);
        let origin = context.stage_start();
        let at = |milliseconds| origin + Duration::from_millis(milliseconds);
        context.begin_iteration(0, None);
        assert!(!context.is_arrival());
        assert_eq!(context.until_due(at(100)).await, Ok(()));
        assert_eq!(Instant::now(), at(100), "it waits");
        let other = async {
            let done = work(250, Ok(())).await?;
            Ok(((), Measured { became: Some(OpId(7)), ..done.1 }))
        };
        assert!(context.op(OpId(0), other).await.is_ok());
        // Due while the first was under way.
        assert_eq!(context.until_due(at(200)).await, Ok(()));
        assert!(context.op(OpId(0), work(30, Ok(()))).await.is_ok());
        assert!(!context.record_overdue(OpId(0), at(210)), "the stage goes on");
        assert_eq!(context.until_due(at(1_000)).await, Err(Stopped::StageOver));
        assert_eq!(Instant::now(), at(1_000), "what comes after the end is not waited for");
        assert!(context.record_overdue(OpId(1), at(900)) && !context.record_overdue(OpId(1), at(1_000)));
        let recorded: Vec<_> = std::iter::from_fn(|| samples.try_recv().ok()).collect();
        let view: Vec<_> =
            recorded.iter().map(|it| (it.op, it.latency_ns() / 1_000_000, it.outcome)).collect();
        let ok = Outcome::Ok;
        assert_eq!(view, [(7, 250, ok), (0, 180, ok), (1, 100, Outcome::Cancelled)]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_first_op_of_an_arrival_counts_from_its_schedule() {
        let (mut context, mut samples) = context(10_000);
        context.begin_arrival((7 << 32) + 5, Seed(9), Instant::now());
        tokio::time::sleep(Duration::from_millis(70)).await;
        assert!(!context.has_begun());
        for _ in 0..2 {
            assert!(context.op(OpId(0), work(30, Ok(()))).await.is_ok());
        }
        assert!(context.has_begun());
        let recorded: Vec<_> = std::iter::from_fn(|| samples.try_recv().ok()).collect();
        let view: Vec<_> = recorded.iter().map(|it| (it.latency_ns() / 1_000_000, it.iteration)).collect();
        assert_eq!(view, [(100, 5), (30, 5)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_arrival_draws_the_same_whichever_client_serves_it() {
        let draws = |seat_seed: u64, served: u32| {
            let (mut context, _samples) = context(100);
            context.seat.seed = Seed(seat_seed);
            (0..served).for_each(|iteration| context.begin_iteration(iteration, None));
            context.begin_arrival(3, Seed(77), Instant::now());
            context.random().random::<u64>()
        };
        assert_eq!(draws(1, 0), draws(2, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn an_arrival_that_nobody_began_is_cut_off_at_the_end() {
        let (mut context, mut samples) = context(100);
        let due = Instant::now() + Duration::from_millis(40);
        context.begin_arrival(3, Seed(77), due);
        context.limit_ops(Arc::new(OpBudget::new(1, CancellationToken::new())));
        let end = due + Duration::from_millis(60);
        assert!(context.record_unstarted(3, end));
        assert!(!context.record_unstarted(4, end), "the stage's ops are used up");
        let sample = samples.try_recv().unwrap();
        let times = [sample.scheduled_ns, sample.started_ns, sample.ended_ns].map(|ns| ns / 1_000_000);
        assert_eq!((times, sample.outcome, sample.iteration), ([40, 100, 100], Outcome::Cancelled, 3));
        assert!(samples.try_recv().is_err());
    }
}
