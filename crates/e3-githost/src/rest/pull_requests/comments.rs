//! `comments` and `blocker-comments`: the latter are tasks.

use std::collections::HashMap;

use axum::extract::{OriginalUri, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::OfPullRequest;
use super::shapes::refuse;
use crate::auth::{Account, Known};
use crate::failure::Failure;
use crate::pull_requests::{self, CommentWish};
use crate::rest::Base;
use crate::rest::exchange::{MayWrite, Named, Write};
use crate::rest::page::{Page, Paged, parameter};
use crate::rest::shapes::User;
use crate::state::App;
use crate::store::{self, CommentEdit, Part, PullRequest};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/comments", get(list).post(add))
        .route(
            "/projects/{key}/repos/{slug}/pull-requests/{id}/comments/{comment}",
            get(one).put(edit).delete(remove),
        )
        .route(
            "/projects/{key}/repos/{slug}/pull-requests/{id}/blocker-comments",
            get(blockers).post(add_blocker),
        )
        .route(
            "/projects/{key}/repos/{slug}/pull-requests/{id}/blocker-comments/{comment}",
            get(one).put(edit).delete(remove),
        )
}

/// A comment with its replies. Source: recorded answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comment {
    properties: Properties,
    id: i64,
    version: i64,
    text: String,
    author: User,
    created_date: i64,
    updated_date: i64,
    comments: Vec<Comment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<Anchor>,
    tasks: [(); 0],
    severity: String,
    state: String,
    permitted_operations: PermittedOperations,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    repository_id: i64,
}

#[derive(Debug, Serialize)]
struct PermittedOperations {
    editable: bool,
    transitionable: bool,
    deletable: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Anchor {
    from_hash: String,
    to_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_type: Option<String>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_path: Option<String>,
    diff_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    orphaned: Option<bool>,
}

/// Whose view of comments of which repository it is.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) account: &'a Account,
    pub(super) repository: &'a store::Repository,
    pub(super) base: &'a Base,
}

impl Anchor {
    pub(super) fn new(row: &store::Anchor) -> Option<Self> {
        Some(Self {
            from_hash: row.from_hash.clone().unwrap_or_default(),
            to_hash: row.to_hash.clone().unwrap_or_default(),
            line: row.line,
            line_type: row.line_type.clone(),
            file_type: row.file_type.clone(),
            path: row.path.clone()?,
            src_path: row.source_path.clone(),
            diff_type: "EFFECTIVE",
            orphaned: None,
        })
    }

    /// Returns it as activities have it, which also say whether the line is gone.
    pub(super) fn of_activity(row: &store::Anchor) -> Option<Self> {
        Some(Self { orphaned: Some(false), ..Self::new(row)? })
    }
}

impl Comment {
    /// Returns its id, and itself as activities have it, which say beside it what it is about.
    pub(super) fn without_anchor(self) -> (i64, Self) {
        (self.id, Self { anchor: None, ..self })
    }
}

/// Makes trees of comments, and returns those of the roots in their order; what hangs on none of them is left out.
///
/// The store bounds how deep replies go.
pub(super) fn trees(rows: Vec<store::Comment>, roots: &[i64], view: View<'_>) -> Vec<Comment> {
    let mut replies: HashMap<i64, Vec<i64>> = HashMap::new();
    for row in &rows {
        if let Some(parent) = row.parent_id {
            replies.entry(parent).or_default().push(row.comment_id);
        }
    }
    let mut rows: HashMap<i64, store::Comment> = rows.into_iter().map(|row| (row.comment_id, row)).collect();
    roots.iter().filter_map(|root| tree(*root, &mut rows, &replies, view)).collect()
}

fn tree(
    id: i64,
    rows: &mut HashMap<i64, store::Comment>,
    replies: &HashMap<i64, Vec<i64>>,
    view: View<'_>,
) -> Option<Comment> {
    let row = rows.remove(&id)?;
    let beneath = replies.get(&id).map(Vec::as_slice).unwrap_or_default();
    let comments: Vec<Comment> =
        beneath.iter().filter_map(|reply| tree(*reply, rows, replies, view)).collect();
    let user = &view.account.user;
    let own = row.author.id == user.id;
    let permitted_operations = PermittedOperations {
        editable: own,
        transitionable: true,
        deletable: (own || user.admin) && comments.is_empty(),
    };
    Some(Comment {
        properties: Properties { repository_id: view.repository.id },
        id,
        version: row.comment_version,
        text: row.text,
        created_date: row.created_ms,
        updated_date: row.updated_ms,
        comments,
        anchor: Anchor::new(&row.anchor).filter(|_| row.parent_id.is_none()),
        tasks: [],
        severity: row.severity,
        state: row.comment_state,
        permitted_operations,
        author: User::new(row.author, view.base),
    })
}

/// Returns the tree of which the first row is the root.
fn whole(rows: Vec<store::Comment>, view: View<'_>) -> Result<Comment, Failure> {
    let root = rows.first().map(|row| row.comment_id).ok_or_else(Failure::no_resource)?;
    trees(rows, &[root], view).pop().ok_or_else(Failure::no_resource)
}

/// Lists the threads about one file.
async fn list(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Comment>>, Failure> {
    let path = parameter(query.as_deref(), "path").filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| Failure::invalid("path", "The path of the file is required."))?;
    let part = host.store.comments_at(&pull_request, Some(&path), window).await?;
    let page = threads(&host, &pull_request, part, (&account, &base)).await?;
    Ok(Json(Page::new(page, window, |comment| comment)))
}

async fn blockers(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Response, Failure> {
    let query = query.as_deref();
    if parameter(query, "count").as_deref() == Some("true") {
        let counts: HashMap<String, i64> =
            host.store.blocker_counts(&pull_request).await?.into_iter().collect();
        return Ok(Json(counts).into_response());
    }
    let state = parameter(query, "state").or_else(|| parameter(query, "states"));
    let state = state.filter(|state| matches!(state.as_str(), "OPEN" | "RESOLVED"));
    let part = host.store.blockers(&pull_request, state.as_deref(), window).await?;
    let page = threads(&host, &pull_request, part, (&account, &base)).await?;
    Ok(Json(Page::new(page, window, |comment| comment)).into_response())
}

/// Adds the replies to the first comments of threads, by one statement.
async fn threads(
    host: &App,
    pull_request: &PullRequest,
    part: Part<store::Comment>,
    (account, base): (&Account, &Base),
) -> Result<Part<Comment>, Failure> {
    let roots: Vec<i64> = part.rows.iter().map(|row| row.comment_id).collect();
    let rows = host.store.comment_threads(pull_request, &roots).await?;
    let view = View { account, repository: &pull_request.repository, base };
    Ok(Part { rows: trees(rows, &roots, view), more: part.more })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wished {
    text: Option<String>,
    version: Option<i64>,
    parent: Option<ParentWish>,
    anchor: Option<AnchorWish>,
    severity: Option<String>,
    state: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ParentWish {
    id: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AnchorWish {
    path: Option<PathWish>,
    src_path: Option<PathWish>,
    line: Option<i64>,
    line_type: Option<String>,
    file_type: Option<String>,
    from_hash: Option<String>,
    to_hash: Option<String>,
}

/// A path as text, or taken apart as answers have it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum PathWish {
    Text(String),
    Parts { components: Vec<String> },
}

impl PathWish {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts { components } => components.join("/"),
        }
    }
}

impl AnchorWish {
    fn checked(self) -> Result<store::Anchor, Failure> {
        let is_word =
            |word: &Option<String>, words: &[&str]| word.as_deref().is_none_or(|word| words.contains(&word));
        if !is_word(&self.line_type, &["ADDED", "REMOVED", "CONTEXT"]) {
            return Err(Failure::invalid(
                "anchor.lineType",
                "lineType is one of ADDED, REMOVED and CONTEXT.",
            ));
        }
        if !is_word(&self.file_type, &["FROM", "TO"]) {
            return Err(Failure::invalid("anchor.fileType", "fileType is one of FROM and TO."));
        }
        for hash in [&self.from_hash, &self.to_hash].into_iter().flatten() {
            if !crate::compare::is_id(hash) {
                return Err(Failure::invalid("anchor.toHash", "A hash is a commit's full id."));
            }
        }
        Ok(store::Anchor {
            path: self.path.map(PathWish::text).filter(|path| !path.is_empty()),
            source_path: self.src_path.map(PathWish::text).filter(|path| !path.is_empty()),
            line: self.line,
            line_type: self.line_type,
            file_type: self.file_type,
            from_hash: self.from_hash,
            to_hash: self.to_hash,
        })
    }
}

async fn add(
    host: State<App>,
    pull_request: OfPullRequest,
    known: Known,
    uri: OriginalUri,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Response, Failure> {
    let is_blocker = wished.severity.as_deref() == Some("BLOCKER");
    make(host, pull_request, known, (uri, base), (wished, is_blocker)).await
}

async fn add_blocker(
    host: State<App>,
    pull_request: OfPullRequest,
    known: Known,
    uri: OriginalUri,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Response, Failure> {
    make(host, pull_request, known, (uri, base), (wished, true)).await
}

async fn make(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    (OriginalUri(uri), base): (OriginalUri, Base),
    (wished, is_blocker): (Wished, bool),
) -> Result<Response, Failure> {
    let wish = CommentWish {
        text: wished.text.unwrap_or_default(),
        parent: wished.parent.and_then(|parent| parent.id),
        is_blocker,
        anchor: wished.anchor.map(AnchorWish::checked).transpose()?.unwrap_or_default(),
    };
    let rows = pull_requests::add_comment(&host, &account.user, &pull_request, wish).await?;
    let view = View { account: &account, repository: &pull_request.repository, base: &base };
    let comment = whole(rows, view)?;
    let place = base.url(&format!("{}/{}", uri.path().trim_end_matches('/'), comment.id));
    let mut response = (StatusCode::CREATED, Json(comment)).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn one(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    named: Named,
    base: Base,
) -> Result<Json<Comment>, Failure> {
    let rows = pull_requests::comment(&host, &pull_request, named.one("comment")).await?;
    let view = View { account: &account, repository: &pull_request.repository, base: &base };
    whole(rows, view).map(Json)
}

async fn edit(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    named: Named,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Json<Comment>, Failure> {
    let word = |given: &Option<String>, words: [&str; 2], name: &'static str| match given.as_deref() {
        Some(word) if !words.contains(&word) => {
            Err(Failure::invalid(name, format!("{name} is one of {} and {}.", words[0], words[1])))
        }
        _ => Ok(()),
    };
    word(&wished.severity, ["NORMAL", "BLOCKER"], "severity")?;
    word(&wished.state, ["OPEN", "RESOLVED"], "state")?;
    let edit = CommentEdit {
        text: wished.text.as_deref(),
        severity: wished.severity.as_deref(),
        state: wished.state.as_deref(),
    };
    let of = (&pull_request, named.one("comment"));
    let version = wished.version.unwrap_or(-1);
    let made = pull_requests::edit_comment(&host, &account.user, of, version, edit).await;
    let rows = made.map_err(|refusal| refuse(refusal, &base))?;
    let view = View { account: &account, repository: &pull_request.repository, base: &base };
    whole(rows, view).map(Json)
}

async fn remove(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    _: MayWrite,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let version = super::version(query.as_deref(), None)?;
    let of = (&pull_request, named.one("comment"));
    pull_requests::remove_comment(&host, &account.user, of, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
