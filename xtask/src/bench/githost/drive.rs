//! Clients that do one operation over and over.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use e3_git::{Remote, RepositoryPath};
use tokio::task::JoinSet;

/// What the clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Clone,
    LsRemote,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Clone => "clone",
            Self::LsRemote => "ls-remote",
        }
    }

    /// Returns how much of nginx's rate githost must reach.
    pub(super) fn least(self) -> f64 {
        match self {
            Self::Clone => 0.95,
            Self::LsRemote => 3.0,
        }
    }
}

/// Lets so many clients work for so long, and returns how many operations a second they did.
///
/// # Errors
/// When an operation fails.
pub(super) async fn drive(
    remote: &Remote,
    path: &RepositoryPath,
    operation: Operation,
    clients: usize,
    length: Duration,
) -> Result<f64> {
    let begun = Instant::now();
    let mut tasks: JoinSet<Result<u32>> = JoinSet::new();
    for _ in 0..clients {
        let (remote, path) = (remote.clone(), path.clone());
        tasks.spawn(async move {
            let mut count = 0;
            while begun.elapsed() < length {
                match operation {
                    Operation::Clone => drop(e3_git::clone(&remote, &path).await?),
                    Operation::LsRemote => drop(e3_git::ls_remote(&remote, &path).await?),
                }
                count += 1;
            }
            Ok(count)
        });
    }
    let mut total = 0_u32;
    while let Some(done) = tasks.join_next().await {
        total += done.context("a client broke")??;
    }
    Ok(f64::from(total) / begun.elapsed().as_secs_f64())
}
