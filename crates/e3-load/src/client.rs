//! One client of the closed model: the next iteration starts when the last has ended and been thought about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e3_model::{Arguments, ClientPlan, Distribution, JobId};
use e3_workload::{
    ClientContext, Instant, Load, OpBudget, Script, ScriptClient, ScriptError, Seat, Setting, Stopped,
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio_util::sync::CancellationToken;

use crate::failures::Failures;
use crate::pacing::{JobDraw, think};

/// A job that a client may run, ready to make its script's client.
#[derive(Clone)]
pub(crate) struct JobRoom {
    pub(crate) script: Arc<dyn Script>,
    pub(crate) ops: Vec<e3_model::OpDescriptor>,
    pub(crate) arguments: Arc<Arguments>,
}

/// Where a client tells what samples do not.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) failures: Arc<Failures>,
    /// Iterations that were begun, by all clients.
    pub(crate) iterations: Arc<AtomicU64>,
}

/// One client with everything it needs.
pub(crate) struct Client {
    plan: ClientPlan,
    draw: JobDraw,
    think_time: Distribution,
    /// The lanes of the client's own draws are apart from those of its jobs.
    random: ChaCha8Rng,
    jobs: BTreeMap<JobId, (ClientContext, Box<dyn ScriptClient>)>,
    told: Told,
}

impl Client {
    /// Prepares a client with one script client for each job it may run.
    pub(crate) fn prepare(
        plan: &ClientPlan,
        seat: &Seat,
        rooms: &[JobRoom],
        setting: &Arc<Setting>,
        pacing: (&JobDraw, &Distribution),
        told: Told,
    ) -> Result<Self, (String, ScriptError)> {
        let random = ChaCha8Rng::seed_from_u64(seat.seed.fork(PACING_LANE).0);
        let mut jobs = BTreeMap::new();
        for (index, room) in rooms.iter().enumerate() {
            let job = JobId(u16::try_from(index).unwrap_or(u16::MAX));
            if plan.job.is_none_or(|kept| kept == job) {
                let lane = u64::from(job.0);
                let mut context = ClientContext::new(seat.clone(), job, room.ops.clone(), lane)
                    .with_arguments(Arc::clone(&room.arguments));
                let client = room
                    .script
                    .client(setting, &mut context)
                    .map_err(|error| (room.script.descriptor().name, error))?;
                jobs.insert(job, (context, client));
            }
        }
        let (draw, think_time) = (pacing.0.clone(), *pacing.1);
        Ok(Self { plan: plan.clone(), draw, think_time, random, jobs, told })
    }

    /// Iterates until the stage is over, at most until it is cut, and then tidies up.
    pub(crate) async fn run(mut self, load: Load, budget: Option<Arc<OpBudget>>, cut: CancellationToken) {
        for (context, _) in self.jobs.values_mut() {
            context.begin_stage(load.clone());
            if let Some(budget) = &budget {
                context.limit_ops(Arc::clone(budget));
            }
        }
        // Dropping the iteration under way records its op as cancelled.
        let _ = cut.run_until_cancelled(self.iterate(load)).await;
        for (job, (_, client)) in &mut self.jobs {
            let left = match tokio::time::timeout(TIDYING, client.finish()).await {
                Ok(Ok(())) => continue,
                Ok(Err(left)) => left,
                Err(_) => format!("it took longer than {} s", TIDYING.as_secs()),
            };
            self.told.failures.tell(*job, "tidying up".to_owned(), "left behind", left);
        }
    }

    async fn iterate(&mut self, load: Load) {
        let mut iteration: u32 = 0;
        let begin = load.origin + self.plan.start_offset.to_duration();
        if !wait_until(&load, begin).await {
            return;
        }
        loop {
            let job = match self.plan.job {
                Some(kept) => kept,
                None => self.draw.draw(&mut self.random),
            };
            let Some((context, client)) = self.jobs.get_mut(&job) else { return };
            context.begin_iteration(iteration, None);
            iteration = iteration.saturating_add(1);
            self.told.iterations.fetch_add(1, Ordering::Relaxed);
            match client.iterate(context).await {
                Ok(()) => {}
                Err(Stopped::StageOver) => return,
                Err(Stopped::Failed { op, outcome, message }) => {
                    self.told.failures.tell(job, op, outcome.name(), message);
                }
            }
            let mut pause = think(&self.think_time, &mut self.random);
            if pause.is_zero() {
                // A script that fails at once must not starve the runtime.
                pause = Duration::from_micros(1);
            }
            if !wait_until(&load, Instant::now() + pause).await {
                return;
            }
        }
    }
}

/// Waits; returns whether the stage still goes on then.
async fn wait_until(load: &Load, until: Instant) -> bool {
    tokio::select! {
        () = tokio::time::sleep_until(until.min(load.end)) => {}
        () = load.stop.cancelled() => return false,
    }
    until < load.end
}

/// How long a script's client may take to tidy up.
pub(crate) const TIDYING: Duration = Duration::from_secs(20);
/// The lane of a client's pacing draws; jobs use the lanes from 0.
const PACING_LANE: u64 = 1 << 32;
