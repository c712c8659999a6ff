//! Removing exactly what was created, in whatever state a crash left it.

use std::cmp::Reverse;
use std::io;
use std::path::Path;
use std::time::Duration;

use e3_node::{NodeError, ProcessIdentity, Stopped, find_marked, group_members, stop};
use e3_provider::{Journal, ProviderError, Removal, RemovalOutcome, Resource, chain};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

/// Stops all processes at once, then removes the directories, deepest first; none while a process is left.
///
/// The journal comes last: on a full disk it can be written again only when the directories are gone.
pub(crate) async fn remove_all(resources: &[Resource], grace: Duration, journal: &Journal) -> Vec<Removal> {
    let mut outcomes: Vec<Option<Result<RemovalOutcome, String>>> =
        join_all(resources.iter().map(async |resource| match resource {
            Resource::Process { mark, identity, .. } => {
                Some(remove_process(identity.as_ref(), mark, grace).await)
            }
            Resource::Directory { .. } => None,
        }))
        .await;
    let in_use = outcomes.iter().flatten().any(Result::is_err);

    let mut directories: Vec<(usize, &Path)> = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        if let Resource::Directory { path } = resource {
            directories.push((index, path));
        }
    }
    directories.sort_by_key(|(_, path)| Reverse(path.components().count()));
    for (index, path) in directories {
        let outcome = if in_use {
            Err("a process that may use it is left".to_owned())
        } else {
            remove_directory(path).await
        };
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }
    resources
        .iter()
        .zip(outcomes)
        .map(|(resource, outcome)| Removal {
            resource: resource.clone(),
            outcome: settled(outcome.unwrap_or(Ok(RemovalOutcome::Gone)), resource, journal),
        })
        .collect()
}

/// Removes what a reset replaces.
///
/// # Errors
/// With the first resource that is left.
pub(crate) async fn remove_now(
    resources: &[Resource],
    grace: Duration,
    journal: &Journal,
) -> Result<(), ProviderError> {
    for removal in remove_all(resources, grace, journal).await {
        if let RemovalOutcome::Left { reason } = removal.outcome {
            return Err(ProviderError::Left { resource: removal.resource.to_string(), reason });
        }
    }
    Ok(())
}

/// Journals a removal that succeeded; one that cannot be journaled did not, for it would be open for ever.
fn settled(
    removal: Result<RemovalOutcome, String>,
    resource: &Resource,
    journal: &Journal,
) -> RemovalOutcome {
    match removal {
        Ok(outcome) => match journal.removed(resource) {
            Ok(()) => outcome,
            Err(error) => RemovalOutcome::Left {
                reason: format!("it is gone, but that could not be written down: {}", chain(&error)),
            },
        },
        Err(reason) => RemovalOutcome::Left { reason },
    }
}

/// Stops the process itself if its identity is known, and in any case all that carries its mark.
async fn remove_process(
    identity: Option<&ProcessIdentity>,
    mark: &str,
    grace: Duration,
) -> Result<RemovalOutcome, String> {
    let failed = |error: NodeError| chain(&error);
    let mut outcome = RemovalOutcome::Gone;
    if let Some(identity) = identity {
        match stop(identity, grace).await.map_err(failed)? {
            Stopped::AlreadyGone => orphans_end(identity).await?,
            Stopped::Terminated | Stopped::Killed => outcome = RemovalOutcome::Removed,
        }
    }
    // A marked process may start another while it is being stopped, hence until none is found.
    for _ in 0..MARK_ROUNDS {
        let marked = find_marked(mark).map_err(failed)?;
        if marked.is_empty() {
            return Ok(outcome);
        }
        for process in marked {
            stop(&process, grace).await.map_err(failed)?;
            outcome = RemovalOutcome::Removed;
        }
    }
    Err("processes with its mark keep coming back".to_owned())
}

/// Waits until the group of a process that ended by itself is empty.
///
/// Its members carry no proof that they are not a stranger's, so they are named and not signalled.
async fn orphans_end(leader: &ProcessIdentity) -> Result<(), String> {
    let deadline = Instant::now() + ORPHANS_BOUND;
    loop {
        let members = group_members(leader).map_err(|error| chain(&error))?;
        if members.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let names: Vec<String> = members.iter().map(|member| member.pid.to_string()).collect();
            return Err(format!(
                "it ended by itself, but its process group still has members: {}",
                names.join(", ")
            ));
        }
        // A group's end can only be asked for.
        sleep(Duration::from_millis(20)).await;
    }
}

async fn remove_directory(path: &Path) -> Result<RemovalOutcome, String> {
    if !path.is_absolute() {
        return Err("its path is not absolute, so it could be another directory".to_owned());
    }
    match tokio::fs::remove_dir_all(path).await {
        Ok(()) => Ok(RemovalOutcome::Removed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(RemovalOutcome::Gone),
        Err(error) => Err(error.to_string()),
    }
}

const MARK_ROUNDS: u32 = 20;
const ORPHANS_BOUND: Duration = Duration::from_secs(5);
