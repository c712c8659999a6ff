//! The routes of one node.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;

use crate::state::App;
use crate::{faults, git, leftover, metrics, rest, status, visit, web};

/// Returns everything that a node serves.
pub(crate) fn routes(host: App) -> Router {
    let known = Router::new()
        .merge(web::routes())
        .nest("/rest", rest::routes().layer(DefaultBodyLimit::max(host.limits.body_bytes)))
        .nest("/scm", git::routes())
        .layer(DefaultBodyLimit::max(host.limits.body_bytes))
        .layer(middleware::from_fn_with_state(host.clone(), visit::serve))
        .layer(middleware::from_fn_with_state(host.clone(), metrics::count));
    let looks = Router::new()
        .route(web::STYLE_PATH, get(web::style))
        .route(web::ICON_PATH, get(web::icon))
        .layer(middleware::from_fn_with_state(host.clone(), faults::disturb));
    Router::new()
        .route("/status", get(status::status))
        .route("/metrics", get(metrics::serve))
        .merge(looks)
        .merge(known)
        .layer(middleware::from_fn(leftover::take))
        .with_state(host)
}
