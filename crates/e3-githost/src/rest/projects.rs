//! `projects`.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::Base;
use super::exchange::{MayWrite, OfProject, Write};
use super::page::{Page, Paged, parameter};
use super::shapes::Project;
use crate::auth::{Admin, Known};
use crate::failure::Failure;
use crate::names::{ProjectKey, Title};
use crate::state::{App, Host};
use crate::store::{self, ProjectCreated};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects", get(list).post(create)).route("/projects/{key}", get(one).delete(delete))
}

async fn list(
    State(host): State<App>,
    _: Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Project>>, Failure> {
    let text = parameter(query.as_deref(), "name").unwrap_or_default();
    let part = host.store.projects(&text, window).await?;
    Ok(Json(Page::new(part, window, |row| Project::new(row, &base))))
}

async fn one(OfProject(project): OfProject, base: Base) -> Json<Project> {
    Json(Project::new(project, &base))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    key: Option<String>,
    name: Option<String>,
    description: Option<String>,
}

async fn create(
    State(host): State<App>,
    _: Admin,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Response, Failure> {
    let key = wish
        .key
        .filter(|key| !key.is_empty())
        .ok_or_else(|| Failure::bad_request("The project key must be specified when creating a project."))?;
    let project = make(&host, &key, wish.name.as_deref(), wish.description.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(Project::new(project, &base))).into_response())
}

/// Makes a project, or says what about the wish is not acceptable. The name defaults to the key.
pub(crate) async fn make(
    host: &Host,
    key: &str,
    name: Option<&str>,
    description: Option<&str>,
) -> Result<store::Project, Failure> {
    let key = ProjectKey::parse(key).ok_or_else(|| Failure::invalid("key", BAD_KEY))?;
    let name =
        Title::parse(name.unwrap_or(key.as_str())).ok_or_else(|| Failure::invalid("name", BAD_NAME))?;
    let description = description.map(str::trim).filter(|text| !text.is_empty());
    if description.is_some_and(|text| text.len() > LONGEST_DESCRIPTION) {
        return Err(Failure::invalid("description", "The description is limited to 4096 bytes."));
    }
    match host.store.create_project(&key, &name, description).await? {
        ProjectCreated::Made(project) => Ok(project),
        ProjectCreated::KeyTaken => Err(Failure::taken("key", "This project key is already in use.")),
        ProjectCreated::NameTaken => Err(Failure::taken("name", "This project name is already in use.")),
    }
}

async fn delete(
    State(host): State<App>,
    _: Admin,
    _: MayWrite,
    OfProject(project): OfProject,
) -> Result<StatusCode, Failure> {
    if host.store.delete_project(&project).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Failure::not_empty(&project.key))
}

/// Source: recorded.
const BAD_KEY: &str = "Project keys must start with a letter and may only consist of ASCII letters, numbers and \
                       underscores (A-Z, a-z, 0-9, _)";
const BAD_NAME: &str = "Please enter a non-empty value less than 128 characters";
pub(super) const LONGEST_DESCRIPTION: usize = 4096;
