//! githost beside nginx with git's own http-backend: clones and ls-remotes per second of the same repository.
//!
//! Both serve the very same files with the same git, and are asked by the native client, at several numbers of clients, in
//! turns; the best of all rounds counts, because everything else on a machine only makes it slower.

mod drive;
pub(super) mod nginx;
pub(super) mod node;
pub(super) mod repository;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use e3_git::{Remote, RepositoryPath};

use self::drive::{Operation, drive};
use super::Options;
use super::steal::Stolen;
use crate::say::{say, verdict};
use crate::workspace::Workspace;
use crate::{binary, tools};

/// Measures, prints and judges.
///
/// # Errors
/// When a server cannot be started or an operation fails.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    tools::ensure_web_server()?;
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start a runtime")?;
    let problems = runtime.block_on(measure(&e3, options))?;
    Ok(verdict("bench githost", &problems, "as fast as it should be"))
}

/// One server under one operation with so many clients, and what came of it.
struct Cell {
    server: usize,
    operation: Operation,
    clients: usize,
    /// Operations a second, the best so far.
    best: f64,
}

async fn measure(e3: &std::path::Path, options: &Options) -> Result<Vec<String>> {
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let node = node::Node::start(e3, folder.path()).await?;
    repository::fill(folder.path(), &node).await?;
    let nginx = nginx::Nginx::start(folder.path(), &node.repository()?).await?;
    let servers = [("nginx", nginx.remote()?), ("githost", node.remote()), ("githost, SSH", node.ssh()?)];
    let mut cells = Vec::new();
    for operation in [Operation::Clone, Operation::LsRemote] {
        for clients in CLIENTS {
            for server in 0..servers.len() {
                cells.push(Cell { server, operation, clients, best: 0.0 });
            }
        }
    }
    let path = RepositoryPath::new(node::PROJECT, node::REPOSITORY);
    let before = Stolen::now();
    let length = Duration::from_secs(options.seconds);
    for round in 0..options.rounds {
        say(format!("round {} of {}", round + 1, options.rounds));
        for cell in &mut cells {
            let Some((name, remote)) = servers.get(cell.server) else { continue };
            let rate =
                measured(remote, &path, cell, length).await.with_context(|| format!("{name} failed"))?;
            cell.best = cell.best.max(rate);
        }
    }
    say(before.since());
    nginx.stop().await?;
    node.stop().await?;
    Ok(report(&cells))
}

async fn measured(remote: &Remote, path: &RepositoryPath, cell: &Cell, length: Duration) -> Result<f64> {
    drive(remote, path, cell.operation, cell.clients, length).await
}

fn report(cells: &[Cell]) -> Vec<String> {
    let mut problems = Vec::new();
    say("operation   clients     nginx   githost    ratio   githost by SSH   (per second)");
    for row in cells.chunks(3) {
        let [nginx, githost, ssh] = row else { continue };
        let ratio = githost.best / nginx.best.max(f64::MIN_POSITIVE);
        say(format!(
            "{:<10}  {:>7}  {:>8.1}  {:>8.1}  {:>7.2}  {:>15.1}",
            nginx.operation.name(),
            nginx.clients,
            nginx.best,
            githost.best,
            ratio,
            ssh.best,
        ));
        let least = nginx.operation.least();
        if ratio < least {
            let (name, clients) = (nginx.operation.name(), nginx.clients);
            problems.push(format!(
                "{name} with {clients} clients: {ratio:.2} of nginx, at least {least} is wanted"
            ));
        }
    }
    problems
}

const CLIENTS: [usize; 3] = [1, 4, 16];
