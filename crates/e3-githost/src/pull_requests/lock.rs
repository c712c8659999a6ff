//! One merge at a time in a repository, among all nodes.
//!
//! Tasks of this node wait in line for each other; nodes wait for a lock on a file in the repository. The lock ends with
//! its holder and with the git that the holder passed it on to, so who gets it knows that nobody moves the branch.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use crate::failure::Failure;
use crate::state::Host;
use crate::store::Repository;

/// Who waits for which repository on this node.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<HashMap<i64, Arc<Turn<()>>>>);

/// The right to merge in a repository, as long as it lives.
pub(super) struct Held {
    file: File,
    _turn: OwnedMutexGuard<()>,
}

impl Held {
    /// Returns the lock for a child, which keeps it until it ends even if this process does not.
    pub(super) fn share(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Lines {
    fn of(&self, repository: i64) -> Arc<Turn<()>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= MOST_IDLE {
            lines.retain(|_, line| Arc::strong_count(line) > 1);
        }
        Arc::clone(lines.entry(repository).or_default())
    }
}

/// Waits for the right to merge in the repository.
///
/// # Errors
/// 503 if others merge for too long.
pub(super) async fn hold(host: &Host, repository: &Repository) -> Result<Held, Failure> {
    let path = host.repositories.path(repository.id).join(FILE);
    let holding = async {
        let turn = host.merging.lines.of(repository.id).lock_owned().await;
        let locked = tokio::task::spawn_blocking(move || lock(&path)).await;
        let file = locked.map_err(io::Error::other)??;
        Ok(Held { file, _turn: turn })
    };
    match tokio::time::timeout(LONGEST_WAIT, holding).await {
        Ok(held) => held.map_err(|error: io::Error| Failure::internal("lock a repository's merges", &error)),
        Err(_) => Err(Failure::busy("too many merges wait for the repository")),
    }
}

fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

const FILE: &str = "merging.lock";
const MOST_IDLE: usize = 1024;
const LONGEST_WAIT: Duration = Duration::from_secs(30);
