//! What Bitbucket's other plug-ins are asked for, and githost has nothing to say about: issues of Jira, access keys and
//! automatic merges. Nothing is linked here, so the answers are empty ones, as those of a Bitbucket without links are.

use axum::extract::RawQuery;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::allowed::{OwnProject, OwnRepository};
use super::exchange::OfRepository;
use super::page::{Page, Paged, required};
use super::pull_requests::OfPullRequest;
use crate::failure::Failure;
use crate::state::App;

/// The routes below `/rest/jira`.
pub(super) fn jira_routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/pull-requests/{id}/issues", get(issues))
}

/// The routes below `/rest/branch-utils`.
pub(super) fn merge_routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/automerge/path", get(path))
}

/// The routes below `/rest/keys`.
pub(super) fn key_routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/ssh", get(project_keys))
        .route("/projects/{key}/repos/{slug}/ssh", get(repository_keys))
}

async fn issues(_: OfPullRequest) -> Json<[Value; 0]> {
    Json([])
}

/// Where a merge into the branch would go on to by itself: nowhere, as automatic merges are off.
async fn path(_: OfRepository, RawQuery(query): RawQuery) -> Result<Json<Page<Value>>, Failure> {
    required(query.as_deref(), "branchRefId")?;
    Ok(Json(Page::empty(crate::store::Window { start: 0, limit: 25 })))
}

async fn project_keys(_: OwnProject, Paged(window): Paged) -> Json<Page<Value>> {
    Json(Page::empty(window))
}

async fn repository_keys(_: OwnRepository, Paged(window): Paged) -> Json<Page<Value>> {
    Json(Page::empty(window))
}
