//! `profile`: the repositories that the user visited last.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::Base;
use super::page::{Page, Paged};
use super::shapes::Repository;
use crate::auth::Known;
use crate::failure::Failure;
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/profile/recent/repos", get(recent))
}

async fn recent(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<Repository>>, Failure> {
    let part = host.store.visited(&account.user, window).await?;
    Ok(Json(Page::new(part, window, |row| Repository::new(row, &base))))
}
