//! One client: what it needs, and the frame of its life; how its iterations are paced says the load model.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e3_model::{Arguments, ClientPlan, Distribution, JobId, OpDescriptor};
use e3_workload::{ClientContext, Load, OpBudget, Script, ScriptClient, ScriptError, Seat, Setting, Stopped};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::cut::Cut;
use crate::failures::Failures;
use crate::lag::LagMeter;
use crate::pacing::JobDraw;
use crate::pool::Pool;

mod closed;
mod open;

/// A job that a client may run, ready to make its script's client.
pub(crate) struct JobRoom {
    pub(crate) script: Arc<dyn Script>,
    pub(crate) ops: Arc<[OpDescriptor]>,
    pub(crate) arguments: Arc<Arguments>,
}

/// Where a client tells what samples do not.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) failures: Arc<Failures>,
    /// Iterations that were begun, by all clients; each adds its own when it is done.
    pub(crate) iterations: Arc<AtomicU64>,
}

/// What all clients of a share are prepared from.
pub(crate) struct Equipment<'a> {
    pub(crate) rooms: &'a [JobRoom],
    pub(crate) setting: &'a Arc<Setting>,
    pub(crate) draw: Arc<JobDraw>,
    pub(crate) think_time: Distribution,
    /// Whether arrivals bring their jobs, so that every client must be able to do every one.
    pub(crate) is_open: bool,
    pub(crate) told: Told,
}

/// What a client is told at the stage's start.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) load: Load,
    /// How many ops may begin; none when only time ends the stage.
    pub(crate) budget: Option<Arc<OpBudget>>,
    /// Where it is called from in the open model.
    pub(crate) pool: Option<Arc<Pool>>,
    pub(crate) lag: LagMeter,
    /// Cuts off what is under way.
    pub(crate) cut: Cut,
}

/// One client with everything it needs.
pub(crate) struct Client {
    start_offset: Duration,
    /// The job it keeps; none when it draws its jobs, or arrivals do.
    job: Option<JobId>,
    draw: Arc<JobDraw>,
    think_time: Distribution,
    /// The lanes of the client's own draws are apart from those of its jobs.
    random: ChaCha8Rng,
    /// One place for each job it may run, in their order.
    places: Box<[Place]>,
    told: Told,
    /// How many iterations it has begun.
    begun: u64,
}

/// A client's side of one of its jobs.
struct Place {
    job: JobId,
    context: ClientContext,
    client: Box<dyn ScriptClient>,
}

impl Client {
    /// Prepares a client with one script client for each job it may run.
    pub(crate) fn prepare(
        plan: &ClientPlan,
        seat: &Seat,
        equipment: &Equipment<'_>,
    ) -> Result<Self, (String, ScriptError)> {
        let kept = plan.job.filter(|_| !equipment.is_open);
        let jobs = (0..u16::MAX).map(JobId).zip(equipment.rooms);
        let jobs = jobs.filter(|(job, _)| kept.is_none_or(|kept| kept == *job));
        let places = jobs.map(|(job, room)| {
            let mut context = ClientContext::new(seat.clone(), job, Arc::clone(&room.ops), u64::from(job.0))
                .with_arguments(Arc::clone(&room.arguments));
            let client = room.script.client(equipment.setting, &mut context);
            let client = client.map_err(|error| (room.script.descriptor().name, error))?;
            Ok(Place { job, context, client })
        });
        Ok(Self {
            start_offset: plan.start_offset.to_duration(),
            job: kept,
            draw: Arc::clone(&equipment.draw),
            think_time: equipment.think_time,
            random: ChaCha8Rng::seed_from_u64(seat.seed.fork(PACING_LANE).0),
            places: places.collect::<Result<_, _>>()?,
            told: equipment.told.clone(),
            begun: 0,
        })
    }

    /// Iterates until the stage is over, at most until it is cut, and then tidies up; in the open model the client has
    /// this place in its pool.
    pub(crate) async fn run(mut self, start: Start, in_pool: u32) {
        for Place { context, .. } in &mut self.places {
            context.begin_stage(start.load.clone());
            if let Some(budget) = &start.budget {
                context.limit_ops(Arc::clone(budget));
            }
        }
        let Start { load, pool, lag, cut, .. } = start;
        // Dropping the iteration under way records its op as cancelled.
        let _ = match pool {
            None => cut.limit(self.iterate(&load, &lag)).await,
            Some(pool) => cut.limit(self.serve(in_pool, &pool, &load, &lag)).await,
        };
        self.told.iterations.fetch_add(self.begun, Ordering::Relaxed);
        self.tidy_up().await;
    }

    async fn tidy_up(mut self) {
        for Place { job, client, .. } in &mut self.places {
            let left = match tokio::time::timeout(TIDYING, client.finish()).await {
                Ok(Ok(())) => continue,
                Ok(Err(left)) => left,
                Err(_) => format!("it took longer than {} s", TIDYING.as_secs()),
            };
            self.told.failures.tell(*job, "tidying up".to_owned(), "left behind", left);
        }
    }

    /// Returns the place of a job; none for one that this client does not run.
    fn place(&mut self, job: JobId) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.job == job)
    }
}

impl Told {
    /// Tells what ended an iteration early; returns whether the client goes on.
    fn tell(&self, job: JobId, stopped: Stopped) -> bool {
        match stopped {
            Stopped::StageOver => false,
            Stopped::Failed { op, outcome, message } => {
                self.failures.tell(job, op, outcome.name(), message);
                true
            }
        }
    }
}

/// How long a script's client may take to tidy up.
pub(crate) const TIDYING: Duration = Duration::from_secs(20);
/// The lane of a client's pacing draws; jobs use the lanes from 0.
const PACING_LANE: u64 = 1 << 32;
