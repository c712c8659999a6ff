//! What people think of a pull request, and who is asked to.

use super::create::reviewers;
use super::find::one;
use super::refusal::{Refusal, conflict, must_be_open};
use crate::failure::Failure;
use crate::state::Host;
use crate::store::{PullRequest, PullRequestPerson, Role, Status, User};

/// Sets what the user thinks of the open pull request, and returns the user's part in it.
///
/// # Errors
/// 409 if it is not open, or the user is its author.
pub(crate) async fn set_status(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    status: Status,
) -> Result<PullRequestPerson, Refusal> {
    must_be_open(pull_request)?;
    if pull_request.part_of(user).is_some_and(|part| part.role == Role::Author) {
        return Err(conflict(INVALID_ROLE, "Authors may not update their status.").into());
    }
    if host.store.set_status(pull_request, user, status).await? {
        return part_now(host, pull_request, user).await;
    }
    Err(closed_meanwhile(host, pull_request).await)
}

/// Asks a user to review the open pull request, and returns the user's part in it.
///
/// # Errors
/// 409 if it is not open, or the user is unknown or its author.
pub(crate) async fn add_reviewer(
    host: &Host,
    pull_request: &PullRequest,
    name: &str,
) -> Result<PullRequestPerson, Refusal> {
    must_be_open(pull_request)?;
    let author = pull_request.author().map(|author| &author.user);
    let found = reviewers(host, author, &[name.to_owned()]).await?;
    let Some(user) = found.first() else { return Err(Failure::no_user(name).into()) };
    if host.store.set_role(pull_request, user, Role::Reviewer).await? {
        return part_now(host, pull_request, user).await;
    }
    Err(closed_meanwhile(host, pull_request).await)
}

/// Asks a user no longer to review the open pull request.
///
/// # Errors
/// 404 if the user has no such part, 409 if the request is not open.
pub(crate) async fn remove_reviewer(
    host: &Host,
    pull_request: &PullRequest,
    name: &str,
) -> Result<(), Refusal> {
    must_be_open(pull_request)?;
    let named =
        |person: &&PullRequestPerson| person.user.slug == name || person.user.name.eq_ignore_ascii_case(name);
    let Some(reviewer) = pull_request.with_role(Role::Reviewer).find(named) else {
        return Err(Failure::no_user(name).into());
    };
    if host.store.remove_reviewer(pull_request, &reviewer.user).await? {
        return Ok(());
    }
    Err(closed_meanwhile(host, pull_request).await)
}

async fn part_now(
    host: &Host,
    pull_request: &PullRequest,
    user: &User,
) -> Result<PullRequestPerson, Refusal> {
    let found = one(host, &pull_request.repository, &pull_request.id.to_string()).await?;
    let part = found.part_of(user).cloned();
    part.ok_or_else(|| Failure::no_user(&user.name).into())
}

async fn closed_meanwhile(host: &Host, pull_request: &PullRequest) -> Refusal {
    match one(host, &pull_request.repository, &pull_request.id.to_string()).await {
        Ok(found) => match must_be_open(&found) {
            Err(failure) => failure.into(),
            Ok(()) => Failure::busy("another client changes the same pull request").into(),
        },
        Err(failure) => failure.into(),
    }
}

const INVALID_ROLE: &str = "com.atlassian.bitbucket.pull.IllegalPullRequestStateException";
