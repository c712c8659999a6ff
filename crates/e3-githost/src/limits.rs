//! Every bound of a node, with its default.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::GithostError;

/// The bounds of one node; `config/limits.json` in the home may set any of them, by these names in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// How many connections are served at once; further ones wait to be accepted.
    pub connections: usize,
    /// How long a client may take to send a request's head, and how long a kept connection may idle.
    pub header_seconds: u64,
    /// How long a request other than Git's may take.
    pub request_seconds: u64,
    /// The largest body of a request other than Git's.
    pub body_bytes: usize,
    /// How many hosting operations (clone, fetch, push) run at once, and how many short commands, unless
    /// `bitbucket.properties` says otherwise.
    pub git_processes: usize,
    /// How many Git operations of a kind may wait for their ticket; a further one is refused with 503.
    pub git_queue: usize,
    /// How long a Git operation may wait for its ticket before it is refused with 503, unless `bitbucket.properties` says
    /// otherwise. The default is Bitbucket's.
    pub git_wait_seconds: u64,
    /// How long a Git client may not send what it announced, and any client not take what it asked for.
    pub git_idle_seconds: u64,
    /// How long one Git operation may run.
    pub git_run_seconds: u64,
    /// The largest fetch request, inflated.
    pub fetch_bytes: u64,
    /// How many bytes of answers to fetches are kept, if `bitbucket.properties` lets them be kept; one may take a quarter.
    pub fetch_cache_bytes: usize,
    /// The largest push, inflated.
    pub push_bytes: u64,
    /// How many SSH connections are served at once; further ones wait to be accepted.
    pub ssh_connections: usize,
    /// How long an SSH client may take until it has signed in.
    pub ssh_sign_in_seconds: u64,
    /// How many keys an SSH client may try in one connection.
    pub ssh_keys_tried: usize,
    /// How long requests may go on after the node was told to stop.
    pub shutdown_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            connections: 8192,
            header_seconds: 60,
            request_seconds: 60,
            body_bytes: 1 << 20,
            git_processes: cores.saturating_mul(4).max(8),
            git_queue: 1024,
            git_wait_seconds: 300,
            git_idle_seconds: 120,
            git_run_seconds: 3600,
            fetch_bytes: 64 << 20,
            fetch_cache_bytes: 256 << 20,
            push_bytes: 4 << 30,
            ssh_connections: 4096,
            ssh_sign_in_seconds: 30,
            ssh_keys_tried: 10,
            shutdown_seconds: 5,
        }
    }
}

impl Limits {
    /// Returns the limits in the file, or the defaults if there is none.
    pub(crate) fn read(path: &Path) -> Result<Self, GithostError> {
        match std::fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|source| GithostError::Limits { path: path.to_owned(), source }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(GithostError::Home { doing: "read", path: path.to_owned(), source }),
        }
    }

    pub(crate) fn request(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }

    pub(crate) fn git_idle(&self) -> Duration {
        Duration::from_secs(self.git_idle_seconds)
    }

    pub(crate) fn git_run(&self) -> Duration {
        Duration::from_secs(self.git_run_seconds)
    }

    pub(crate) fn ssh_sign_in(&self) -> Duration {
        Duration::from_secs(self.ssh_sign_in_seconds)
    }

    pub(crate) fn git_wait(&self) -> Duration {
        Duration::from_secs(self.git_wait_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_sets_some_and_cannot_invent_any() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("limits.json");
        assert_eq!(Limits::read(&path).unwrap(), Limits::default());
        std::fs::write(&path, r#"{"gitProcesses": 3}"#).unwrap();
        assert_eq!(Limits::read(&path).unwrap(), Limits { git_processes: 3, ..Limits::default() });
        std::fs::write(&path, r#"{"gitProcesess": 3}"#).unwrap();
        assert!(matches!(Limits::read(&path), Err(GithostError::Limits { .. })));
    }
}
