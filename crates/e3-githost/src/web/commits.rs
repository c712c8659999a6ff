//! A repository's commits, and the page of one with what it changed.

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
use super::rows::{CommitRow, LONGEST_SUBJECT, clip, home_of};
use super::{answer, filters};
use crate::compare::{self, DiffOptions, Range};
use crate::failure::Failure;
use crate::names::is_tree_path;
use crate::rest;
use crate::state::{App, Host};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/commits", get(list))
        .route("/projects/{key}/repos/{slug}/commits/{id}", get(one))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    until: String,
    /// What the source pages call the same.
    at: String,
    path: String,
}

#[derive(Serialize)]
struct ListContent {
    home: String,
    at: Option<String>,
    path: String,
    commits: Vec<CommitRow>,
    pager: Value,
}

async fn list(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let shown = show_list(&host, &page, &query.unwrap_or_default()).await;
    answer(&host, &page.account, shown)
}

async fn show_list(host: &Host, page: &RepositoryPage, query: &str) -> Result<Response, Failure> {
    let window = window_of(query);
    let query: Query = serde_urlencoded::from_str(query).unwrap_or_default();
    if !query.path.is_empty() && !is_tree_path(&query.path) {
        return Err(Failure::no_resource());
    }
    let repository = &page.repository;
    let asked = if query.until.is_empty() { query.at } else { query.until };
    let mut content = ListContent {
        home: home_of(repository),
        at: None,
        path: query.path,
        commits: Vec::new(),
        pager: Value::from(""),
    };
    let at = if asked.is_empty() { start_of(host, page).await? } else { Some(asked) };
    if let Some(at) = at {
        let range = Range::new(None, compare::resolve(host, repository, &at).await?);
        let path = Some(content.path.as_str()).filter(|path| !path.is_empty());
        let part = compare::commits(host, repository, &range, path, window).await?;
        let mut address = format!("{}/commits?until={}", content.home, filters::segment(&at));
        if let Some(path) = path {
            address.push_str(&format!("&path={}", filters::segment(path)));
        }
        content.commits = part.rows.iter().map(CommitRow::from).collect();
        content.pager = pager(&address, window, part.more);
        content.at = Some(at);
    }
    let title = format!("Commits of {}", repository.name);
    let frames = [Frame::new("commits.html", content), page.frame(Tab::Commits)];
    host.pages.framed(Some(&page.account), &title, &frames)
}

/// Returns the branch that is shown when none was asked for; none if the repository is empty.
async fn start_of(host: &Host, page: &RepositoryPage) -> Result<Option<String>, Failure> {
    let branches = rest::branches_of(host, &page.repository).await?;
    Ok(branches.default().or(branches.list.first()).map(|branch| branch.name.clone()))
}

#[derive(Serialize)]
struct CommitContent {
    home: String,
    commit: CommitRow,
    parents: Vec<String>,
    /// The message after its first line.
    body: String,
    email: String,
    committer: Option<String>,
}

async fn one(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let shown = show_one(&host, &page, &query.unwrap_or_default()).await;
    answer(&host, &page.account, shown)
}

async fn show_one(host: &Host, page: &RepositoryPage, query: &str) -> Result<Response, Failure> {
    let query: Query = serde_urlencoded::from_str(query).unwrap_or_default();
    let repository = &page.repository;
    let id = compare::resolve(host, repository, &page.id).await?;
    let commit = compare::commit(host, repository, &id).await?;
    let commit = commit.ok_or_else(|| Failure::no_commit(&page.id, &repository.slug))?;
    let home = home_of(repository);
    let address = format!("{home}/commits/{id}");
    let only = Some(query.path.as_str()).filter(|path| !path.is_empty());
    let diff = compare::diff(host, repository, &Range::of(&commit), only, DiffOptions::default()).await?;
    let place = Place { address: &address, home: &home, until: &id, only };
    let row = CommitRow::from(&commit);
    let title = format!("{} \u{b7} {}", clip(commit.subject(), LONGEST_SUBJECT), repository.name);
    let body = commit.message.split_once('\n').map_or("", |(_, body)| body);
    let shown = DiffView::new(&diff, &place);
    let content = CommitContent {
        body: clip(body.trim_matches('\n'), LONGEST_BODY),
        commit: row,
        committer: Some(commit.committer.name).filter(|name| *name != commit.author.name),
        parents: commit.parents,
        email: commit.author.email,
        home,
    };
    let frames =
        [Frame::new("diff.html", shown), Frame::new("commit.html", content), page.frame(Tab::Commits)];
    host.pages.framed(Some(&page.account), &title, &frames)
}

/// As much of a commit's message as its page shows.
const LONGEST_BODY: usize = 32_768;
