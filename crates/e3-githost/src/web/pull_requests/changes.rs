//! What a pull request brings: its diff, and its commits.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::super::answer;
use super::super::diff_view::{DiffView, Place};
use super::super::pager::{pager, window_of};
use super::super::pages::Frame;
use super::super::rows::{CommitRow, home_of};
use super::{PullRequestPage, View};
use crate::compare::{self, DiffOptions};
use crate::failure::Failure;
use crate::pull_requests::scope;
use crate::state::{App, Host};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    path: String,
}

#[derive(Serialize)]
struct Content {
    home: String,
    commits: Vec<CommitRow>,
    pager: Value,
}

pub(super) async fn diff(
    State(host): State<App>,
    page: PullRequestPage,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = show_diff(&host, &page, &query.unwrap_or_default()).await;
    answer(&host, &page.page.account, shown)
}

async fn show_diff(host: &Host, page: &PullRequestPage, query: &str) -> Result<Response, Failure> {
    let query: Query = serde_urlencoded::from_str(query).unwrap_or_default();
    let repository = &page.page.repository;
    let range = scope(host, &page.pull_request).await?;
    let only = Some(query.path.as_str()).filter(|path| !path.is_empty());
    let diff = compare::diff(host, repository, &range, only, DiffOptions::default()).await?;
    let (address, home) = (format!("{}/diff", page.address()), home_of(repository));
    let place = Place { address: &address, home: &home, until: &range.until, only };
    let [one, whole] = page.frames(View::Diff);
    let frames = [Frame::new("diff.html", DiffView::new(&diff, &place)), one, whole];
    host.pages.framed(Some(&page.page.account), &page.title(), &frames)
}

pub(super) async fn commits(
    State(host): State<App>,
    page: PullRequestPage,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = show_commits(&host, &page, &query.unwrap_or_default()).await;
    answer(&host, &page.page.account, shown)
}

async fn show_commits(host: &Host, page: &PullRequestPage, query: &str) -> Result<Response, Failure> {
    let window = window_of(query);
    let repository = &page.page.repository;
    let range = scope(host, &page.pull_request).await?;
    let part = compare::commits(host, repository, &range, None, window).await?;
    let content = Content {
        home: home_of(repository),
        commits: part.rows.iter().map(CommitRow::from).collect(),
        pager: pager(&format!("{}/commits", page.address()), window, part.more),
    };
    let [one, whole] = page.frames(View::Commits);
    let frames = [Frame::new("pull_request_commits.html", content), one, whole];
    host.pages.framed(Some(&page.page.account), &page.title(), &frames)
}
