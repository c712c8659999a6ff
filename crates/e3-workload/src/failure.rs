//! How an op fails, and what ends an iteration.

use e3_model::Outcome;

use crate::Measured;

/// Why an op failed: what the sample keeps, and a sentence for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the sample keeps; never [`Outcome::Ok`].
    pub outcome: Outcome,
    /// What happened, for the log.
    pub message: String,
    /// What was measured until then; apart, so that what may fail returns little.
    pub measured: Box<Measured>,
}

impl Failure {
    /// Returns a failure of which nothing was measured but its time.
    pub fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Self { outcome, message: message.into(), measured: Box::default() }
    }

    /// Returns the same failure with what was measured until then.
    #[must_use]
    pub fn measured(mut self, measured: Measured) -> Self {
        *self.measured = measured;
        self
    }
}

/// What ends an iteration before its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// An op failed; its sample is recorded.
    #[error("{op} failed ({}): {message}", outcome.name())]
    Failed {
        /// The op's name.
        op: String,
        /// What the sample keeps.
        outcome: Outcome,
        /// What happened.
        message: String,
    },
    /// The stage is over; no further op begins.
    #[error("the stage is over")]
    StageOver,
}
