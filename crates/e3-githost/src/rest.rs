//! Bitbucket's REST interface, version 1.0, which is also `latest`: one file a resource.

mod access_tokens;
mod admin;
mod allowed;
mod application;
mod audit;
mod branch_details;
mod branches;
mod build_status;
mod commits;
mod compare;
mod dashboard;
mod default_reviewers;
mod exchange;
mod faults;
mod files;
mod inbox;
mod links;
mod openapi;
mod page;
mod permissions;
mod profile;
mod projects;
mod pull_requests;
mod repositories;
mod settings;
mod shapes;
mod ssh_keys;
mod tags;
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
        .merge(admin::routes())
        .merge(permissions::routes())
        .merge(commits::routes())
        .merge(compare::routes())
        .merge(files::routes())
        .merge(tags::routes())
        .merge(build_status::routes())
        .merge(settings::routes())
        .merge(profile::routes())
        .merge(pull_requests::routes())
        .merge(inbox::routes())
        .merge(dashboard::routes());
    let services = [
        ("api", api),
        ("access-tokens", access_tokens::routes()),
        ("audit", audit::routes()),
        ("branch-utils", branches::utils_routes().merge(links::merge_routes())),
        ("build-status", build_status::status_routes()),
        ("default-reviewers", default_reviewers::routes()),
        ("e3", faults::routes()),
        ("git", tags::git_routes()),
        ("jira", links::jira_routes()),
        ("keys", links::key_routes()),
        ("pull-request-cleanup", pull_requests::cleanup()),
        ("pull-request-source-branch-deletion", pull_requests::source_branch_deletion()),
        ("ssh", ssh_keys::routes()),
    ];
    both_versions(services)
        .merge(openapi::routes())
        .fallback(async || Failure::no_resource())
        .method_not_allowed_fallback(async || Failure::method_not_allowed())
        .layer(middleware::from_fn(negotiate))
        .merge(both_versions([("api", files::raw_routes())]))
}

/// Serves each by the first version's number and as the latest one, which are the same.
fn both_versions(services: impl IntoIterator<Item = (&'static str, Router<App>)>) -> Router<App> {
    services.into_iter().fold(Router::new(), |all, (name, routes)| {
        all.nest(&format!("/{name}/1.0"), routes.clone()).nest(&format!("/{name}/latest"), routes)
    })
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
