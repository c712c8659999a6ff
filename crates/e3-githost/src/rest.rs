//! Bitbucket's REST interface, version 1.0, which is also `latest`: one file a resource.

mod application;
mod branches;
mod dashboard;
mod exchange;
mod inbox;
mod page;
mod profile;
mod projects;
mod repositories;
mod shapes;
mod users;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::failure::Failure;
use crate::state::App;

pub(crate) use branches::read as branches_of;
pub(crate) use exchange::Base;
pub(crate) use projects::make as make_project;
pub(crate) use repositories::{DEFAULT_BRANCH, Wished, make as make_repository};

/// The routes below `/rest`.
pub(crate) fn routes() -> Router<App> {
    let api = Router::new()
        .merge(application::routes())
        .merge(projects::routes())
        .merge(repositories::routes())
        .merge(branches::routes())
        .merge(users::routes())
        .merge(profile::routes())
        .merge(inbox::routes())
        .merge(dashboard::routes());
    Router::new()
        .nest("/api/1.0", api.clone())
        .nest("/api/latest", api)
        .fallback(async || Failure::no_resource())
        .method_not_allowed_fallback(async || Failure::method_not_allowed())
        .layer(middleware::from_fn(negotiate))
}

/// Refuses clients that do not want JSON, and says that an answer is in UTF-8.
async fn negotiate(request: Request, next: Next) -> Response {
    if !accepts_json(request.headers()) {
        // A client that takes no JSON gets no JSON; so does Bitbucket.
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json") {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    }
    response
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut wanted = headers.get_all(header::ACCEPT).iter().peekable();
    if wanted.peek().is_none() {
        return true;
    }
    wanted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|range| {
        let kind = range.split(';').next().unwrap_or("").trim();
        matches!(kind, "" | "*/*" | "application/*" | "application/json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_headers_of_real_clients_pass() {
        let cases = [
            ("application/json, text/javascript, */*; q=0.01", true),
            ("*/*", true),
            ("application/json;charset=UTF-8", true),
            ("text/html", false),
            ("application/xml, image/*", false),
        ];
        for (value, passes) in cases {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]);
            assert_eq!(accepts_json(&headers), passes, "{value}");
        }
        assert!(accepts_json(&HeaderMap::new()));
    }
}
