//! `inbox`: pull requests that wait for the user. This version has no pull requests, so none wait.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::auth::Known;
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/inbox/pull-requests/count", get(count))
}

#[derive(Serialize)]
struct Count {
    count: u64,
}

async fn count(_: Known) -> Json<Count> {
    Json(Count { count: 0 })
}
