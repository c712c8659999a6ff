//! `projects/{key}/repos/{slug}/compare`: what one revision has that another has not.

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};

use super::Base;
use super::commits::{Changes, of_range, revision};
use super::exchange::{Named, OfRepository};
use super::page::{Page, Paged, parameter};
use super::shapes::{Commit, Diff, People};
use crate::compare::{self, Range};
use crate::failure::Failure;
use crate::state::{App, Host};
use crate::store;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/compare/changes", get(changes))
        .route("/projects/{key}/repos/{slug}/compare/commits", get(commits))
        .route("/projects/{key}/repos/{slug}/compare/diff", get(diff))
        .route("/projects/{key}/repos/{slug}/compare/diff/{*path}", get(diff))
}

async fn changes(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Changes>, Failure> {
    let (from, to) = ends(&host, &repository, query.as_deref()).await?;
    let range = compare::introduced(&host, &repository, &from, &to).await?;
    let part = compare::changes(&host, &repository, &range, window).await?;
    Ok(Json(Changes::new((part, window), &repository, range, &base)))
}

async fn commits(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Commit>>, Failure> {
    let (from, to) = ends(&host, &repository, query.as_deref()).await?;
    let range = Range::new(Some(to), from);
    let part = compare::commits(&host, &repository, &range, None, window).await?;
    let people = People::of(&host, &part.rows).await?;
    Ok(Json(Page::new(part, window, |row| Commit::new(row, &people, &base))))
}

async fn diff(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<Json<Diff>, Failure> {
    let (from, to) = ends(&host, &repository, query.as_deref()).await?;
    let range = compare::introduced(&host, &repository, &from, &to).await?;
    of_range(&host, &repository, &range, (named.one("path"), query.as_deref())).await
}

/// Reads `from` and `to`; the one that is not said is the default branch.
async fn ends(
    host: &Host,
    repository: &store::Repository,
    query: Option<&str>,
) -> Result<(String, String), Failure> {
    let given = |name: &str| parameter(query, name).filter(|text| !text.is_empty());
    if let (Some(from), Some(to)) = (given("from"), given("to")) {
        let [from, to] = compare::resolve_all(host, repository, [&from, &to]).await?;
        return Ok((from, to));
    }
    let end = async |name: &str| {
        let found = revision(host, repository, given(name).as_deref()).await?;
        found.ok_or_else(|| Failure::no_default_branch(&repository.project.project_key, &repository.slug))
    };
    Ok((end("from").await?, end("to").await?))
}
