//! A repository's branches.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::answer;
use super::projects::window_of;
use super::repositories::{RepositoryPage, RepositoryRow};
use crate::rest;
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/branches", get(list))
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    commit: String,
    is_default: bool,
}

#[derive(Serialize)]
struct Content {
    repository: RepositoryRow,
    branches: Vec<Row>,
    start: u32,
    limit: u32,
    more: bool,
}

async fn list(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let window = window_of(&query.unwrap_or_default());
    let account = Arc::clone(&page.account);
    let content = async {
        let found = rest::branches_of(&host, &page.repository).await?;
        let is_default = |name: &str| found.head.as_deref() == Some(name);
        let part = window.of(found.list.iter());
        let branches = part.rows.into_iter().map(|branch| Row {
            id: branch.name.clone(),
            name: branch.display().to_owned(),
            commit: branch.commit.clone(),
            is_default: is_default(&branch.name),
        });
        let title = format!("Branches of {}", page.repository.name);
        let content = Content {
            branches: branches.collect(),
            repository: page.repository.into(),
            start: window.start,
            limit: window.limit,
            more: part.more,
        };
        host.pages.page(Some(&account), ("branches.html", &title), content)
    };
    answer(&host, &account, content.await)
}
