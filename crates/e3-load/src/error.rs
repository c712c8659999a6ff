//! What keeps a share from being run.

use e3_workload::ScriptError;

/// What keeps a share from being run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The plan names a script that this worker does not have.
    #[error("this worker has no script {script}")]
    UnknownScript {
        /// The script.
        script: String,
    },
    /// A script cannot make a client in this setting.
    #[error("a client of {script} could not be prepared")]
    Prepare {
        /// The script.
        script: String,
        /// Why.
        source: ScriptError,
    },
    /// The plan is at odds with itself.
    #[error("client {client} is planned for job {job}, which its stage does not have")]
    NoSuchJob {
        /// The client.
        client: u32,
        /// The job.
        job: u16,
    },
    /// Samples could not be encoded.
    #[error("samples could not be encoded")]
    Encode(#[source] e3_samples::SamplesError),
    /// A task of the share ended abnormally.
    #[error("a task of the load engine ended abnormally")]
    Task(#[source] tokio::task::JoinError),
}
