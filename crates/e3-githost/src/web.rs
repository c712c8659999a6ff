//! The pages for people: plain HTML with the data in it, one file a page.

mod branches;
mod browse;
mod commits;
mod compare;
mod dashboard;
mod diff_view;
mod escape;
mod filters;
mod login;
mod pager;
mod pages;
mod projects;
mod pull_requests;
mod repositories;
mod rows;
mod sent;
mod source;
mod tags;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{StatusCode, Uri, header};

use crate::auth::{Account, Visitor};
use crate::failure::Failure;
use crate::state::{App, Host};

pub(crate) use pages::Pages;

/// The routes of all pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .merge(login::routes())
        .merge(dashboard::routes())
        .merge(projects::routes())
        .merge(repositories::routes())
        .merge(browse::routes())
        .merge(branches::routes())
        .merge(commits::routes())
        .merge(tags::routes())
        .merge(compare::routes())
        .merge(pull_requests::routes())
        .merge(users::routes())
        .fallback(nothing)
}

/// Answers with a page that says why not.
pub(crate) fn refuse(host: &Host, visitor: &Visitor, failure: &Failure) -> Response {
    let account = visitor.account().map(AsRef::as_ref);
    let mut page = host.pages.failure(account, failure);
    failure.dress(&mut page);
    page
}

/// Answers with the page, or with one that says why there is none.
fn answer(host: &Host, account: &Arc<Account>, shown: Result<Response, Failure>) -> Response {
    shown.unwrap_or_else(|failure| refuse(host, &Visitor::Known(Arc::clone(account)), &failure))
}

/// The style sheet of all pages, which browsers keep for a while.
pub(crate) async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css;charset=UTF-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("../templates/style.css"))
}

/// The icon of all pages.
pub(crate) async fn icon() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("../templates/icon.svg"))
}

/// A signed-in reader; anyone else is sent to the login page, and back here afterwards.
struct Reader(Arc<Account>);

impl FromRequestParts<App> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Response> {
        let visitor = parts.extensions.get::<Visitor>();
        let account = visitor.and_then(Visitor::account).cloned();
        account.map(Self).ok_or_else(|| to_login(&parts.uri))
    }
}

/// Source: Bitbucket redirects with 302, and clients recognise nothing else.
fn found(location: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

fn to_login(uri: &Uri) -> Response {
    let here = uri.path_and_query().map_or("/", |here| here.as_str());
    let next: String =
        percent_encoding::utf8_percent_encode(here, percent_encoding::NON_ALPHANUMERIC).to_string();
    found(&format!("/login?next={next}"))
}

async fn nothing(State(host): State<App>, visitor: Visitor, uri: Uri) -> Response {
    if uri.path() == "/" {
        return Redirect::permanent("/dashboard").into_response();
    }
    refuse(&host, &visitor, &Failure::no_resource())
}

pub(crate) const STYLE_PATH: &str = "/s/githost.css";
pub(crate) const ICON_PATH: &str = "/s/githost.svg";
/// Pages load nothing but the style sheet and the icon, and run nothing.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'";
