//! `files`, `browse` and `raw`: what lies in a commit.

use std::ffi::OsString;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, header};
use serde::Serialize;

use super::commits::{checked_path, revision};
use super::exchange::{Named, OfRepository};
use super::page::{Page, Paged, parameter};
use super::shapes::Path;
use crate::failure::Failure;
use crate::git::{Content, GitError, git_dir};
use crate::state::{App, Host};
use crate::store::{Repository, Window};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/files", get(files))
        .route("/projects/{key}/repos/{slug}/files/{*path}", get(files))
        .route("/projects/{key}/repos/{slug}/browse", get(browse))
        .route("/projects/{key}/repos/{slug}/browse/{*path}", get(browse))
}

/// Answers in the file's own kind, and so stands apart from what is negotiated as JSON.
pub(super) fn raw_routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/raw/{*path}", get(raw))
}

/// Lists the paths of all files below a directory, as they are from there.
async fn files(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<String>>, Failure> {
    let Some(place) = Place::of(&host, &repository, (&named, query.as_deref())).await? else {
        return Ok(Json(Page::empty(window)));
    };
    let directory = host.repositories.path(repository.id);
    let mut arguments: Vec<OsString> = vec![git_dir(&directory)];
    arguments.extend(["ls-tree", "-r", "-z", "--name-only", "--full-tree"].map(OsString::from));
    arguments.push(place.tree().into());
    let output = match host.git.output(arguments, b"", MOST_NAMES).await {
        Ok(output) => output,
        Err(error) => return Err(refusal(error, &place)),
    };
    let text = String::from_utf8_lossy(&output);
    let names: Vec<&str> = text.split('\0').filter(|name| !name.is_empty()).collect();
    Ok(Json(Page::new(window.of(names.into_iter()), window, str::to_owned)))
}

/// A directory's entries or a file's lines.
async fn browse(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
    Paged(window): Paged,
) -> Result<Response, Failure> {
    let query = query.as_deref();
    let flag = |name: &str| parameter(query, name).as_deref() == Some("true");
    // Source: Bitbucket's page sizes for directories and for lines.
    let limit = if parameter(query, "limit").is_some() { window.limit } else { 500 };
    let window = Window { limit, ..window };
    let Some(place) = Place::of(&host, &repository, (&named, query)).await? else {
        let children = Page::empty(window);
        let path = Path::new("");
        return Ok(Json(Directory { path, revision: String::new(), children }).into_response());
    };
    if let Some(entries) = entries(&host, &repository, &place).await? {
        if flag("type") {
            return Ok(Json(Kind { kind: "DIRECTORY" }).into_response());
        }
        let children = Page::new(window.of(entries.into_iter()), window, |entry| entry);
        let (path, revision) = (Path::new(&place.path), place.name);
        return Ok(Json(Directory { path, revision, children }).into_response());
    }
    if flag("type") {
        return Ok(Json(Kind { kind: "FILE" }).into_response());
    }
    lines(&host, &repository, &place, (window, flag("size"))).await
}

async fn raw(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let place = Place::of(&host, &repository, (&named, query.as_deref())).await?;
    let Some(place) = place else {
        return Err(Failure::no_default_branch(&repository.project.project_key, &repository.slug));
    };
    let directory = host.repositories.path(repository.id);
    let blob = host.git.blob(&directory, &place.commit, &place.path).await;
    let blob = blob.map_err(|error| refusal(error, &place))?;
    let blob = blob.ok_or_else(|| Failure::no_path(&place.path, &place.name))?;
    let (size, stream) = (blob.size, blob.into_stream());
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    // Whatever is in the file, no browser takes it for a page of this server.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    Ok(response)
}

/// A path in a commit.
struct Place {
    /// How the commit was asked for.
    name: String,
    commit: String,
    /// Empty for the root.
    path: String,
}

impl Place {
    /// Reads the path and `at`; none if the repository is empty.
    async fn of(
        host: &Host,
        repository: &Repository,
        (named, query): (&Named, Option<&str>),
    ) -> Result<Option<Self>, Failure> {
        let path = named.one("path").trim_matches('/');
        let path = if path.is_empty() { String::new() } else { checked_path(path, "path")? };
        let at = parameter(query, "at").filter(|at| !at.is_empty());
        let commit = revision(host, repository, at.as_deref()).await?;
        Ok(commit.map(|commit| Self { name: at.unwrap_or_else(|| commit.clone()), commit, path }))
    }

    fn tree(&self) -> String {
        format!("{}:{}", self.commit, self.path)
    }
}

#[derive(Serialize)]
struct Directory {
    path: Path,
    revision: String,
    children: Page<Entry>,
}

/// Source: what Bitbucket names a directory's tree and a file's blob.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    path: Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

#[derive(Serialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Size {
    size: u64,
}

/// Source: recorded; the lines of a file are not called values.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lines<'a> {
    size: usize,
    limit: u32,
    is_last_page: bool,
    lines: Vec<Text<'a>>,
    start: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_start: Option<u32>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Opaque {
    path: Path,
    binary: bool,
    size: u64,
}

/// Returns a directory's entries, directories first; none if the path is no directory.
async fn entries(host: &Host, repository: &Repository, place: &Place) -> Result<Option<Vec<Entry>>, Failure> {
    let directory = host.repositories.path(repository.id);
    let mut arguments: Vec<OsString> = vec![git_dir(&directory)];
    arguments.extend(["ls-tree", "-z", "-l", "--full-tree"].map(OsString::from));
    arguments.push(place.tree().into());
    let output = match host.git.output(arguments, b"", MOST_NAMES).await {
        Ok(output) => output,
        Err(GitError::Failed { .. }) => return Ok(None),
        Err(error) => return Err(refusal(error, place)),
    };
    let text = String::from_utf8_lossy(&output);
    let mut entries: Vec<Entry> = text.split('\0').filter_map(parse_entry).collect();
    // A stable sort keeps the names in order.
    entries.sort_by_key(|entry| entry.node.is_none());
    Ok(Some(entries))
}

/// Reads `100644 blob <id> <size><TAB>name`. Source: git-ls-tree(1).
fn parse_entry(line: &str) -> Option<Entry> {
    let (head, name) = line.split_once('\t')?;
    let mut words = head.split_whitespace();
    let (_, kind, object, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let object = object.to_owned();
    let path = Path::new(name);
    Some(match kind {
        "tree" => Entry { path, content_id: None, node: Some(object), kind: "DIRECTORY", size: None },
        "commit" => Entry { path, content_id: Some(object), node: None, kind: "SUBMODULE", size: None },
        _ => Entry { path, content_id: Some(object), node: None, kind: "FILE", size: size.parse().ok() },
    })
}

async fn lines(
    host: &Host,
    repository: &Repository,
    place: &Place,
    (window, only_size): (Window, bool),
) -> Result<Response, Failure> {
    let directory = host.repositories.path(repository.id);
    let found = host.git.look(&directory, &place.commit, &place.path).await;
    let found = found.map_err(|error| refusal(error, place))?;
    let content = found.map(|found| found.content);
    match content.ok_or_else(|| Failure::no_path(&place.path, &place.name))? {
        Content::Text(text) => {
            if only_size {
                return Ok(Json(Size { size: u64::try_from(text.len()).unwrap_or(u64::MAX) }).into_response());
            }
            let all: Vec<&str> = text.lines().collect();
            let part = window.of(all.into_iter());
            let next = window.start.saturating_add(window.limit);
            let lines = Lines {
                size: part.rows.len(),
                limit: window.limit,
                is_last_page: !part.more,
                start: window.start,
                next_page_start: part.more.then_some(next),
                lines: part.rows.into_iter().map(|text| Text { text }).collect(),
            };
            Ok(Json(lines).into_response())
        }
        Content::Opaque(size) if only_size => Ok(Json(Size { size }).into_response()),
        Content::Opaque(size) => {
            Ok(Json(Opaque { path: Path::new(&place.path), binary: true, size }).into_response())
        }
        Content::Directory(_) => Err(Failure::no_path(&place.path, &place.name)),
    }
}

fn refusal(error: GitError, place: &Place) -> Failure {
    match error {
        GitError::Busy(busy) => Failure::busy(&busy.to_string()),
        // The commit is there: it is the path that names no tree.
        GitError::Failed { .. } => Failure::no_path(&place.path, &place.name),
        GitError::TooMuch(_) => Failure::bad_request("There is more at this path than can be listed."),
        error => Failure::internal("read a tree", &error),
    }
}

const MOST_NAMES: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_by_their_kind() {
        let entry = parse_entry("100644 blob 0123      12\tsp ace.txt").unwrap();
        assert_eq!((entry.kind, entry.size, entry.content_id.as_deref()), ("FILE", Some(12), Some("0123")));
        let entry = parse_entry("040000 tree 4567       -\tsrc").unwrap();
        assert_eq!((entry.kind, entry.size, entry.node.as_deref()), ("DIRECTORY", None, Some("4567")));
        assert_eq!(parse_entry("160000 commit 89ab       -\tlib").unwrap().kind, "SUBMODULE");
        assert!(parse_entry("").is_none());
    }
}
