//! `projects/{key}/repos/{slug}/branches` and the default branch.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;

use super::exchange::OfRepository;
use super::page::{Page, Paged, parameter};
use super::shapes::{Branch, MinimalRef};
use crate::failure::Failure;
use crate::git::{self, Branches};
use crate::state::{App, Host};
use crate::store::Repository;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/branches", get(list))
        .route("/projects/{key}/repos/{slug}/branches/default", get(default_with_commit))
        .route("/projects/{key}/repos/{slug}/default-branch", get(default))
}

/// Lists the branches. Without `orderBy` the default one comes first, then the others by name, which costs no fork;
/// `ALPHABETICAL` is by name alone, `MODIFICATION` the latest commit first.
async fn list(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<Branch>>, Failure> {
    let mut found = read(&host, &repository).await?;
    if let Some(text) = parameter(query.as_deref(), "filterText").filter(|text| !text.is_empty()) {
        let text = text.to_lowercase();
        found.list.retain(|branch| branch.display().to_lowercase().contains(&text));
    }
    let head = found.head.clone();
    match parameter(query.as_deref(), "orderBy").as_deref() {
        Some("ALPHABETICAL") => {}
        Some("MODIFICATION") => by_date(&host, &repository, &mut found).await?,
        _ => found.list.sort_by_key(|branch| head.as_deref() != Some(&branch.name)),
    }
    let part = window.of(found.list.iter());
    let shape = |branch: &git::Branch| Branch::new(branch, head.as_deref() == Some(&branch.name));
    Ok(Json(Page::new(part, window, shape)))
}

/// The old resource: with the commit; 404 if HEAD names a branch that does not exist although others do.
async fn default_with_commit(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
) -> Result<Response, Failure> {
    let found = read(&host, &repository).await?;
    if let Some(branch) = found.default() {
        return Ok(Json(Branch::new(branch, true)).into_response());
    }
    if found.list.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(Failure::no_default_branch(&repository.project.project_key, &repository.slug))
}

/// The new resource: the name only.
async fn default(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
) -> Result<Response, Failure> {
    let found = read(&host, &repository).await?;
    Ok(match found.head {
        // The configured branch, whether or not it exists yet.
        Some(head) => Json(MinimalRef::new(&head)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Reads the refs, away from the tasks that must not block.
pub(crate) async fn read(host: &Host, repository: &Repository) -> Result<Branches, Failure> {
    let path = host.repositories.path(repository.id);
    let read = tokio::task::spawn_blocking(move || git::branches(&path)).await;
    read.map_err(|error| Failure::internal("read refs", &error))?
        .map_err(|error| Failure::internal("read refs", &error))
}

async fn by_date(host: &Host, repository: &Repository, found: &mut Branches) -> Result<(), Failure> {
    let path = host.repositories.path(repository.id);
    let order = match host.git.branches_by_date(&path).await {
        Ok(order) => order,
        Err(git::GitError::Busy(busy)) => return Err(Failure::busy(&busy.to_string())),
        Err(error) => return Err(Failure::internal("order branches", &error)),
    };
    let place: std::collections::HashMap<&str, usize> =
        order.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    found.list.sort_by_key(|branch| place.get(branch.name.as_str()).copied().unwrap_or(usize::MAX));
    Ok(())
}
