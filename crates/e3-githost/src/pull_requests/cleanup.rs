//! What is left to tidy when a pull request has ended: its source branch.

use super::branches::{head, tips};
use super::refusal::{conflict, illegal_state};
use crate::failure::Failure;
use crate::state::Host;
use crate::store::{Direction, Edit, PullRequest, PullRequestFilter, PullRequestState, User, Window};

/// Returns whether the source branch could be deleted, now or once the pull request has ended; true also if it is gone.
///
/// # Errors
/// 409 if it must not be: it is the default branch, or has moved since the request ended.
pub(crate) async fn may_delete_source(host: &Host, pull_request: &PullRequest) -> Result<bool, Failure> {
    let (repository, from) = (&pull_request.repository, &pull_request.from);
    if head(host, repository).await?.as_ref() == Some(&from.name) {
        let message = format!("\"{}\" is the default branch and cannot be deleted.", from.display());
        return Err(conflict("com.atlassian.bitbucket.repository.DefaultBranchDeletionException", message));
    }
    let tips = tips(host, repository, vec![from.name.clone()]).await?;
    match tips.get(&from.name) {
        Some(tip) if *tip != from.commit && !pull_request.is_open() => Err(moved(pull_request)),
        found => Ok(found.is_some()),
    }
}

/// Deletes the source branch of a pull request that has ended; requests that wait to be merged into it may go to the same
/// target instead.
///
/// # Errors
/// 409 as [`may_delete_source`], and if the request is open.
pub(crate) async fn delete_source(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    retarget: bool,
) -> Result<(), Failure> {
    if pull_request.is_open() {
        return Err(illegal_state("This pull request is open; its source branch cannot be deleted."));
    }
    if !may_delete_source(host, pull_request).await? {
        return Ok(());
    }
    if retarget {
        retarget_dependents(host, user, pull_request).await?;
    }
    let path = host.repositories.path(pull_request.repository.id);
    let from = &pull_request.from;
    match host.git.delete_ref(&path, &from.name, &from.commit).await {
        Ok(true) => Ok(()),
        Ok(false) => match may_delete_source(host, pull_request).await? {
            // Another has deleted it meanwhile.
            false => Ok(()),
            true => Err(moved(pull_request)),
        },
        Err(error) => Err(super::mergeability::failure_of("delete a branch", &error)),
    }
}

async fn retarget_dependents(host: &Host, user: &User, pull_request: &PullRequest) -> Result<(), Failure> {
    let filter = PullRequestFilter {
        state: Some(PullRequestState::Open),
        at: Some((Direction::Incoming, pull_request.from.name.clone())),
        ..PullRequestFilter::default()
    };
    let window = Window { start: 0, limit: MOST_DEPENDENTS };
    let dependents = host.store.pull_requests(&pull_request.repository, &filter, window).await?;
    for dependent in dependents.rows.iter().filter(|dependent| dependent.from.name != pull_request.to.name) {
        let edit = Edit { to: Some(&pull_request.to), ..Edit::default() };
        match host.store.edit_pull_request(dependent, user, edit).await {
            Ok(_) => {}
            // There is one to that target already; this one is declined with the branch.
            Err(error) if crate::store::is_duplicate(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn moved(pull_request: &PullRequest) -> Failure {
    let message = format!(
        "Branch \"{}\" has been updated since the pull request was closed and was not deleted.",
        pull_request.from.display()
    );
    conflict("com.atlassian.bitbucket.repository.RefOutOfDateException", message)
}

const MOST_DEPENDENTS: u32 = 100;
