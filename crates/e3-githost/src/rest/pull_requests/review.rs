//! `approve` and `participants`: who thinks what of a pull request.

use axum::extract::{RawQuery, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::requests::UserWish;
use super::shapes::{Participant, refuse};
use super::{OfPullRequest, Own};
use crate::auth::Known;
use crate::failure::Failure;
use crate::pull_requests;
use crate::rest::Base;
use crate::rest::exchange::{MayWrite, Named, Write};
use crate::rest::page::{Page, Paged, parameter};
use crate::state::App;
use crate::store::{Role, Status};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/approve", post(approve).delete(unapprove))
        .route(
            "/projects/{key}/repos/{slug}/pull-requests/{id}/participants",
            get(list).post(add).delete(remove_named),
        )
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/participants/{user}", put(set).delete(remove))
}

async fn approve(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    _: MayWrite,
    base: Base,
) -> Result<Json<Participant>, Failure> {
    let made = pull_requests::set_status(&host, &account.user, &pull_request, Status::Approved).await;
    made.map(|part| Json(Participant::new(&part, &base))).map_err(|refusal| refuse(refusal, &base))
}

async fn unapprove(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    _: MayWrite,
    base: Base,
) -> Result<Json<Participant>, Failure> {
    let made = pull_requests::set_status(&host, &account.user, &pull_request, Status::Unapproved).await;
    made.map(|part| Json(Participant::new(&part, &base))).map_err(|refusal| refuse(refusal, &base))
}

async fn list(
    OfPullRequest(pull_request): OfPullRequest,
    Paged(window): Paged,
    base: Base,
) -> Json<Page<Participant>> {
    let part = window.of(pull_request.people.iter());
    Json(Page::new(part, window, |person| Participant::new(person, &base)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wished {
    user: UserWish,
    role: Option<String>,
    status: Option<String>,
    approved: Option<bool>,
}

async fn add(
    State(host): State<App>,
    own: Own,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Json<Participant>, Failure> {
    if wished.role.as_deref().and_then(Role::parse) != Some(Role::Reviewer) {
        return Err(Failure::invalid("role", "Only the role REVIEWER can be given."));
    }
    let name = wished.user.name.or(wished.user.slug);
    let name = name.ok_or_else(|| Failure::invalid("user", "The name of the user is missing."))?;
    let made = pull_requests::add_reviewer(&host, &own.pull_request, &name).await;
    made.map(|part| Json(Participant::new(&part, &base))).map_err(|refusal| refuse(refusal, &base))
}

/// Sets what the user who asks thinks; nobody else's opinion can be set.
async fn set(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    named: Named,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Json<Participant>, Failure> {
    let slug = named.one("user");
    if slug != account.user.slug && !slug.eq_ignore_ascii_case(&account.user.name) {
        return Err(Failure::not_permitted());
    }
    let status = match (wished.status.as_deref(), wished.approved) {
        (Some(word), _) => Status::parse(word),
        (None, Some(true)) => Some(Status::Approved),
        (None, Some(false)) => Some(Status::Unapproved),
        (None, None) => None,
    };
    let status = status
        .ok_or_else(|| Failure::invalid("status", "status is one of UNAPPROVED, NEEDS_WORK and APPROVED."))?;
    let made = pull_requests::set_status(&host, &account.user, &pull_request, status).await;
    made.map(|part| Json(Participant::new(&part, &base))).map_err(|refusal| refuse(refusal, &base))
}

async fn remove(
    State(host): State<App>,
    own: Own,
    _: MayWrite,
    named: Named,
    base: Base,
) -> Result<StatusCode, Failure> {
    let removed = pull_requests::remove_reviewer(&host, &own.pull_request, named.one("user")).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(|refusal| refuse(refusal, &base))
}

async fn remove_named(
    State(host): State<App>,
    own: Own,
    _: MayWrite,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<StatusCode, Failure> {
    let name = parameter(query.as_deref(), "username").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::invalid("username", "username is required."))?;
    let removed = pull_requests::remove_reviewer(&host, &own.pull_request, &name).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(|refusal| refuse(refusal, &base))
}
