//! `profile`: the repositories that the user visited last.

use axum::extract::{RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};

use super::Base;
use super::page::{Page, Paged, parameter};
use super::permissions::repository_level;
use super::shapes::Repository;
use crate::auth::Known;
use crate::failure::Failure;
use crate::permissions::Level;
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/profile/recent/repos", get(recent))
}

async fn recent(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Repository>>, Failure> {
    let least = match parameter(query.as_deref(), "permission") {
        None => Level::Read,
        Some(name) => repository_level(&name).ok_or_else(|| {
            Failure::invalid("permission", format!("{name} is not a repository permission."))
        })?,
    };
    let part = host.store.visited(&account.user, least.number(), window).await?;
    Ok(Json(Page::new(part, window, |row| Repository::new(row, &base))))
}
