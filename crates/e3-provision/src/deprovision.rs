//! Removing all that a run created, from its journal alone.

use std::path::Path;
use std::sync::Arc;

use e3_home::{Home, RunDir};
use e3_model::{Document as _, Header, Leftover, Parent, Plan, RunName, Teardown, Topology};
use e3_provider::{Journal, Provider, Removal, RemovalOutcome, Resource, chain};

use crate::provision::{Events, now};
use crate::{ProvisionError, ProvisionEvent};

/// Removes what the journal says may exist, then the run's secrets, and writes the teardown.
///
/// Needs neither plan nor topology, and may be repeated: what was removed before is told again, from the journal.
///
/// # Errors
/// When the journal cannot be read or written, or the teardown cannot be written. What cannot be removed is no error: it
/// is in the teardown's `left`.
///
/// # Cancellation
/// May be dropped at any await; calling again goes on from there.
pub async fn deprovision(
    home: &Home,
    run: &RunDir,
    providers: &[Arc<dyn Provider>],
    events: Events<'_>,
) -> Result<Teardown, ProvisionError> {
    let journal = Journal::open(&run.journal())?;
    let mut left = Vec::new();
    for removal in remove(&journal, run.name(), providers).await {
        let resource = removal.resource.to_string();
        tracing::info!(resource, outcome = ?removal.outcome, "removal");
        match removal.outcome {
            RemovalOutcome::Left { reason } => {
                events(ProvisionEvent::Left { resource: resource.clone(), reason: reason.clone() });
                left.push(Leftover { resource, reason });
            }
            outcome => {
                let gone_before = outcome == RemovalOutcome::Gone;
                events(ProvisionEvent::Removed { resource, gone_before });
            }
        }
    }
    left.extend(lost_lines(&journal).or_else(|| lost_journal(&journal, run)));
    if let Err(error) = home.remove_secrets(run.name()) {
        left.push(Leftover { resource: "the run's secrets".to_owned(), reason: chain(&error) });
    }
    let teardown = Teardown {
        header: Header::of::<Teardown>(parent(run)),
        finished_at: now(),
        removed: journal.ledger().removed_resources().iter().map(ToString::to_string).collect(),
        left,
    };
    run.write(&teardown)?;
    Ok(teardown)
}

/// Hands every open resource to its provider; what nobody may remove is left.
async fn remove(journal: &Journal, run: &RunName, providers: &[Arc<dyn Provider>]) -> Vec<Removal> {
    let mut removals = Vec::new();
    let mut resources = journal.open_resources();
    resources.retain(|resource| match resource {
        Resource::Directory { path } if !is_of_run(path, run) => {
            let reason = format!("its path does not name the run {run}, so it may be somebody else's");
            removals.push(Removal { resource: resource.clone(), outcome: RemovalOutcome::Left { reason } });
            false
        }
        _ => true,
    });
    for provider in providers {
        let (its, others): (Vec<_>, Vec<_>) =
            resources.into_iter().partition(|resource| resource.provider() == provider.name());
        removals.extend(provider.deprovision(&its, journal).await);
        resources = others;
    }
    removals.extend(resources.into_iter().map(|resource| {
        let reason = format!("this e3 does not have the {} provider", resource.provider());
        Removal { resource, outcome: RemovalOutcome::Left { reason } }
    }));
    removals
}

/// A damaged journal must not make a teardown remove a directory that was never the run's.
fn is_of_run(path: &Path, run: &RunName) -> bool {
    let mut parts = path.components();
    path.is_absolute()
        && parts.all(|part| !matches!(part, std::path::Component::ParentDir))
        && path.components().any(|part| part.as_os_str() == run.0.as_str())
}

/// Says so when lines of the journal are gone that E3 wrote, for then this teardown may have missed something.
fn lost_lines(journal: &Journal) -> Option<Leftover> {
    let lines = journal.ledger().missing_lines();
    (lines > 0).then(|| Leftover {
        resource: format!(
            "whatever {lines} {} of {} told of",
            if lines == 1 { "line" } else { "lines" },
            journal.path().display()
        ),
        reason: "that part is damaged or missing; look for processes with E3_RESOURCE in their environment"
            .to_owned(),
    })
}

/// Says so when the journal tells of nothing, although a topology says that something was set up.
fn lost_journal(journal: &Journal, run: &RunDir) -> Option<Leftover> {
    let ledger = journal.ledger();
    let empty = ledger.open_resources().is_empty() && ledger.removed_resources().is_empty();
    (empty && run.path().join(Topology::FILE).exists()).then(|| Leftover {
        resource: "whatever was set up".to_owned(),
        reason: format!(
            "{} is empty or damaged; look for processes with E3_RESOURCE={}/... in their environment",
            journal.path().display(),
            run.name()
        ),
    })
}

fn parent(run: &RunDir) -> Option<Parent> {
    run.parent_of::<Topology>().or_else(|_| run.parent_of::<Plan>()).ok()
}
