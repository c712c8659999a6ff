//! `projects/{key}/repos/{slug}/tags`, and `git/…/tags`, which also deletes.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::allowed::Writable;
use super::exchange::{MayWrite, Named, OfRepository, Write};
use super::page::{Page, Paged, parameter};
use super::shapes::Tag;
use crate::auth::Known;
use crate::compare;
use crate::failure::Failure;
use crate::names::is_ref_name;
use crate::references::{self, TagOrder};
use crate::state::{App, Host};
use crate::store;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/tags", get(list).post(create))
        .route("/projects/{key}/repos/{slug}/tags/{*name}", get(one))
}

/// The routes below `/rest/git`.
pub(super) fn git_routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/tags", axum::routing::post(create_with_location))
        .route("/projects/{key}/repos/{slug}/tags/{*name}", delete(remove))
}

async fn list(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<Tag>>, Failure> {
    let order = match parameter(query.as_deref(), "orderBy").as_deref() {
        Some("ALPHABETICAL") => TagOrder::Alphabetical,
        // Source: the interface's description, "the default is MODIFICATION".
        _ => TagOrder::Modification,
    };
    let mut found = references::tags(&host, &repository, (order, None)).await?;
    let text = parameter(query.as_deref(), "filterText").unwrap_or_default().to_lowercase();
    found.retain(|tag| tag.display().to_lowercase().contains(&text));
    Ok(Json(Page::new(window.of(found.into_iter()), window, Tag::new)))
}

async fn one(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    named: Named,
) -> Result<Json<Tag>, Failure> {
    find(&host, &repository, &named).await.map(|tag| Json(Tag::new(tag)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    name: Option<String>,
    start_point: Option<String>,
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Source: the older resource answers 200, the newer one 201.
async fn create(
    State(host): State<App>,
    Known(account): Known,
    Writable(repository): Writable,
    Write(wish): Write<Wish>,
) -> Result<Json<Tag>, Failure> {
    make(&host, &repository, (&account.user, wish)).await.map(Json)
}

async fn create_with_location(
    State(host): State<App>,
    Known(account): Known,
    Writable(repository): Writable,
    Write(wish): Write<Wish>,
) -> Result<Response, Failure> {
    let tag = make(&host, &repository, (&account.user, wish)).await?;
    Ok((StatusCode::CREATED, Json(tag)).into_response())
}

async fn make(
    host: &Host,
    repository: &store::Repository,
    (user, wish): (&store::User, Wish),
) -> Result<Tag, Failure> {
    let name = wish.name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::invalid("name", "A tag needs a name."))?;
    let start = wish.start_point.filter(|start| !start.is_empty());
    let start = start.ok_or_else(|| Failure::invalid("startPoint", "A tag needs a commit to start from."))?;
    let commit = compare::resolve(host, repository, &start).await?;
    let message = wish.message.as_deref().filter(|message| !message.trim().is_empty());
    let annotation = match wish.kind.as_deref() {
        None => message,
        Some("LIGHTWEIGHT") => None,
        Some("ANNOTATED") => {
            Some(message.ok_or_else(|| Failure::invalid("message", "An annotated tag needs a message."))?)
        }
        Some(_) => return Err(Failure::invalid("type", "type is LIGHTWEIGHT or ANNOTATED.")),
    };
    let annotation = annotation.map(|message| (message, user));
    references::create_tag(host, repository, (&name, &commit), annotation).await.map(Tag::new)
}

async fn remove(
    State(host): State<App>,
    Writable(repository): Writable,
    _: MayWrite,
    named: Named,
) -> Result<StatusCode, Failure> {
    let tag = find(&host, &repository, &named).await?;
    references::delete_tag(&host, &repository, &tag).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(
    host: &Host,
    repository: &store::Repository,
    named: &Named,
) -> Result<references::Tag, Failure> {
    let name = named.one("name");
    let short = name.strip_prefix("refs/tags/").unwrap_or(name);
    if !is_ref_name(short) {
        return Err(Failure::no_tag(short, &repository.slug));
    }
    let found = references::tags(host, repository, (TagOrder::Alphabetical, Some(short))).await?;
    // The pattern also finds what lies below the name.
    let found = found.into_iter().find(|tag| tag.display() == short);
    found.ok_or_else(|| Failure::no_tag(short, &repository.slug))
}
