//! Everything that coordinator and workers say to each other.

use std::sync::Arc;

use e3_load::{Batch, ShareReport};
use e3_model::{ClientPlan, StagePlan, StageRef};
use e3_workload::Setting;

/// What the coordinator says to a worker.
#[derive(Debug, Clone)]
pub enum ToWorker {
    /// Prepare this share; answer [`ToCoordinator::Ready`] or [`ToCoordinator::Refused`].
    Assign(Assignment),
    /// Start the share you are ready for, at this wall-clock time.
    Start {
        /// The stage.
        stage: StageRef,
        /// Nanoseconds since the Unix epoch.
        at_unix_ns: u64,
    },
    /// The batch is on the coordinator's disk; forget it.
    Committed {
        /// The stage.
        stage: StageRef,
        /// The batch's position in its share.
        sequence: u64,
    },
    /// End the stage now; ops under way get their grace.
    Stop {
        /// The stage.
        stage: StageRef,
    },
    /// The run is over; leave.
    Leave,
}

/// What a worker says to the coordinator.
#[derive(Debug, Clone)]
pub enum ToCoordinator {
    /// I am here.
    Registered,
    /// I am still here; at least every two seconds.
    Heartbeat,
    /// My clients are prepared and wait for the start.
    Ready {
        /// The stage.
        stage: StageRef,
    },
    /// I cannot run this share.
    Refused {
        /// The stage.
        stage: StageRef,
        /// Why, with all causes.
        reason: String,
    },
    /// Samples; kept until [`ToWorker::Committed`].
    Samples {
        /// The stage.
        stage: StageRef,
        /// At most one second of them.
        batch: Batch,
    },
    /// My share is over and all its samples are committed.
    Finished {
        /// The stage.
        stage: StageRef,
        /// My word on it.
        report: ShareReport,
    },
    /// My share ended before its time.
    Failed {
        /// The stage.
        stage: StageRef,
        /// Why, with all causes.
        reason: String,
    },
}

/// A worker's share of a stage.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The stage.
    pub stage: StageRef,
    /// Its plan.
    pub plan: Arc<StagePlan>,
    /// The clients that this worker runs.
    pub clients: Vec<ClientPlan>,
    /// The system under test.
    pub setting: Arc<Setting>,
}
