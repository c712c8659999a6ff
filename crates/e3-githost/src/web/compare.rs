//! What one branch has that another has not: as a diff, as commits.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::diff_view::{DiffView, Place};
use super::pager::{pager, window_of};
use super::pages::Frame;
use super::repositories::{RepositoryPage, Tab};
use super::rows::{CommitRow, home_of};
use super::{answer, filters};
use crate::compare::{self, DiffOptions, Range};
use crate::failure::Failure;
use crate::rest;
use crate::state::{App, Host};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/compare", get(diff))
        .route("/projects/{key}/repos/{slug}/compare/diff", get(diff))
        .route("/projects/{key}/repos/{slug}/compare/commits", get(commits))
}

/// Source: the names of Bitbucket's page; the refs are full or short names.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Query {
    source_branch: String,
    target_branch: String,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum View {
    Diff,
    Commits,
}

#[derive(Serialize)]
struct Content {
    home: String,
    source: String,
    target: String,
    /// Names to choose from.
    branches: Vec<String>,
    tab: View,
    /// Why there is nothing to see.
    failure: Option<String>,
    /// Whether both ends were given and stand for commits.
    compared: bool,
    same: bool,
    /// The query that names both ends, encoded.
    ends: String,
    commits: Vec<CommitRow>,
    pager: Value,
}

async fn diff(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let shown = show(&host, &page, (View::Diff, &query.unwrap_or_default())).await;
    answer(&host, &page.account, shown)
}

async fn commits(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let shown = show(&host, &page, (View::Commits, &query.unwrap_or_default())).await;
    answer(&host, &page.account, shown)
}

async fn show(host: &Host, page: &RepositoryPage, (tab, text): (View, &str)) -> Result<Response, Failure> {
    let query: Query = serde_urlencoded::from_str(text).unwrap_or_default();
    let repository = &page.repository;
    let branches = rest::branches_of(host, repository).await?;
    let default = branches.default().map(|branch| branch.name.clone()).unwrap_or_default();
    let target = if query.target_branch.is_empty() { default } else { query.target_branch };
    let mut content = Content {
        home: home_of(repository),
        ends: ends(&query.source_branch, &target),
        source: query.source_branch,
        target,
        branches: branches.list.iter().take(MOST_CHOICES).map(|branch| branch.display().to_owned()).collect(),
        tab,
        failure: None,
        compared: false,
        same: false,
        commits: Vec::new(),
        pager: Value::from(""),
    };
    let mut frames = Vec::new();
    match range(host, page, &content).await {
        Ok(Some(range)) => {
            content.compared = true;
            content.same = range.since.as_deref() == Some(&range.until);
            match tab {
                View::Diff => frames.push(diff_of(host, page, (&content, &range), &query.path).await?),
                View::Commits => {
                    let window = window_of(text);
                    let part = compare::commits(host, repository, &range, None, window).await?;
                    content.commits = part.rows.iter().map(CommitRow::from).collect();
                    let address = format!("{}/compare/commits?{}", content.home, content.ends);
                    content.pager = pager(&address, window, part.more);
                }
            }
        }
        Ok(None) => {}
        Err(failure) if failure.status == http::StatusCode::NOT_FOUND => {
            content.failure = Some(failure.message);
        }
        Err(failure) => return Err(failure),
    }
    frames.extend([Frame::new("compare.html", content), page.frame(Tab::Compare)]);
    host.pages.framed(Some(&page.account), &format!("Compare \u{b7} {}", repository.name), &frames)
}

async fn range(host: &Host, page: &RepositoryPage, content: &Content) -> Result<Option<Range>, Failure> {
    if content.source.is_empty() || content.target.is_empty() {
        return Ok(None);
    }
    let names = [content.source.as_str(), content.target.as_str()];
    let [from, to] = compare::resolve_all(host, &page.repository, names).await?;
    compare::introduced(host, &page.repository, &from, &to).await.map(Some)
}

async fn diff_of(
    host: &Host,
    page: &RepositoryPage,
    (content, range): (&Content, &Range),
    path: &str,
) -> Result<Frame, Failure> {
    let only = Some(path).filter(|path| !path.is_empty());
    let diff = compare::diff(host, &page.repository, range, only, DiffOptions::default()).await?;
    let address = format!("{}/compare/diff?{}", content.home, content.ends);
    let place = Place { address: &address, home: &content.home, until: &range.until, only };
    Ok(Frame::new("diff.html", DiffView::new(&diff, &place)))
}

/// Returns the query that names both ends.
pub(super) fn ends(source: &str, target: &str) -> String {
    format!("sourceBranch={}&targetBranch={}", filters::segment(source), filters::segment(target))
}

/// More names than these nobody looks through.
pub(super) const MOST_CHOICES: usize = 200;
