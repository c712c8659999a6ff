//! What ends a run before its time.

use e3_home::HomeError;
use e3_model::StageRef;
use e3_samples::SamplesError;

use crate::WorkerAddress;

/// Why a message could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus has no such worker.
    #[error("the bus knows no worker {worker}")]
    Unknown {
        /// The worker.
        worker: WorkerAddress,
    },
    /// The other end is gone.
    #[error("{peer} has left the bus")]
    Gone {
        /// Who.
        peer: String,
    },
}

/// What ends a run before its time.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The plan and what stands for it do not fit.
    #[error("the plan names {stage}, for which nothing was provisioned")]
    NoSuchStage {
        /// The stage.
        stage: StageRef,
    },
    /// A worker did not do what was waited for.
    #[error("{worker} was not {awaited} within {seconds} s")]
    Late {
        /// The worker.
        worker: WorkerAddress,
        /// What was waited for.
        awaited: &'static str,
        /// The bound.
        seconds: u64,
    },
    /// A worker cannot run its share.
    #[error("{worker} cannot run {stage}: {reason}")]
    Refused {
        /// The worker.
        worker: WorkerAddress,
        /// The stage.
        stage: StageRef,
        /// Why.
        reason: String,
    },
    /// The system under test could not be reset.
    #[error("the system under test of {stage} could not be reset: {reason}")]
    Reset {
        /// The stage that was to follow.
        stage: StageRef,
        /// Why.
        reason: String,
    },
    /// The system under test could not be readied.
    #[error("the system under test could not be readied for {stage}: {reason}")]
    Prepare {
        /// The stage.
        stage: StageRef,
        /// Why.
        reason: String,
    },
    /// A probe could not be judged.
    #[error("{stage} could not be judged: {reason}")]
    Judge {
        /// The probe.
        stage: StageRef,
        /// Why.
        reason: String,
    },
    /// The bus broke.
    #[error("the bus broke during {stage}")]
    Bus {
        /// The stage.
        stage: StageRef,
        /// How.
        source: BusError,
    },
    /// Samples could not be stored.
    #[error("the samples of {stage} could not be stored")]
    Store {
        /// The stage.
        stage: StageRef,
        /// Why.
        source: SamplesError,
    },
    /// run.json could not be written.
    #[error("the run's record could not be written")]
    Record(#[source] HomeError),
    /// A task of the coordinator ended abnormally.
    #[error("a task of the coordinator ended abnormally")]
    Task(#[source] tokio::task::JoinError),
}
