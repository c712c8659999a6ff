//! Reading pull requests, brought up to date with their branches.

use std::collections::HashMap;

use http::StatusCode;

use super::branches::tips;
use super::merging::finish_landed;
use super::refusal::no_pull_request;
use super::vetoes::rules;
use crate::compare::{self, Range};
use crate::failure::Failure;
use crate::permissions::{Level, check_user};
use crate::state::Host;
use crate::store::{
    Part, PullRequest, PullRequestFilter, PullRequestState, PullRequestsOfUser, Repository, User, Window,
};

/// Returns the repository's pull request with this id.
///
/// # Errors
/// 404 if there is none.
pub(crate) async fn one(host: &Host, repository: &Repository, id: &str) -> Result<PullRequest, Failure> {
    let number: Option<i64> = id.parse().ok();
    let found = match number {
        Some(number) => host.store.pull_request(repository, number).await?,
        None => None,
    };
    let found = found.ok_or_else(|| no_pull_request(repository, id))?;
    match refresh(host, vec![found]).await?.pop() {
        Some(pull_request) => Ok(pull_request),
        None => Err(no_pull_request(repository, id)),
    }
}

/// Returns the repository's pull requests that the filter lets through.
pub(crate) async fn list(
    host: &Host,
    repository: &Repository,
    filter: &PullRequestFilter,
    window: Window,
) -> Result<Part<PullRequest>, Failure> {
    if filter.state != Some(PullRequestState::Open) {
        for merge in host.store.merges_under_way(Some(repository)).await? {
            finish_landed(host, repository, &merge).await?;
        }
    }
    let Part { rows, more } = host.store.pull_requests(repository, filter, window).await?;
    let mut rows = refresh(host, rows).await?;
    rows.retain(|row| filter.state.is_none_or(|state| row.state == state));
    Ok(Part { rows, more })
}

/// Returns the pull requests of all repositories in which the user has a part.
pub(crate) async fn list_of_user(
    host: &Host,
    user: &User,
    wanted: PullRequestsOfUser<'_>,
    window: Window,
) -> Result<Part<PullRequest>, Failure> {
    let Part { rows, more } = host.store.pull_requests_of(user, wanted, window).await?;
    let mut readable = Vec::with_capacity(rows.len());
    for row in rows {
        // Where a project is open to all this costs no query.
        match check_user(host, user, &row.repository, Level::Read).await {
            Ok(()) => readable.push(row),
            Err(failure) if failure.status == StatusCode::UNAUTHORIZED => {}
            Err(failure) => return Err(failure),
        }
    }
    let mut rows = refresh(host, readable).await?;
    rows.retain(|row| wanted.state.is_none_or(|state| row.state == state));
    Ok(Part { rows, more })
}

/// Returns what the pull request brings: from where its branches parted to the source branch.
pub(crate) async fn scope(host: &Host, pull_request: &PullRequest) -> Result<Range, Failure> {
    compare::introduced(host, &pull_request.repository, &pull_request.from.commit, &pull_request.to.commit)
        .await
}

/// Brings open pull requests up to date with their branches, by one reading for each repository.
///
/// One whose source branch moved gets a new version; one that has lost a branch is declined, as Bitbucket does.
pub(super) async fn refresh(
    host: &Host,
    pull_requests: Vec<PullRequest>,
) -> Result<Vec<PullRequest>, Failure> {
    let mut wanted: HashMap<i64, (Repository, Vec<String>)> = HashMap::new();
    for open in pull_requests.iter().filter(|pull_request| pull_request.is_open()) {
        let place = wanted.entry(open.repository.id).or_insert_with(|| (open.repository.clone(), Vec::new()));
        place.1.extend([open.from.name.clone(), open.to.name.clone()]);
    }
    let mut known = HashMap::new();
    for (id, (repository, mut names)) in wanted {
        names.sort_unstable();
        names.dedup();
        known.insert(id, tips(host, &repository, names).await?);
    }
    let none = HashMap::new();
    let mut fresh = Vec::with_capacity(pull_requests.len());
    for pull_request in pull_requests {
        let tips = known.get(&pull_request.repository.id).unwrap_or(&none);
        fresh.extend(refresh_one(host, pull_request, tips).await?);
    }
    Ok(fresh)
}

/// Returns the pull request as it is now; none if it was deleted meanwhile.
async fn refresh_one(
    host: &Host,
    mut pull_request: PullRequest,
    tips: &HashMap<String, String>,
) -> Result<Option<PullRequest>, Failure> {
    if !pull_request.is_open() {
        return Ok(Some(pull_request));
    }
    if pull_request.merging.is_some()
        && let Some(merge) = host.store.merge_under_way(&pull_request).await?
        && finish_landed(host, &pull_request.repository, &merge).await?
    {
        return read_again(host, &pull_request, tips).await;
    }
    let (from, to) = (tips.get(&pull_request.from.name), tips.get(&pull_request.to.name));
    match (from, to) {
        (Some(from), Some(to)) if *from == pull_request.from.commit => {
            pull_request.to.commit.clone_from(to);
            Ok(Some(pull_request))
        }
        (Some(from), Some(to)) => {
            let unapprove = rules(host, &pull_request.repository).await?.unapprove_on_update;
            host.store.rescope_pull_request(&pull_request, (from, to), unapprove).await?;
            read_again(host, &pull_request, tips).await
        }
        _ => {
            if let Some(author) = pull_request.author() {
                host.store.decline_pull_request(&pull_request, &author.user).await?;
            }
            read_again(host, &pull_request, tips).await
        }
    }
}

/// Reads the row once more; what it says of an open one's branches is what was read of them.
async fn read_again(
    host: &Host,
    pull_request: &PullRequest,
    tips: &HashMap<String, String>,
) -> Result<Option<PullRequest>, Failure> {
    let mut found = host.store.pull_request(&pull_request.repository, pull_request.id).await?;
    if let Some(open) = found.as_mut().filter(|found| found.is_open()) {
        for tip in [&mut open.from, &mut open.to] {
            if let Some(commit) = tips.get(&tip.name) {
                tip.commit.clone_from(commit);
            }
        }
    }
    Ok(found)
}
