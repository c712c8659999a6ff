//! A worker: takes shares from the bus, runs them, and hands their samples on.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e3_load::{Batch, LoadError, Share, ShareReport};
use e3_model::{StageRef, with_causes};
use e3_workload::Catalogue;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{Assignment, BusError, ToCoordinator, ToWorker, WorkerPort};

/// Serves the coordinator until it says to leave or is gone.
///
/// # Errors
/// When the bus breaks while the coordinator still counts on this worker.
pub async fn serve(mut port: Box<dyn WorkerPort>, catalogue: Catalogue) -> Result<(), BusError> {
    port.send(ToCoordinator::Registered).await?;
    let mut worker = Worker { catalogue, state: State::Idle };
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let happening = tokio::select! {
            message = port.receive() => Happening::Message(message),
            happening = worker.state.next() => happening,
            _ = heartbeat.tick() => Happening::Heartbeat,
        };
        let answer = match happening {
            Happening::Message(None | Some(ToWorker::Leave)) => return Ok(()),
            Happening::Message(Some(message)) => worker.obey(message),
            Happening::Batch(stage, batch) => Some(ToCoordinator::Samples { stage, batch }),
            Happening::Ended(stage, Ok(report)) => Some(ToCoordinator::Finished { stage, report }),
            Happening::Ended(stage, Err(error)) => {
                Some(ToCoordinator::Failed { stage, reason: with_causes(&error) })
            }
            Happening::Heartbeat => Some(ToCoordinator::Heartbeat),
        };
        if let Some(answer) = answer {
            port.send(answer).await?;
        }
    }
}

struct Worker {
    catalogue: Catalogue,
    state: State,
}

/// What a worker is doing.
enum State {
    Idle,
    Ready { stage: StageRef, share: Box<Share> },
    Running(Box<Running>),
}

/// A share under way.
struct Running {
    stage: StageRef,
    stop: CancellationToken,
    batches: mpsc::Receiver<Batch>,
    /// Batches that the coordinator has not committed yet.
    uncommitted: BTreeSet<u64>,
    task: JoinHandle<Result<ShareReport, LoadError>>,
    drained: bool,
}

enum Happening {
    Message(Option<ToWorker>),
    Batch(StageRef, Batch),
    Ended(StageRef, Result<ShareReport, LoadError>),
    Heartbeat,
}

impl Worker {
    fn obey(&mut self, message: ToWorker) -> Option<ToCoordinator> {
        match message {
            ToWorker::Assign(assignment) => Some(self.assign(assignment)),
            ToWorker::Start { stage, at_unix_ns } => self.start(stage, at_unix_ns),
            ToWorker::Committed { stage, sequence } => {
                if let State::Running(running) = &mut self.state
                    && running.stage == stage
                {
                    running.uncommitted.remove(&sequence);
                }
                None
            }
            ToWorker::Stop { stage } => {
                match &self.state {
                    State::Running(running) if running.stage == stage => running.stop.cancel(),
                    State::Ready { stage: ready, .. } if *ready == stage => self.state = State::Idle,
                    _ => {}
                }
                None
            }
            ToWorker::Leave => None,
        }
    }

    fn assign(&mut self, assignment: Assignment) -> ToCoordinator {
        let Assignment { stage, plan, clients, setting } = assignment;
        if let State::Running(_) = &self.state {
            return ToCoordinator::Refused { stage, reason: "another share is still under way".to_owned() };
        }
        match Share::new(plan, &clients, &setting, &self.catalogue) {
            Ok(share) => {
                self.state = State::Ready { stage, share: Box::new(share) };
                ToCoordinator::Ready { stage }
            }
            Err(error) => ToCoordinator::Refused { stage, reason: with_causes(&error) },
        }
    }

    fn start(&mut self, stage: StageRef, at_unix_ns: u64) -> Option<ToCoordinator> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Ready { stage: ready, share } if ready == stage => {
                let origin = match instant_of(at_unix_ns) {
                    Ok(origin) => origin,
                    Err(reason) => return Some(ToCoordinator::Failed { stage, reason }),
                };
                let (sender, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
                let stop = CancellationToken::new();
                let task = tokio::spawn(e3_load::run(*share, origin, stop.clone(), sender));
                let uncommitted = BTreeSet::new();
                let running = Running { stage, stop, batches, uncommitted, task, drained: false };
                self.state = State::Running(Box::new(running));
                None
            }
            other => {
                self.state = other;
                Some(ToCoordinator::Refused { stage, reason: "the share was never assigned".to_owned() })
            }
        }
    }
}

impl State {
    /// Returns the next thing that the share under way does; never, when there is none.
    ///
    /// # Cancellation
    /// Nothing is lost when the future is dropped.
    async fn next(&mut self) -> Happening {
        let Self::Running(running) = self else { return std::future::pending().await };
        if !running.drained {
            if let Some(batch) = running.batches.recv().await {
                running.uncommitted.insert(batch.sequence);
                return Happening::Batch(running.stage, batch);
            }
            running.drained = true;
        }
        if !running.uncommitted.is_empty() {
            // The commits arrive as messages; only then is the share over.
            return std::future::pending().await;
        }
        let stage = running.stage;
        let ended = (&mut running.task).await.map_err(LoadError::Task).and_then(|report| report);
        *self = Self::Idle;
        Happening::Ended(stage, ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns the monotonic instant of a wall-clock time, also when it is just past: samples count from the common start,
/// and a worker that begins late shows so. A time far off means that a clock was set, and is refused.
fn instant_of(at_unix_ns: u64) -> Result<Instant, String> {
    let (at, monotonic) = (Duration::from_nanos(at_unix_ns), Instant::now());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (ahead, late) = (at.saturating_sub(now), now.saturating_sub(at));
    if ahead.max(late) > START_TOLERANCE {
        let (seconds, side) = if late.is_zero() { (ahead, "ahead") } else { (late, "past") };
        return Err(format!(
            "the start lay {:.1} s {side} by this worker's clock, which allows {} s",
            seconds.as_secs_f64(),
            START_TOLERANCE.as_secs()
        ));
    }
    monotonic
        .checked_sub(late)
        .map(|origin| origin + ahead)
        .ok_or_else(|| "the start lay before the boot".to_owned())
}

/// How far the start may lie from now by the worker's clock.
const START_TOLERANCE: Duration = Duration::from_secs(5);
/// How often a worker says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How many batches may wait for the bus: four seconds.
const BATCHES_IN_FLIGHT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn unix_ns(ahead_ms: i64) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(i128::try_from(now.as_nanos()).unwrap() + i128::from(ahead_ms) * 1_000_000).unwrap()
    }

    #[test]
    fn a_start_that_is_just_past_stays_the_origin() {
        let origin = instant_of(unix_ns(-300)).unwrap();
        let past = origin.elapsed();
        assert!((300..2_000).contains(&past.as_millis()), "{past:?}");
        let ahead = instant_of(unix_ns(4_000)).unwrap().saturating_duration_since(Instant::now());
        assert!((2_000..=4_000).contains(&ahead.as_millis()), "{ahead:?}");
    }

    #[test]
    fn a_start_far_off_is_refused() {
        assert!(instant_of(unix_ns(-3_600_000)).unwrap_err().contains("s past"));
        assert!(instant_of(unix_ns(3_600_000)).unwrap_err().contains("s ahead"));
    }
}
