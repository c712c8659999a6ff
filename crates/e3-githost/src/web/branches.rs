//! A repository's branches.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use minijinja::Value;
use serde::Serialize;

use super::answer;
use super::pager::{pager, window_of};
use super::pages::Frame;
use super::repositories::{RepositoryPage, Tab};
use super::rows::home_of;
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
    home: String,
    branches: Vec<Row>,
    count: usize,
    default: Option<String>,
    pager: Value,
}

async fn list(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let window = window_of(&query.unwrap_or_default());
    let account = Arc::clone(&page.account);
    let content = async {
        let found = rest::branches_of(&host, &page.repository).await?;
        let default = found.default().map(|branch| branch.name.clone());
        let home = home_of(&page.repository);
        let mut list: Vec<_> = found.list.iter().collect();
        list.sort_by_key(|branch| default.as_deref() != Some(&branch.name));
        let part = window.of(list.into_iter());
        let branches = part.rows.into_iter().map(|branch| Row {
            id: branch.name.clone(),
            name: branch.display().to_owned(),
            commit: branch.commit.clone(),
            is_default: default.as_deref() == Some(&branch.name),
        });
        let content = Content {
            branches: branches.collect(),
            count: found.list.len(),
            pager: pager(&format!("{home}/branches"), window, part.more),
            default,
            home,
        };
        let title = format!("Branches of {}", page.repository.name);
        let frames = [Frame::new("branches.html", content), page.frame(Tab::Branches)];
        host.pages.framed(Some(&account), &title, &frames)
    };
    answer(&host, &account, content.await)
}
