//! What can go wrong between E3 and a provider.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use e3_model::ProviderName;

/// Says what a provider could not do.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// What is about to happen could not be written down, so it did not happen.
    #[error("cannot keep the journal")]
    Journal(#[from] JournalError),
    /// A resource could not be created.
    #[error("cannot create {resource}")]
    Create {
        /// The resource.
        resource: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A node started but does not serve.
    #[error("{node} is not running after {} s, last seen: {last}", waited.as_secs_f64())]
    NotRunning {
        /// The node.
        node: String,
        /// How long was waited.
        waited: Duration,
        /// What it said last, or how it failed to.
        last: String,
    },
    /// A node started, then ended.
    #[error("{node} ended before it was running; {tail}")]
    Ended {
        /// The node.
        node: String,
        /// The end of its log.
        tail: String,
    },
    /// A node came back from a reset as another one.
    #[error("{node} should have come back as {was}, but is now {now}")]
    Moved {
        /// The node.
        node: String,
        /// Where it was, and by which host key it was known.
        was: String,
        /// Where it is, and by which host key it is known.
        now: String,
    },
    /// A resource that a reset replaces cannot be removed.
    #[error("{resource} cannot be removed: {reason}")]
    Left {
        /// The resource.
        resource: String,
        /// Why, with the causes.
        reason: String,
    },
    /// The loaded data cannot be kept or put back.
    #[error("cannot copy {} to {}", from.display(), to.display())]
    Copy {
        /// What is copied.
        from: PathBuf,
        /// Where to.
        to: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A node cannot be disturbed, or not be left alone again.
    #[error("the faults of {node} cannot be switched: {reason}")]
    Disturb {
        /// The node.
        node: String,
        /// Why not.
        reason: String,
    },
    /// A node said something that cannot be understood.
    #[error("{node} should have said where it is, but said {found:?}")]
    Answer {
        /// The node.
        node: String,
        /// What it said.
        found: String,
    },
    /// Something is missing that the provider does not bring along.
    #[error("{need} is needed here, but {found}")]
    Needs {
        /// What is needed, such as `git 2.39 or newer`.
        need: &'static str,
        /// What was found instead.
        found: String,
        /// How to get it.
        hint: &'static str,
    },
    /// The provider cannot do this.
    #[error("the {provider} provider cannot {act}")]
    Unsupported {
        /// The provider.
        provider: ProviderName,
        /// What was asked for.
        act: String,
    },
}

impl ProviderError {
    /// Returns what the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Needs { hint, .. } => Some((*hint).to_owned()),
            _ => None,
        }
    }
}

/// Says what could not be done with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The journal.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The entry has no JSON form, such as a path that is no text.
    #[error("cannot write {resource} into {}", path.display())]
    Entry {
        /// The resource.
        resource: String,
        /// The journal.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
}

/// Returns an error with its causes, in one line: for where only one can be shown.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
