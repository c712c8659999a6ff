//! The two ends of a bus.

use std::fmt;

use async_trait::async_trait;
use e3_model::{ThreadId, WorkerId};

use crate::{BusError, ToCoordinator, ToWorker};

/// One worker of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerAddress {
    /// The thread.
    pub thread: ThreadId,
    /// The worker within it.
    pub worker: WorkerId,
}

/// The coordinator's end: reaches every worker, hears them all in one queue.
#[async_trait]
pub trait CoordinatorPort: Send {
    /// Sends to one worker.
    ///
    /// # Errors
    /// When the worker is not reachable any more.
    async fn send(&self, to: WorkerAddress, message: ToWorker) -> Result<(), BusError>;

    /// Returns the next message; none when no worker is left that could send one.
    ///
    /// # Cancellation
    /// No message is lost when the future is dropped.
    async fn receive(&mut self) -> Option<(WorkerAddress, ToCoordinator)>;
}

/// A worker's end.
#[async_trait]
pub trait WorkerPort: Send {
    /// Sends to the coordinator.
    ///
    /// # Errors
    /// When the coordinator is gone.
    async fn send(&self, message: ToCoordinator) -> Result<(), BusError>;

    /// Returns the next message; none when the coordinator is gone.
    ///
    /// # Cancellation
    /// No message is lost when the future is dropped.
    async fn receive(&mut self) -> Option<ToWorker>;
}

impl fmt::Display for WorkerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.thread, self.worker)
    }
}
