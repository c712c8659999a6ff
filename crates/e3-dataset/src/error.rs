//! What can go wrong with a dataset.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Says what could not be made or loaded, and why.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The recipe asks for what cannot be.
    #[error("the recipe of dataset {name} asks for {what}")]
    Recipe {
        /// The dataset's name.
        name: String,
        /// What it asks for.
        what: String,
    },
    /// A file or directory of the cache is out of reach.
    #[error("cannot {action} {}", path.display())]
    Path {
        /// What was to be done with it.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A document of the cache cannot be written.
    #[error("cannot write {} as JSON", path.display())]
    Json {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// Git did not run at all.
    #[error("cannot run git to {task}: is git installed?")]
    GitStart {
        /// What it was to do.
        task: String,
        /// Why not.
        source: io::Error,
    },
    /// Git failed.
    #[error("git could not {task} ({status}): {stderr}")]
    Git {
        /// What it was to do.
        task: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed to stderr.
        stderr: String,
    },
    /// Git ended well, but said something else than was asked.
    #[error("git was to {task} and printed {printed:?}")]
    GitAnswer {
        /// What it was to do.
        task: String,
        /// The beginning of what it printed.
        printed: String,
    },
    /// Git took too long, and was killed.
    #[error("git did not {task} within {seconds} s")]
    GitTimeout {
        /// What it was to do.
        task: String,
        /// The bound.
        seconds: u64,
    },
    /// A task of this process broke off.
    #[error("making the contents of {repository} broke off")]
    Task {
        /// The repository, as project/slug.
        repository: String,
        /// How.
        source: tokio::task::JoinError,
    },
    /// A user of the snapshot is not among those with a password.
    #[error("there is no password for user {user}")]
    Password {
        /// The user.
        user: String,
    },
    /// The server's address cannot be used.
    #[error("cannot load a dataset into {url}")]
    Address {
        /// The address.
        url: String,
        /// Why not.
        source: Box<e3_http::HttpError>,
    },
    /// The server did not do something.
    #[error("cannot {task} on {url}")]
    Server {
        /// What was to be done.
        task: String,
        /// The server.
        url: String,
        /// Why not.
        source: Box<e3_bitbucket::BitbucketError>,
    },
    /// A branch that is there already is not the dataset's.
    #[error("branch {branch} of {repository} on {url} lacks the dataset's commits, and is not overwritten")]
    Foreign {
        /// The repository, as project/slug.
        repository: String,
        /// The branch's short name.
        branch: String,
        /// The server.
        url: String,
    },
}

impl DatasetError {
    /// Returns what turns an I/O error at a path into this error.
    pub(crate) fn at(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Path { action, path, source }
    }
}
