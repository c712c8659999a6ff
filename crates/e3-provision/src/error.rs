//! What can go wrong while things are set up and removed.

use std::io;
use std::path::PathBuf;

use e3_dataset::DatasetError;
use e3_git::GitError;
use e3_home::HomeError;
use e3_model::{ProviderName, ThreadId};
use e3_provider::{JournalError, ProviderError};

/// Says what could not be set up or removed, and for which thread.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The run or the home cannot be read or written.
    #[error("cannot keep the run's files")]
    Home(#[from] HomeError),
    /// The journal cannot be read or written.
    #[error("cannot keep the run's journal")]
    Journal(#[from] JournalError),
    /// The run has resources already.
    #[error("the run has {count} resources already, such as {first}")]
    Occupied {
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// The directory for what goes away at teardown cannot be created.
    #[error("cannot create {}", path.display())]
    Scratch {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A dataset cannot be made.
    #[error("cannot make the dataset {snapshot}")]
    Dataset {
        /// The snapshot's name.
        snapshot: String,
        /// Why not.
        source: DatasetError,
    },
    /// A dataset has no recipe, but the system is new and empty.
    #[error("{thread} needs the snapshot {snapshot}, which does not say how its dataset is made")]
    NoRecipe {
        /// The thread.
        thread: ThreadId,
        /// The snapshot's name.
        snapshot: String,
    },
    /// No such provider is built in.
    #[error("{thread} needs the {provider} provider, which this e3 does not have")]
    NoProvider {
        /// The thread.
        thread: ThreadId,
        /// The provider.
        provider: ProviderName,
    },
    /// The system gives no random numbers, so there can be no passwords.
    #[error("the system gives no random numbers")]
    Random {
        /// Why not.
        source: rand::rngs::SysError,
    },
    /// A user's key cannot be made.
    #[error("cannot make a key for {user}")]
    Key {
        /// The user.
        user: String,
        /// Why not.
        source: Box<GitError>,
    },
    /// A user's key in the run's secrets is none.
    #[error("the run's secrets have no readable key of {user} for {thread}")]
    UserKey {
        /// The thread.
        thread: ThreadId,
        /// The user.
        user: String,
        /// Why not.
        source: Box<GitError>,
    },
    /// A run's secrets leave a thread out.
    #[error("the run has no secrets for {thread}")]
    NoSecrets {
        /// The thread.
        thread: ThreadId,
    },
    /// A thread's snapshot has no JSON form.
    #[error("cannot describe the dataset of {thread}")]
    Snapshot {
        /// The thread.
        thread: ThreadId,
        /// Why not.
        source: serde_json::Error,
    },
    /// A provider failed over a thread's system.
    #[error("cannot {act} the system under test of {thread}")]
    Provider {
        /// The thread.
        thread: ThreadId,
        /// What it was asked for, as a verb.
        act: &'static str,
        /// Why not.
        source: ProviderError,
    },
    /// A thread's data cannot be loaded.
    #[error("cannot load the dataset of {thread}")]
    Load {
        /// The thread.
        thread: ThreadId,
        /// Why not.
        source: DatasetError,
    },
}

impl ProvisionError {
    /// Returns what the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Home(error) => error.hint(),
            Self::Provider { source, .. } => source.hint(),
            Self::Occupied { .. } => {
                Some("remove them with `e3 deprovision -r RUN`, or plan a new run".to_owned())
            }
            Self::NoRecipe { .. } => {
                Some("give the snapshot a \"generate\" section, or choose another with `e3 list`".to_owned())
            }
            Self::NoProvider { .. } => {
                Some("`\"provider\": \"local\"` sets it up on this machine".to_owned())
            }
            _ => None,
        }
    }
}
