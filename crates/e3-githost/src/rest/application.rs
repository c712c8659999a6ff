//! `application-properties`: what runs here; for everyone.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/application-properties", get(async || Json(PROPERTIES)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    version: &'static str,
    build_number: &'static str,
    build_date: &'static str,
    display_name: &'static str,
}

/// Clients choose their calls by the version: this is the one whose calls are served here, so far as they are. The name is
/// our own.
///
/// Source: the recorded `{"version":"7.11.2","buildNumber":"7011002","buildDate":"1616539597394",…}`.
const PROPERTIES: Properties = Properties {
    version: "8.19.0",
    build_number: "8019000",
    build_date: "1710288000000",
    display_name: "Bitbucket",
};
