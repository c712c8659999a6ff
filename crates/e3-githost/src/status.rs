//! `GET /status`: whether this node takes requests; for load balancers, without a login.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::IntoResponse;
use http::{StatusCode, header};

use crate::state::App;

/// Answers with exactly what provisioning scripts compare to.
pub(crate) async fn status(State(host): State<App>) -> impl IntoResponse {
    let stopping = host.traffic.stopping.load(Ordering::Relaxed);
    let (status, body) =
        if stopping { (StatusCode::SERVICE_UNAVAILABLE, STOPPING) } else { (StatusCode::OK, RUNNING) };
    let headers =
        [(header::CONTENT_TYPE, "application/json;charset=UTF-8"), (header::CACHE_CONTROL, "no-cache")];
    (status, headers, body)
}

/// Source: Bitbucket's own answer, compared byte by byte by the first E3's provisioning.
pub(crate) const RUNNING: &str = r#"{"state":"RUNNING"}"#;
pub(crate) const STOPPING: &str = r#"{"state":"STOPPING"}"#;
