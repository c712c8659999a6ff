//! A repository's files, at a branch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::answer;
use super::repositories::{RepositoryPage, RepositoryRow};
use crate::failure::Failure;
use crate::git::{Branches, Content, EntryKind, Found, GitError};
use crate::names::is_tree_path;
use crate::rest::{self, Base};
use crate::state::{App, Host};

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
    repository: RepositoryRow,
    clone_url: String,
    branches: usize,
    at: Option<String>,
    is_default: bool,
    steps: Vec<Step>,
    latest: Option<LatestRow>,
    entries: Option<Vec<EntryRow>>,
    text: Option<String>,
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
    committed: i64,
    subject: String,
}

#[derive(Serialize)]
struct EntryRow {
    name: String,
    path: String,
    kind: &'static str,
    object: String,
}

async fn browse(
    State(host): State<App>,
    page: RepositoryPage,
    RawQuery(query): RawQuery,
    base: Base,
) -> Response {
    let account = Arc::clone(&page.account);
    let query: Query = serde_urlencoded::from_str(query.as_deref().unwrap_or("")).unwrap_or_default();
    let title = page.repository.name.clone();
    let shown = match show(&host, page, &query.at, &base).await {
        Ok(content) => host.pages.page(Some(&account), ("browse.html", &title), content),
        Err(failure) => Err(failure),
    };
    answer(&host, &account, shown)
}

async fn show(host: &Host, page: RepositoryPage, at: &str, base: &Base) -> Result<Page, Failure> {
    let RepositoryPage { repository, path, .. } = page;
    let branches = rest::branches_of(host, &repository).await?;
    let clone =
        format!("/scm/{}/{}.git", repository.project.project_key.to_ascii_lowercase(), repository.slug);
    let mut content = Page {
        clone_url: base.url(&clone),
        branches: branches.list.len(),
        at: None,
        is_default: false,
        steps: steps(&path),
        latest: None,
        entries: None,
        text: None,
        opaque_bytes: None,
        repository: repository.clone().into(),
    };
    let Some((name, commit)) = choose(&branches, at)? else {
        return if path.is_empty() { Ok(content) } else { Err(Failure::no_resource()) };
    };
    content.is_default = branches.head.as_deref() == Some(&name);
    content.at = Some(name);
    if !path.is_empty() && !is_tree_path(&path) {
        return Err(Failure::no_resource());
    }
    let found = look(host, (repository.id, commit.clone(), path.clone())).await?;
    let found = found.ok_or_else(Failure::no_resource)?;
    content.latest = Some(LatestRow {
        commit,
        author: found.latest.author.clone(),
        committed: found.latest.committed,
        subject: found.latest.subject.clone(),
    });
    match &found.content {
        Content::Directory(entries) => {
            let row = |entry: &crate::git::Entry| EntryRow {
                path: if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) },
                name: entry.name.clone(),
                kind: kind_of(entry.kind),
                object: entry.object.chars().take(11).collect(),
            };
            content.entries = Some(entries.iter().map(row).collect());
        }
        Content::Text(text) => content.text = Some(text.clone()),
        Content::Opaque(size) => content.opaque_bytes = Some(*size),
    }
    Ok(content)
}

/// Returns the branch to show: the one that was asked for, else the default one, else the first; none if there is none.
fn choose(branches: &Branches, at: &str) -> Result<Option<(String, String)>, Failure> {
    let chosen = if at.is_empty() {
        branches.default().or(branches.list.first())
    } else {
        Some(branches.find(at).ok_or_else(Failure::no_resource)?)
    };
    Ok(chosen.map(|branch| (branch.name.clone(), branch.commit.clone())))
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
