//! One client of the closed model: the next iteration starts when the last has ended and been thought about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use e3_model::{ClientPlan, Distribution, JobId};
use e3_workload::{ClientContext, Instant, Script, ScriptClient, ScriptError, Seat, Setting, Stopped};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;

use crate::pacing::{JobDraw, think};

/// A job that a client may run, ready to make its script's client.
#[derive(Clone)]
pub(crate) struct JobRoom {
    pub(crate) script: Arc<dyn Script>,
    pub(crate) ops: Vec<e3_model::OpDescriptor>,
}

/// A failed op on its way to the log.
pub(crate) type Failed = (JobId, String, String);

/// One client with everything it needs.
pub(crate) struct Client {
    plan: ClientPlan,
    seat: Seat,
    draw: JobDraw,
    think_time: Distribution,
    /// The lanes of the client's own draws are apart from those of its jobs.
    random: ChaCha8Rng,
    jobs: BTreeMap<JobId, (ClientContext, Box<dyn ScriptClient>)>,
    failures: mpsc::Sender<Failed>,
}

impl Client {
    /// Prepares a client with one script client for each job it may run.
    pub(crate) fn prepare(
        plan: &ClientPlan,
        seat: Seat,
        rooms: &[JobRoom],
        setting: &Arc<Setting>,
        pacing: (&JobDraw, &Distribution),
        failures: mpsc::Sender<Failed>,
    ) -> Result<Self, (String, ScriptError)> {
        let random = ChaCha8Rng::seed_from_u64(seat.seed.fork(PACING_LANE).0);
        let mut jobs = BTreeMap::new();
        for (index, room) in rooms.iter().enumerate() {
            let job = JobId(u16::try_from(index).unwrap_or(u16::MAX));
            if plan.job.is_none_or(|kept| kept == job) {
                let lane = u64::from(job.0);
                let mut context = ClientContext::new(seat.clone(), job, room.ops.clone(), lane);
                let client = room
                    .script
                    .client(setting, &mut context)
                    .map_err(|error| (room.script.descriptor().name, error))?;
                jobs.insert(job, (context, client));
            }
        }
        let (draw, think_time) = (pacing.0.clone(), *pacing.1);
        Ok(Self { plan: plan.clone(), seat, draw, think_time, random, jobs, failures })
    }

    /// Iterates until the stage is over; returns how many iterations were begun.
    pub(crate) async fn run(mut self) -> u32 {
        let mut iteration = 0;
        let begin = self.seat.origin + self.plan.start_offset.to_duration();
        if !wait_until(&self.seat, begin).await {
            return iteration;
        }
        loop {
            let job = match self.plan.job {
                Some(kept) => kept,
                None => self.draw.draw(&mut self.random),
            };
            let Some((context, client)) = self.jobs.get_mut(&job) else { return iteration };
            context.begin_iteration(iteration, None);
            iteration = iteration.saturating_add(1);
            match client.iterate(context).await {
                Ok(()) => {}
                Err(Stopped::StageOver) => return iteration,
                Err(Stopped::Failed { op, outcome, message }) => {
                    // A full channel means that enough failures have been told already.
                    let _ = self.failures.try_send((job, op, format!("{}: {message}", outcome.name())));
                }
            }
            let mut pause = think(&self.think_time, &mut self.random);
            if pause.is_zero() {
                // A script that fails at once must not starve the runtime.
                pause = Duration::from_micros(1);
            }
            if !wait_until(&self.seat, Instant::now() + pause).await {
                return iteration;
            }
        }
    }
}

/// Waits; returns whether the stage still goes on then.
async fn wait_until(seat: &Seat, until: Instant) -> bool {
    tokio::select! {
        () = tokio::time::sleep_until(until.min(seat.end)) => {}
        () = seat.stop.cancelled() => return false,
    }
    until < seat.end
}

/// The lane of a client's pacing draws; jobs use the lanes from 0.
const PACING_LANE: u64 = 1 << 32;
