//! Build statuses: `build-status/…/commits/{commit}`, and `commits/{commit}/builds` of a repository.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::allowed::Writable;
use super::exchange::{MayWrite, Named, OfRepository, Write};
use super::page::{Page, Paged, required};
use crate::auth::Known;
use crate::compare::{self, is_id};
use crate::failure::Failure;
use crate::permissions::Level;
use crate::state::App;
use crate::store::{BuildCount, BuildStatus, NewBuildStatus};

/// The routes of a repository's commits.
pub(super) fn routes() -> Router<App> {
    let builds = get(one).post(set_of_repository).delete(delete);
    Router::new().route("/projects/{key}/repos/{slug}/commits/{commit}/builds", builds)
}

/// The routes below `/rest/build-status`: a commit is the same wherever it is.
pub(super) fn status_routes() -> Router<App> {
    Router::new()
        .route("/commits/stats", post(many_counts))
        .route("/commits/stats/{commit}", get(counts))
        .route("/commits/{commit}", get(list).post(set))
}

/// Source: recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: String,
    key: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
    date_added: i64,
}

/// The same with the names of a repository's builds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    key: String,
    state: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
    created_date: i64,
    updated_date: i64,
}

/// Source: the interface's description.
#[derive(Debug, Default, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    successful: i64,
    in_progress: i64,
    failed: i64,
    cancelled: i64,
    unknown: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    key: Option<String>,
    state: Option<String>,
    name: Option<String>,
    url: Option<String>,
    description: Option<String>,
    r#ref: Option<String>,
    parent: Option<String>,
    build_number: Option<String>,
    duration: Option<i64>,
    test_results: Option<Map<String, Value>>,
}

async fn list(
    State(host): State<App>,
    _: Known,
    named: Named,
    Paged(window): Paged,
) -> Result<Json<Page<Status>>, Failure> {
    let part = host.store.build_statuses(&commit_of(&named)?, window).await?;
    Ok(Json(Page::new(part, window, Status::new)))
}

async fn set(
    State(host): State<App>,
    Known(account): Known,
    named: Named,
    Write(wish): Write<Wish>,
) -> Result<StatusCode, Failure> {
    account.check_token_in_repository(Level::Read)?;
    let (commit, checked) = (commit_of(&named)?, wish.check()?);
    host.store.set_build_status(None, checked.row(&commit)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn counts(State(host): State<App>, _: Known, named: Named) -> Result<Json<Counts>, Failure> {
    let commit = commit_of(&named)?;
    let found = host.store.build_counts(std::slice::from_ref(&commit)).await?;
    Ok(Json(Counts::of(&found, &commit)))
}

async fn many_counts(
    State(host): State<App>,
    Write(commits): Write<Vec<String>>,
) -> Result<Json<BTreeMap<String, Counts>>, Failure> {
    if commits.len() > MOST_AT_ONCE {
        return Err(Failure::bad_request("These are too many commits at once."));
    }
    if let Some(other) = commits.iter().find(|commit| !is_id(commit)) {
        return Err(not_an_id(other));
    }
    let found = host.store.build_counts(&commits).await?;
    let counted = commits.into_iter().map(|commit| (commit.clone(), Counts::of(&found, &commit)));
    Ok(Json(counted.collect()))
}

async fn one(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<Json<Build>, Failure> {
    let key = required(query.as_deref(), "key")?;
    let commit = compare::resolve(&host, &repository, named.one("commit")).await?;
    let found = host.store.build_status(&repository, &commit, &key).await?;
    // Source: recorded without an exception.
    let message = format!("No build {key} says anything of commit {commit}.");
    found.map(|row| Json(Build::new(row))).ok_or(Failure { message, ..Failure::no_resource() })
}

async fn set_of_repository(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    Write(wish): Write<Wish>,
) -> Result<StatusCode, Failure> {
    let checked = wish.check()?;
    let commit = compare::resolve(&host, &repository, named.one("commit")).await?;
    host.store.set_build_status(Some(&repository), checked.row(&commit)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete(
    State(host): State<App>,
    Writable(repository): Writable,
    _: MayWrite,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let key = required(query.as_deref(), "key")?;
    let commit = compare::resolve(&host, &repository, named.one("commit")).await?;
    host.store.delete_build_status(&repository, &commit, &key).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Status {
    fn new(row: BuildStatus) -> Self {
        Self { state: row.state, key: row.key, rest: parse(&row.document), date_added: row.updated_ms }
    }
}

impl Build {
    fn new(row: BuildStatus) -> Self {
        let rest = parse(&row.document);
        Self {
            key: row.key,
            state: row.state,
            rest,
            created_date: row.added_ms,
            updated_date: row.updated_ms,
        }
    }
}

impl Counts {
    fn of(found: &[BuildCount], commit: &str) -> Self {
        let mut counts = Self::default();
        for row in found.iter().filter(|row| row.commit_id == commit) {
            *match row.state.as_str() {
                "SUCCESSFUL" => &mut counts.successful,
                "INPROGRESS" => &mut counts.in_progress,
                "FAILED" => &mut counts.failed,
                "CANCELLED" => &mut counts.cancelled,
                _ => &mut counts.unknown,
            } = row.count;
        }
        counts
    }
}

/// A build's status whose members are what they must be.
struct Checked {
    key: String,
    state: String,
    document: String,
}

impl Checked {
    fn row<'a>(&'a self, commit: &'a str) -> NewBuildStatus<'a> {
        NewBuildStatus { commit, key: &self.key, state: &self.state, document: &self.document }
    }
}

impl Wish {
    /// Source: the interface's description of what must be there, and of how long it may be.
    fn check(self) -> Result<Checked, Failure> {
        let text = |value: Option<String>, name: &'static str, longest: usize| match value {
            Some(text) if text.chars().count() > longest => {
                Err(Failure::invalid(name, format!("{name} is limited to {longest} characters.")))
            }
            other => Ok(other.filter(|text| !text.is_empty())),
        };
        let missing = |name: &'static str| Failure::invalid(name, format!("{name} is required."));
        let key = text(self.key, "key", 255)?.ok_or_else(|| missing("key"))?;
        let url = text(self.url, "url", 450)?.ok_or_else(|| missing("url"))?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Failure::invalid("url", "url must begin with http:// or https://."));
        }
        let state = self.state.ok_or_else(|| missing("state"))?.to_ascii_uppercase();
        if !STATES.contains(&state.as_str()) {
            return Err(Failure::invalid("state", format!("state is one of {}.", STATES.join(", "))));
        }
        let mut rest = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            rest.extend(value.map(|value| (name.to_owned(), Value::String(value))));
        };
        put("name", text(self.name, "name", 255)?);
        put("url", Some(url));
        put("description", text(self.description, "description", 1024)?);
        put("ref", text(self.r#ref, "ref", 1024)?);
        put("parent", text(self.parent, "parent", 1024)?);
        put("buildNumber", text(self.build_number, "buildNumber", 255)?);
        rest.extend(self.duration.map(|duration| ("duration".to_owned(), duration.into())));
        rest.extend(self.test_results.map(|results| ("testResults".to_owned(), Value::Object(results))));
        let document = Value::Object(rest).to_string();
        Ok(Checked { key, state, document })
    }
}

fn parse(document: &str) -> Map<String, Value> {
    serde_json::from_str(document).unwrap_or_default()
}

fn commit_of(named: &Named) -> Result<String, Failure> {
    let commit = named.one("commit");
    if is_id(commit) { Ok(commit.to_ascii_lowercase()) } else { Err(not_an_id(commit)) }
}

fn not_an_id(text: &str) -> Failure {
    Failure::invalid("commitId", format!("{text:?} is not a commit's full id."))
}

const STATES: [&str; 5] = ["SUCCESSFUL", "FAILED", "INPROGRESS", "CANCELLED", "UNKNOWN"];
const MOST_AT_ONCE: usize = 1000;
