//! What can go wrong when the real git is the client.

use std::{io, path::PathBuf, time::Duration};

use e3_model::Outcome;

use crate::{GitError, RepositoryPath};

/// Why a call of the real git came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForkedError {
    /// Git is not installed, or the machine has no room for another process.
    #[error("cannot run git")]
    Run {
        /// The operating system's reason.
        source: io::Error,
    },
    /// Files that git needs or leaves cannot be written or read.
    #[error("cannot use {} for git's files", path.display())]
    Files {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Git was killed, since it took too long.
    #[error("git took longer than {} s", bound.as_secs())]
    Timeout {
        /// How long it was allowed to take.
        bound: Duration,
    },
    /// Git failed.
    #[error("git says: {said}")]
    Failed {
        /// What kind of failure its words tell of.
        outcome: Outcome,
        /// Its last words, or how it ended where it said none.
        said: String,
    },
}

impl ForkedError {
    /// Returns the outcome of an op that ended with this error.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Run { .. } | Self::Files { .. } => Outcome::Unexpected,
            Self::Timeout { .. } => Outcome::Timeout,
            Self::Failed { outcome, .. } => *outcome,
        }
    }
}

pub(super) fn forked(repository: &RepositoryPath, source: ForkedError) -> GitError {
    GitError::Forked { repository: repository.clone(), source }
}

pub(super) fn protocol(repository: &RepositoryPath, said: &str) -> GitError {
    forked(repository, ForkedError::Failed { outcome: Outcome::Protocol, said: said.to_owned() })
}

pub(super) fn files(repository: &RepositoryPath, path: impl Into<PathBuf>, source: io::Error) -> GitError {
    forked(repository, ForkedError::Files { path: path.into(), source })
}
