//! The list of projects, and the form that makes one.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderMap;
use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::pager::{pager, window_of};
use super::rows::ProjectRow;
use super::sent::Sent;
use super::{Reader, answer, found, refuse};
use crate::auth::{Account, Visitor};
use crate::failure::Failure;
use crate::rest;
use crate::state::{App, Host};
use crate::xsrf;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects", get(list).post(create))
}

#[derive(Serialize)]
struct Content {
    projects: Vec<ProjectRow>,
    pager: Value,
}

async fn list(State(host): State<App>, Reader(account): Reader, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    if asks_to_create(&query) {
        return create_form(&host, &account, &Form::default(), None);
    }
    let window = window_of(&query);
    let content = async {
        let part = host.store.projects(&account.user, "", window).await?;
        let projects = part.rows.into_iter().map(ProjectRow::from).collect();
        let content = Content { projects, pager: pager("/projects", window, part.more) };
        host.pages.page(Some(&account), ("projects.html", "Projects"), content)
    };
    answer(&host, &account, content.await)
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Form {
    name: String,
    key: String,
    description: String,
    #[serde(skip_serializing)]
    atl_token: String,
}

async fn create(
    State(host): State<App>,
    Reader(account): Reader,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Response {
    let form: Form = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    if let Err(failure) = may_create(&account, &headers, &form.atl_token) {
        return refuse(&host, &Visitor::Known(account), &failure);
    }
    match rest::make_project(&host, &form.key, Some(&form.name), Some(&form.description)).await {
        Ok(project) => found(&format!("/projects/{}", project.key)),
        Err(failure) => create_form(&host, &account, &form, Some(&failure)),
    }
}

/// Only administrators make things, and only from a page of ours.
pub(super) fn may_create(account: &Account, headers: &HeaderMap, atl_token: &str) -> Result<(), Failure> {
    xsrf::check_form(account, headers, atl_token)?;
    if account.user.admin { Ok(()) } else { Err(Failure::not_permitted()) }
}

/// Returns whether the query has the bare word `create`, as Bitbucket's forms do.
pub(super) fn asks_to_create(query: &str) -> bool {
    query.split('&').any(|word| word == "create" || word == "create=")
}

fn create_form(host: &Host, account: &Account, form: &Form, failure: Option<&Failure>) -> Response {
    #[derive(Serialize)]
    struct Content<'a> {
        form: &'a Form,
        failure: Option<&'a str>,
    }
    let content = Content { form, failure: failure.map(|failure| failure.message.as_str()) };
    host.pages
        .page(Some(account), ("create_project.html", "Create project"), content)
        .unwrap_or_else(IntoResponse::into_response)
}
