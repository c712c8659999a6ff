//! How a pull request ends without a merge, and how it begins again.

use super::create::{must_differ, tips_of};
use super::find::one;
use super::merging::{settle, why_not};
use super::refusal::{ALREADY_MERGED, Refusal, illegal_state, must_be_at, must_be_open};
use crate::state::Host;
use crate::store::{PullRequest, PullRequestState, User, is_duplicate};

/// Declines the open pull request as the user.
///
/// # Errors
/// 409 if it is not open or has another version.
pub(crate) async fn decline(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    version: i64,
) -> Result<PullRequest, Refusal> {
    must_be_open(pull_request)?;
    must_be_at(pull_request, version)?;
    if pull_request.merging.is_some() {
        settle(host, pull_request).await?;
    }
    if host.store.decline_pull_request(pull_request, user).await? {
        return Ok(one(host, &pull_request.repository, &pull_request.id.to_string()).await?);
    }
    Err(why_not(host, pull_request, version).await?)
}

/// Opens a declined pull request again as the user, with its branches as they are now.
///
/// # Errors
/// 404 if a branch is gone; 409 if it is not declined, has another version, or there is nothing to merge.
pub(crate) async fn reopen(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    version: i64,
) -> Result<PullRequest, Refusal> {
    match pull_request.state {
        PullRequestState::Declined => {}
        PullRequestState::Merged => return Err(illegal_state(ALREADY_MERGED).into()),
        PullRequestState::Open => return Err(illegal_state("This pull request is already open.").into()),
    }
    must_be_at(pull_request, version)?;
    let repository = &pull_request.repository;
    let names = [pull_request.from.name.as_str(), pull_request.to.name.as_str()];
    let [from, to] = tips_of(host, repository, names).await?;
    must_differ(host, repository, &from, &to).await?;
    let now = PullRequest { from, to, ..pull_request.clone() };
    match host.store.reopen_pull_request(&now, user).await {
        Ok(true) => Ok(one(host, repository, &pull_request.id.to_string()).await?),
        Ok(false) => Err(why_not(host, pull_request, version).await?),
        Err(error) if is_duplicate(&error) => {
            match host.store.open_pull_request(repository, &now.from.name, &now.to.name).await? {
                Some(open) => Err(Refusal::Duplicate(Box::new(open))),
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes the pull request, which only its author and administrators may.
///
/// # Errors
/// 401 for others; 409 if it has another version, or is merged.
pub(crate) async fn delete(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    version: i64,
) -> Result<(), Refusal> {
    let is_author = pull_request.author().is_some_and(|author| author.user.id == user.id);
    if !is_author && !user.admin {
        return Err(crate::failure::Failure::not_permitted().into());
    }
    must_be_at(pull_request, version)?;
    if pull_request.state == PullRequestState::Merged {
        return Err(illegal_state(NO_DELETION).into());
    }
    if pull_request.merging.is_some() {
        settle(host, pull_request).await?;
    }
    if host.store.delete_pull_request(pull_request).await? {
        return Ok(());
    }
    Err(why_not(host, pull_request, version).await?)
}

/// Source: recorded.
const NO_DELETION: &str = "This pull request has already been merged and cannot be deleted.";
