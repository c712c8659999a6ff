//! A repository's files, at a branch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::answer;
use super::pages::Frame;
use super::repositories::{RepositoryPage, Tab};
use super::rows::{LONGEST_SUBJECT, clip, home_of};
use super::source::Source;
use crate::compare;
use crate::failure::Failure;
use crate::git::{Branches, Content, Entry, EntryKind, Found, GitError};
use crate::names::is_tree_path;
use crate::rest;
use crate::state::{App, Host};
use crate::store::Repository;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}", get(browse))
        .route("/projects/{key}/repos/{slug}/browse", get(browse))
        .route("/projects/{key}/repos/{slug}/browse/{*path}", get(browse))
}

/// What lies at a path of a commit never changes, so what was found lately is kept.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    found: Mutex<HashMap<Place, Option<Arc<Found>>>>,
}

type Place = (i64, String, String);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    at: String,
}

#[derive(Serialize)]
struct Page {
    home: String,
    slug: String,
    description: Option<String>,
    clone_url: String,
    path: String,
    at: Option<String>,
    is_default: bool,
    steps: Vec<Step>,
    latest: Option<LatestRow>,
    entries: Option<Vec<EntryRow>>,
    all_entries: usize,
    source: Option<Source>,
    opaque_bytes: Option<u64>,
}

/// A directory on the way to the path.
#[derive(Serialize)]
struct Step {
    name: String,
    path: String,
}

#[derive(Serialize)]
struct LatestRow {
    commit: String,
    author: String,
    committed_ms: i64,
    subject: String,
}

#[derive(Serialize)]
struct EntryRow {
    name: String,
    path: String,
    kind: &'static str,
    object: String,
}

async fn browse(State(host): State<App>, page: RepositoryPage, RawQuery(query): RawQuery) -> Response {
    let query: Query = serde_urlencoded::from_str(query.as_deref().unwrap_or("")).unwrap_or_default();
    let shown = async {
        let content = show(&host, &page, &query.at).await?;
        let title = match page.path.rsplit('/').next().filter(|name| !name.is_empty()) {
            Some(name) => format!("{name} \u{b7} {}", page.repository.name),
            None => page.repository.name.clone(),
        };
        let frames = [Frame::new("browse.html", content), page.frame(Tab::Source)];
        host.pages.framed(Some(&page.account), &title, &frames)
    };
    answer(&host, &page.account, shown.await)
}

async fn show(host: &Host, page: &RepositoryPage, at: &str) -> Result<Page, Failure> {
    let RepositoryPage { repository, path, .. } = page;
    let branches = rest::branches_of(host, repository).await?;
    let mut content = Page {
        home: home_of(repository),
        slug: repository.slug.clone(),
        description: repository.description.clone(),
        clone_url: page.clone_urls.first().cloned().unwrap_or_default(),
        path: path.clone(),
        at: None,
        is_default: false,
        steps: steps(path),
        latest: None,
        entries: None,
        all_entries: 0,
        source: None,
        opaque_bytes: None,
    };
    let Some((name, commit)) = choose(host, repository, &branches, at).await? else {
        return if path.is_empty() { Ok(content) } else { Err(Failure::no_resource()) };
    };
    content.is_default = branches.head.as_deref() == Some(&name);
    content.at = Some(name);
    if !path.is_empty() && !is_tree_path(path) {
        return Err(Failure::no_resource());
    }
    let found = look(host, (repository.id, commit.clone(), path.clone())).await?;
    let found = found.ok_or_else(Failure::no_resource)?;
    content.latest = Some(LatestRow {
        commit,
        author: found.latest.author.clone(),
        committed_ms: found.latest.committed.saturating_mul(1000),
        subject: clip(&found.latest.subject, LONGEST_SUBJECT),
    });
    match &found.content {
        Content::Directory(entries) => {
            let row = |entry: &Entry| EntryRow {
                path: if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) },
                name: entry.name.clone(),
                kind: kind_of(entry.kind),
                object: entry.object.chars().take(11).collect(),
            };
            content.all_entries = entries.len();
            content.entries = Some(entries.iter().take(MOST_ENTRIES).map(row).collect());
        }
        Content::Text(text) => content.source = Some(Source::new(text)),
        Content::Opaque(size) => content.opaque_bytes = Some(*size),
    }
    Ok(content)
}

/// Returns what to show, and its commit: the branch, tag or commit that was asked for, else the default branch, else the
/// first; none if there is none.
async fn choose(
    host: &Host,
    repository: &Repository,
    branches: &Branches,
    at: &str,
) -> Result<Option<(String, String)>, Failure> {
    let branch = if at.is_empty() { branches.default().or(branches.list.first()) } else { branches.find(at) };
    if at.is_empty() || branch.is_some() {
        return Ok(branch.map(|branch| (branch.name.clone(), branch.commit.clone())));
    }
    let commit = compare::resolve(host, repository, at).await?;
    Ok(Some((at.to_owned(), commit)))
}

async fn look(host: &Host, place: Place) -> Result<Option<Arc<Found>>, Failure> {
    if let Some(found) = host.pages.looked.get(&place) {
        return Ok(found);
    }
    let (id, commit, path) = &place;
    let found = match host.git.look(&host.repositories.path(*id), commit, path).await {
        Ok(found) => found.map(Arc::new),
        Err(GitError::Busy(busy)) => return Err(Failure::busy(&busy.to_string())),
        Err(error) => return Err(Failure::internal("look into a commit", &error)),
    };
    host.pages.looked.keep(place, found.clone());
    Ok(found)
}

impl Looked {
    fn get(&self, place: &Place) -> Option<Option<Arc<Found>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn keep(&self, place: Place, found: Option<Arc<Found>>) {
        let mut kept = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(place, found);
    }
}

fn steps(path: &str) -> Vec<Step> {
    let mut so_far = String::new();
    let mut step = |name: &str| {
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(name);
        Step { name: name.to_owned(), path: so_far.clone() }
    };
    path.split('/').filter(|name| !name.is_empty()).map(&mut step).collect()
}

fn kind_of(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Directory => "directory",
        EntryKind::File => "file",
        EntryKind::Link => "link",
        EntryKind::Submodule => "submodule",
    }
}

/// At most half a mebibyte each.
const MOST_KEPT: usize = 128;
const MOST_ENTRIES: usize = 1_000;
