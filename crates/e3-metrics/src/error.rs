//! Why something could not be read.

use std::time::Duration;

use e3_http::HttpError;
use e3_samples::SamplesError;
use procfs::ProcError;

use crate::Mistake;

/// Why metrics are missing; never the end of a stage.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The machine does not tell.
    #[error("cannot read {file}")]
    Proc {
        /// The file below `/proc`.
        file: &'static str,
        /// Why not.
        source: ProcError,
    },
    /// A process that is watched has ended.
    #[error("the process of {subject} has ended")]
    Ended {
        /// Whose process it was.
        subject: String,
    },
    /// A server was not reached or broke off.
    #[error("cannot get {url}")]
    Get {
        /// The URL.
        url: String,
        /// Why not.
        source: HttpError,
    },
    /// A server answered something else than metrics.
    #[error("{url} answered with HTTP status {status}")]
    Status {
        /// The URL.
        url: String,
        /// The status code.
        status: u16,
    },
    /// A source took too long.
    #[error("{what} was not read within {} s", within.as_secs_f64())]
    Slow {
        /// What was to be read.
        what: String,
        /// The bound.
        within: Duration,
    },
    /// A server's text has a line that means nothing.
    #[error("{url} serves a text with mistakes")]
    Text {
        /// The URL.
        url: String,
        /// The first mistake.
        source: Mistake,
    },
    /// A server has more series than are kept.
    #[error("{url} serves more than {most} series, the others are left out")]
    TooMany {
        /// The URL.
        url: String,
        /// How many are kept.
        most: usize,
    },
    /// A task of the collector ended abnormally.
    #[error("a task of the collector ended abnormally")]
    Task(#[from] tokio::task::JoinError),
    /// Readings could not be stored.
    #[error("readings could not be stored")]
    Store(#[from] SamplesError),
}
