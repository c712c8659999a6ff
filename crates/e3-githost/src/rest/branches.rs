//! `projects/{key}/repos/{slug}/branches`, the default branch, and `branch-utils`, which also deletes.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::Base;
use super::allowed::{OwnRepository, Writable};
use super::branch_details::details;
use super::exchange::{OfRepository, Write};
use super::page::{Page, Paged, parameter};
use super::shapes::{Branch, MinimalRef};
use crate::compare;
use crate::failure::Failure;
use crate::git::{self, Branches};
use crate::references;
use crate::state::{App, Host};
use crate::store::{Part, Repository};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/branches", get(list).post(create))
        .route("/projects/{key}/repos/{slug}/branches/default", get(default_with_commit).put(set_default))
        .route("/projects/{key}/repos/{slug}/default-branch", get(default).put(set_default))
}

/// The routes below `/rest/branch-utils`.
pub(super) fn utils_routes() -> Router<App> {
    let resource = post(create_with_status).delete(delete);
    Router::new().route("/projects/{key}/repos/{slug}/branches", resource)
}

/// Lists the branches. Without `orderBy` the default one comes first, then the others by name, which costs no fork;
/// `ALPHABETICAL` is by name alone, `MODIFICATION` the latest commit first.
async fn list(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Branch>>, Failure> {
    let query = query.as_deref();
    let mut found = read(&host, &repository).await?;
    if let Some(text) = parameter(query, "filterText").filter(|text| !text.is_empty()) {
        let text = text.to_lowercase();
        found.list.retain(|branch| branch.display().to_lowercase().contains(&text));
    }
    let head = found.head.clone();
    match parameter(query, "orderBy").as_deref() {
        Some("ALPHABETICAL") => {}
        Some("MODIFICATION") => by_date(&host, &repository, &mut found).await?,
        _ => found.list.sort_by_key(|branch| head.as_deref() != Some(&branch.name)),
    }
    let part = window.of(found.list.into_iter());
    let mut metadata = if parameter(query, "details").as_deref() == Some("true") {
        let against = parameter(query, "base").filter(|name| !name.is_empty()).or(head.clone());
        details(&host, &repository, (&part.rows, against.as_deref()), &base).await?
    } else {
        Vec::new()
    }
    .into_iter();
    let shape = |branch: git::Branch| {
        let is_default = head.as_deref() == Some(&branch.name);
        Branch::new(&branch, is_default).with_metadata(metadata.next())
    };
    Ok(Json(Page::new(Part { rows: part.rows, more: part.more }, window, shape)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    name: Option<String>,
    start_point: Option<String>,
}

/// Source: the older resource answers 200, the newer one 201.
async fn create(
    State(host): State<App>,
    Writable(repository): Writable,
    Write(wish): Write<Wish>,
) -> Result<Json<Branch>, Failure> {
    make(&host, &repository, wish).await.map(Json)
}

async fn create_with_status(
    State(host): State<App>,
    Writable(repository): Writable,
    Write(wish): Write<Wish>,
) -> Result<Response, Failure> {
    let branch = make(&host, &repository, wish).await?;
    Ok((StatusCode::CREATED, Json(branch)).into_response())
}

async fn make(host: &Host, repository: &Repository, wish: Wish) -> Result<Branch, Failure> {
    let name = wish.name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::invalid("name", "A branch needs a name."))?;
    let start = wish.start_point.filter(|start| !start.is_empty());
    let start =
        start.ok_or_else(|| Failure::invalid("startPoint", "A branch needs a commit to start from."))?;
    let commit = compare::resolve(host, repository, &start).await?;
    let branch = references::create_branch(host, repository, &name, &commit).await?;
    Ok(Branch::new(&branch, false))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Removal {
    name: Option<String>,
    end_point: Option<String>,
    dry_run: Option<bool>,
}

async fn delete(
    State(host): State<App>,
    Writable(repository): Writable,
    Write(removal): Write<Removal>,
) -> Result<StatusCode, Failure> {
    let name = removal.name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::invalid("name", "The branch to delete needs a name."))?;
    let how = (removal.end_point.as_deref(), removal.dry_run.unwrap_or_default());
    references::delete_branch(&host, &repository, &name, how).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    id: Option<String>,
}

async fn set_default(
    State(host): State<App>,
    OwnRepository(repository): OwnRepository,
    Write(named): Write<Named>,
) -> Result<StatusCode, Failure> {
    let name = named.id.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::invalid("id", "The default branch needs an id."))?;
    references::set_default_branch(&host, &repository, &name).await?;
    Ok(StatusCode::NO_CONTENT)
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
