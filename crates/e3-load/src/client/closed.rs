//! The closed model: the next iteration starts when the last has ended and been thought about.

use std::time::Duration;

use e3_workload::{Instant, Load, Stopped};

use super::{Client, Place};
use crate::lag::LagMeter;
use crate::pacing::think;

impl Client {
    /// Iterates from its start to the stage's end.
    pub(super) async fn iterate(&mut self, load: &Load, lag: &LagMeter) {
        let mut iteration: u32 = 0;
        if !wait_until(load, load.origin + self.start_offset, lag).await {
            return;
        }
        loop {
            let job = match self.job {
                Some(kept) => kept,
                None => self.draw.draw(&mut self.random),
            };
            self.begun += 1;
            let Some(Place { context, client, .. }) = self.place(job) else { return };
            context.begin_iteration(iteration, None);
            iteration = iteration.saturating_add(1);
            let ended = client.iterate(context).await;
            let has_begun = context.has_begun();
            if ended == Err(Stopped::StageOver) && !has_begun {
                self.begun -= 1;
                return;
            }
            let worked = ended.is_ok() && has_begun;
            if let Err(stopped) = ended
                && !self.told.tell(job, stopped)
            {
                return;
            }
            let pause = think(&self.think_time, &mut self.random);
            if pause.is_zero() && worked {
                // The runtime's timer would add a millisecond to every iteration; the other tasks get their turn all
                // the same.
                tokio::task::coop::consume_budget().await;
            } else if !wait_until(load, Instant::now() + pause.max(BREATH), lag).await {
                return;
            }
        }
    }
}

/// Waits; returns whether the stage still goes on then.
async fn wait_until(load: &Load, until: Instant, lag: &LagMeter) -> bool {
    tokio::select! {
        () = tokio::time::sleep_until(until.min(load.end)) => {}
        () = load.stop.cancelled() => return false,
    }
    let goes_on = until < load.end;
    if goes_on {
        lag.note(Instant::now().saturating_duration_since(until));
    }
    goes_on
}

/// What a client waits at least after an iteration that failed or did nothing, by the runtime's timer up to a
/// millisecond: a system that refuses at once must not be flooded, nor the runtime starved.
const BREATH: Duration = Duration::from_micros(1);
