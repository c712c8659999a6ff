//! `dashboard`: suggestions for pull requests. This version has no pull requests, so there are none.

use axum::routing::get;
use axum::{Json, Router};

use super::page::{Page, Paged};
use crate::auth::Known;
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/dashboard/pull-request-suggestions", get(suggestions))
}

async fn suggestions(_: Known, Paged(window): Paged) -> Json<Page<serde_json::Value>> {
    Json(Page::empty(window))
}
