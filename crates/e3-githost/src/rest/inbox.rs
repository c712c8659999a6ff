//! `inbox`: pull requests that wait for the user.

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::Base;
use super::page::{Page, Paged, parameter};
use super::pull_requests::Shape;
use crate::auth::Known;
use crate::failure::Failure;
use crate::pull_requests;
use crate::state::App;
use crate::store::{PullRequestState, PullRequestsOfUser, Role, Status};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/inbox/pull-requests", get(list)).route("/inbox/pull-requests/count", get(count))
}

/// Lists the open pull requests that the user should review, or with `role=author` the user's own.
async fn list(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Shape>>, Failure> {
    let role = parameter(query.as_deref(), "role").filter(|role| !role.is_empty());
    let role = role.map_or(Some(Role::Reviewer), |word| Role::parse(&word));
    let role = role.ok_or_else(|| Failure::invalid("role", "role is one of reviewer and author."))?;
    let wanted = PullRequestsOfUser {
        state: Some(PullRequestState::Open),
        role: Some(role),
        statuses: if role == Role::Reviewer { &[Status::Unapproved] } else { &[] },
        ..PullRequestsOfUser::default()
    };
    let part = pull_requests::list_of_user(&host, &account.user, wanted, window).await?;
    Ok(Json(Page::new(part, window, |row| Shape::new(row, &base))))
}

#[derive(Serialize)]
struct Count {
    count: i64,
}

async fn count(State(host): State<App>, Known(account): Known) -> Result<Json<Count>, Failure> {
    Ok(Json(Count { count: host.store.reviews_waiting(&account.user).await? }))
}
