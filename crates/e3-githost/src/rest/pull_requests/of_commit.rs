//! `commits/{commit}/pull-requests`: which pull requests bring a commit.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::shapes::PullRequest;
use crate::compare;
use crate::failure::Failure;
use crate::pull_requests;
use crate::rest::Base;
use crate::rest::exchange::{Named, OfRepository};
use crate::rest::page::{Page, Paged};
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/commits/{commit}/pull-requests", get(list))
}

async fn list(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<PullRequest>>, Failure> {
    let commit = compare::resolve(&host, &repository, named.one("commit")).await?;
    let part = pull_requests::containing(&host, &repository, &commit, window).await?;
    Ok(Json(Page::new(part, window, |row| PullRequest::new(row, &base))))
}
