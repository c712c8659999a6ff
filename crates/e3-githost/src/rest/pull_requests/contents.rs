//! `changes`, `commits` and `diff`: what a pull request brings.

use std::ffi::OsString;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header;
use serde::Serialize;

use super::OfPullRequest;
use super::shapes::page;
use crate::compare::{self, Range};
use crate::failure::Failure;
use crate::git::{GitError, git_dir};
use crate::pull_requests::scope;
use crate::rest::Base;
use crate::rest::commits::{of_range, options};
use crate::rest::exchange::Named;
use crate::rest::page::{Page, Paged, parameter};
use crate::rest::shapes::{Change, Commit, Diff, People};
use crate::state::{App, Host};
use crate::store::PullRequest;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/changes", get(changes))
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/commits", get(commits))
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/diff", get(diff))
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/diff/{*path}", get(diff))
}

/// A page of changes says between which commits they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    from_hash: Option<String>,
    to_hash: String,
    properties: Properties,
    #[serde(flatten)]
    page: Page<Change>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    change_scope: &'static str,
}

/// Lists the changed files. `changeScope` is read in either case, as the first E3 writes it in lower case.
async fn changes(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Changes>, Failure> {
    let range = wanted(&host, &pull_request, query.as_deref()).await?;
    let part = compare::changes(&host, &pull_request.repository, &range, window).await?;
    let link = base.url(&format!("{}/diff", page(&pull_request.repository, pull_request.id)));
    let word = parameter(query.as_deref(), "changeScope").map(|word| word.to_ascii_uppercase());
    let change_scope = match word.as_deref() {
        Some("RANGE") => "RANGE",
        Some("UNREVIEWED") => "UNREVIEWED",
        _ => "ALL",
    };
    Ok(Json(Changes {
        page: Page::new(part, window, |row| Change::new(row, &link)),
        from_hash: range.since,
        to_hash: range.until,
        properties: Properties { change_scope },
    }))
}

async fn commits(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<Commit>>, Failure> {
    let range = Range::new(Some(pull_request.to.commit.clone()), pull_request.from.commit.clone());
    let part = compare::commits(&host, &pull_request.repository, &range, None, window).await?;
    let people = People::of(&host, &part.rows).await?;
    Ok(Json(Page::new(part, window, |row| Commit::new(row, &people, &base))))
}

async fn diff(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<Json<Diff>, Failure> {
    let range = wanted(&host, &pull_request, query.as_deref()).await?;
    of_range(&host, &pull_request.repository, &range, (named.one("path"), query.as_deref())).await
}

/// Returns what is asked for: all that the pull request brings, unless `sinceId` or `untilId` says otherwise.
async fn wanted(host: &Host, pull_request: &PullRequest, query: Option<&str>) -> Result<Range, Failure> {
    let given = |name: &str| parameter(query, name).filter(|text| !text.is_empty());
    let whole = scope(host, pull_request).await?;
    let (since, until) = (given("sinceId"), given("untilId"));
    let repository = &pull_request.repository;
    let until = match until {
        Some(until) => compare::resolve(host, repository, &until).await?,
        None => whole.until,
    };
    let since = match since {
        Some(since) => Some(compare::resolve(host, repository, &since).await?),
        None => whole.since,
    };
    Ok(Range::new(since, until))
}

/// Answers `{id}.diff` and `{id}.patch`: text, as git writes it.
pub(super) async fn raw(
    host: &Host,
    pull_request: &PullRequest,
    name: &str,
    query: Option<&str>,
) -> Result<Response, Failure> {
    let range = scope(host, pull_request).await?;
    let since = range.since.unwrap_or_else(|| pull_request.to.commit.clone());
    let context = format!("--unified={}", options(query)?.context);
    let directory = host.repositories.path(pull_request.repository.id);
    let command: Vec<OsString> = if name.ends_with(".patch") {
        vec!["format-patch".into(), "--stdout".into(), format!("{since}..{}", range.until).into()]
    } else {
        let flags = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames"];
        let flags = flags.into_iter().map(OsString::from);
        flags.chain([context.into(), since.into(), range.until.into(), "--".into()]).collect()
    };
    let excerpt = host.git.excerpt([git_dir(&directory)].into_iter().chain(command), MOST).await;
    let excerpt = excerpt.map_err(|error| match error {
        GitError::Busy(busy) => Failure::busy(&busy.to_string()),
        error => Failure::internal("write a patch", &error),
    })?;
    if excerpt.cut {
        return Err(Failure::too_large());
    }
    Ok(([(header::CONTENT_TYPE, "text/plain;charset=UTF-8")], excerpt.bytes).into_response())
}

const MOST: usize = 16 << 20;
