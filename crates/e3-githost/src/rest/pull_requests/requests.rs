//! The pull requests themselves.

use axum::extract::{OriginalUri, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::shapes::{PullRequest, refuse};
use super::{Asked, OfPullRequest, Own, contents, version, wanted};
use crate::auth::Known;
use crate::failure::Failure;
use crate::pull_requests::{self, Changed, Wish};
use crate::rest::Base;
use crate::rest::exchange::{Named, OfRepository, Write};
use crate::rest::page::{Page, Paged};
use crate::state::App;
use crate::store::Repository;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/pull-requests", get(list).post(create))
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}", get(one).put(update).delete(delete))
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/decline", post(decline))
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/reopen", post(reopen))
}

async fn list(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<PullRequest>>, Failure> {
    let filter = wanted::filter(query.as_deref())?;
    let part = pull_requests::list(&host, &repository, &filter, window).await?;
    Ok(Json(Page::new(part, window, |row| PullRequest::new(row, &base))))
}

async fn one(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Response, Failure> {
    let id = named.one("id");
    if let Some(id) = id.strip_suffix(".diff").or_else(|| id.strip_suffix(".patch")) {
        let pull_request = pull_requests::one(&host, &repository, id).await?;
        return contents::raw(&host, &pull_request, named.one("id"), query.as_deref()).await;
    }
    let row = pull_requests::one(&host, &repository, id).await?;
    Ok(Json(PullRequest::new(row, &base)).into_response())
}

/// A branch as clients name it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RefWish {
    id: Option<String>,
    repository: Option<RepositoryWish>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RepositoryWish {
    slug: Option<String>,
    project: Option<ProjectWish>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProjectWish {
    key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReviewerWish {
    user: UserWish,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UserWish {
    pub(super) name: Option<String>,
    pub(super) slug: Option<String>,
}

/// A pull request as clients wish for it; of a new one the version does not count.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wished {
    version: Option<i64>,
    title: Option<String>,
    description: Option<String>,
    from_ref: Option<RefWish>,
    to_ref: Option<RefWish>,
    reviewers: Option<Vec<ReviewerWish>>,
}

async fn create(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Known(account): Known,
    OriginalUri(uri): OriginalUri,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Response, Failure> {
    let from = branch(wished.from_ref.as_ref(), "fromRef", &repository)?;
    let to = branch(wished.to_ref.as_ref(), "toRef", &repository)?;
    let reviewers = names(wished.reviewers.unwrap_or_default());
    let wish = Wish {
        title: wished.title.as_deref().unwrap_or_default(),
        description: wished.description.as_deref(),
        from: &from,
        to: &to,
        reviewers: &reviewers,
    };
    let made = pull_requests::create(&host, &account.user, &repository, wish).await;
    let row = made.map_err(|refusal| refuse(refusal, &base))?;
    let place = base.url(&format!("{}/{}", uri.path().trim_end_matches('/'), row.id));
    let mut response = (StatusCode::CREATED, Json(PullRequest::new(row, &base))).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn update(
    State(host): State<App>,
    own: Own,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Json<PullRequest>, Failure> {
    let to = match &wished.to_ref {
        Some(to) if to.id.is_some() => Some(branch(Some(to), "toRef", &own.pull_request.repository)?),
        _ => None,
    };
    let reviewers = wished.reviewers.map(names);
    let changed = Changed {
        version: wished.version.unwrap_or(-1),
        title: wished.title.as_deref(),
        description: wished.description.as_deref(),
        to: to.as_deref(),
        reviewers: reviewers.as_deref(),
    };
    let made = pull_requests::update(&host, &own.account.user, &own.pull_request, changed).await;
    made.map(|row| Json(PullRequest::new(row, &base))).map_err(|refusal| refuse(refusal, &base))
}

async fn decline(
    State(host): State<App>,
    own: Own,
    RawQuery(query): RawQuery,
    base: Base,
    Write(asked): Write<Asked>,
) -> Result<Json<PullRequest>, Failure> {
    let version = version(query.as_deref(), asked.version)?;
    let made = pull_requests::decline(&host, &own.account.user, &own.pull_request, version).await;
    made.map(|row| Json(PullRequest::new(row, &base))).map_err(|refusal| refuse(refusal, &base))
}

async fn reopen(
    State(host): State<App>,
    own: Own,
    RawQuery(query): RawQuery,
    base: Base,
    Write(asked): Write<Asked>,
) -> Result<Json<PullRequest>, Failure> {
    let version = version(query.as_deref(), asked.version)?;
    let made = pull_requests::reopen(&host, &own.account.user, &own.pull_request, version).await;
    made.map(|row| Json(PullRequest::new(row, &base))).map_err(|refusal| refuse(refusal, &base))
}

async fn delete(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    RawQuery(query): RawQuery,
    base: Base,
    Write(asked): Write<Asked>,
) -> Result<StatusCode, Failure> {
    let version = version(query.as_deref(), asked.version)?;
    let made = pull_requests::delete(&host, &account.user, &pull_request, version).await;
    made.map(|()| StatusCode::NO_CONTENT).map_err(|refusal| refuse(refusal, &base))
}

fn names(reviewers: Vec<ReviewerWish>) -> Vec<String> {
    reviewers.into_iter().filter_map(|reviewer| reviewer.user.name.or(reviewer.user.slug)).collect()
}

/// Returns the branch's name as it was given; its repository is the path's if it is not said.
fn branch(wish: Option<&RefWish>, context: &'static str, repository: &Repository) -> Result<String, Failure> {
    let given = wish.and_then(|wish| wish.id.as_deref()).map(str::trim).filter(|name| !name.is_empty());
    let name = given.ok_or_else(|| Failure::invalid(context, "A pull request needs both its branches."))?;
    if let Some(other) = wish.and_then(|wish| wish.repository.as_ref()) {
        let same =
            |given: Option<&str>, known: &str| given.is_none_or(|given| given.eq_ignore_ascii_case(known));
        let key = other.project.as_ref().and_then(|project| project.key.as_deref());
        if !same(other.slug.as_deref(), &repository.slug) || !same(key, &repository.project.project_key) {
            return Err(Failure {
                status: StatusCode::CONFLICT,
                exception: Some("com.atlassian.bitbucket.pull.InvalidPullRequestTargetException"),
                ..Failure::invalid(
                    context,
                    "Pull requests can only be created between branches of one repository.",
                )
            });
        }
    }
    Ok(name.to_owned())
}
