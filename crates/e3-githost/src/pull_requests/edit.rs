//! Changes to an open pull request.

use super::create::{description, must_differ, reviewers, tips_of, title};
use super::find::one;
use super::merging::{settle, why_not};
use super::refusal::{Refusal, must_be_at, must_be_open};
use crate::names::Title;
use crate::state::Host;
use crate::store::{Edit, PullRequest, User, is_duplicate};

/// What a client wants to be otherwise; none leaves a thing as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed<'a> {
    /// The version that the client knows.
    pub(crate) version: i64,
    pub(crate) title: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    /// The target branch, by its full or short name.
    pub(crate) to: Option<&'a str>,
    pub(crate) reviewers: Option<&'a [String]>,
}

/// Changes the pull request as the user.
///
/// # Errors
/// 400 and 404 as for a new one, 409 if it is not open or has another version.
pub(crate) async fn update(
    host: &Host,
    user: &User,
    pull_request: &PullRequest,
    changed: Changed<'_>,
) -> Result<PullRequest, Refusal> {
    must_be_at(pull_request, changed.version)?;
    must_be_open(pull_request)?;
    let repository = &pull_request.repository;
    let title = changed.title.map(title).transpose()?;
    let author = pull_request.author().map(|author| &author.user);
    let wished = match changed.reviewers {
        Some(names) => Some(reviewers(host, author, names).await?),
        None => None,
    };
    let to = match changed.to {
        Some(name) => {
            let [to] = tips_of(host, repository, [name]).await?;
            Some(to).filter(|to| to.name != pull_request.to.name)
        }
        None => None,
    };
    if let Some(to) = &to {
        must_differ(host, repository, &pull_request.from, to).await?;
    }
    let edit = Edit {
        title: title.as_ref().map(Title::as_str),
        description: description(changed.description)?,
        to: to.as_ref(),
        reviewers: wished.as_deref(),
    };
    if pull_request.merging.is_some() {
        settle(host, pull_request).await?;
    }
    match host.store.edit_pull_request(pull_request, user, edit).await {
        Ok(true) => Ok(one(host, repository, &pull_request.id.to_string()).await?),
        Ok(false) => Err(why_not(host, pull_request, changed.version).await?),
        Err(error) if is_duplicate(&error) => {
            let to = to.as_ref().unwrap_or(&pull_request.to);
            match host.store.open_pull_request(repository, &pull_request.from.name, &to.name).await? {
                Some(open) => Err(Refusal::Duplicate(Box::new(open))),
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}
