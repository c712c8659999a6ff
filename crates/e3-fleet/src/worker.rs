//! A worker: takes shares from the bus, runs them, and hands their samples on.

use std::collections::BTreeSet;
use std::sync::Arc;
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
        match Share::new(plan, clients, Arc::clone(&setting), &self.catalogue) {
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
                let (sender, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
                let stop = CancellationToken::new();
                let origin = instant_of(at_unix_ns);
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

/// Returns the monotonic instant of a wall-clock time; now, when it is past.
fn instant_of(at_unix_ns: u64) -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::now() + Duration::from_nanos(at_unix_ns).saturating_sub(since)
}

/// How often a worker says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How many batches may wait for the bus: four seconds.
const BATCHES_IN_FLIGHT: usize = 8;
