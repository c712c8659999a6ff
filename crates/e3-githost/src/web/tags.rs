//! A repository's tags.

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
use crate::failure::Failure;
use crate::references::{self, Tag, TagOrder};
use crate::state::{App, Host};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/tags", get(list))
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    commit: String,
}

#[derive(Serialize)]
struct Content {
    home: String,
    tags: Vec<Row>,
    pager: Value,
}

impl From<&Tag> for Row {
    fn from(tag: &Tag) -> Self {
        Self { id: tag.name.clone(), name: tag.display().to_owned(), commit: tag.commit.clone() }
    }
}

async fn list(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let shown = show(&host, &page, &query.unwrap_or_default()).await;
    answer(&host, &page.account, shown)
}

async fn show(host: &Host, page: &RepositoryPage, query: &str) -> Result<Response, Failure> {
    let window = window_of(query);
    let tags = references::tags(host, &page.repository, (TagOrder::Modification, None)).await?;
    let part = window.of(tags.iter());
    let home = home_of(&page.repository);
    let content = Content {
        tags: part.rows.into_iter().map(Row::from).collect(),
        pager: pager(&format!("{home}/tags"), window, part.more),
        home,
    };
    let title = format!("Tags of {}", page.repository.name);
    let frames = [Frame::new("tags.html", content), page.frame(Tab::Tags)];
    host.pages.framed(Some(&page.account), &title, &frames)
}
