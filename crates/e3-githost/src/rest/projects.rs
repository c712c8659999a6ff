//! `projects`.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::Base;
use super::allowed::OwnProject;
use super::exchange::{MayWrite, OfProject, Write};
use super::page::{Page, Paged, parameter};
use super::shapes::Project;
use crate::auth::Known;
use crate::failure::Failure;
use crate::names::{ProjectKey, Title};
use crate::permissions::{Level, check_may_make_projects};
use crate::state::{App, Host};
use crate::store::{self, Holder, ProjectChanged, ProjectCreated, ProjectWish, Scope};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects", get(list).post(create))
        .route("/projects/{key}", get(one).put(update).delete(delete))
}

async fn list(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Project>>, Failure> {
    let text = parameter(query.as_deref(), "name").unwrap_or_default();
    let part = host.store.projects(&account.user, &text, window).await?;
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
    Known(account): Known,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Response, Failure> {
    check_may_make_projects(&host, &account).await?;
    let key = wish
        .key
        .filter(|key| !key.is_empty())
        .ok_or_else(|| Failure::bad_request("The project key must be specified when creating a project."))?;
    let project = make(&host, &key, wish.name.as_deref(), wish.description.as_deref()).await?;
    if !account.user.admin {
        // Who makes a project administers it.
        let holder = Holder::User(&account.user);
        host.store.grant(Scope::Project(project.id), &[holder], Level::Admin.number()).await?;
    }
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
    let name = checked_name(name.unwrap_or(key.as_str()))?;
    let description = checked_description(description)?;
    match host.store.create_project(&key, &name, description).await? {
        ProjectCreated::Made(project) => Ok(project),
        ProjectCreated::KeyTaken => Err(key_taken()),
        ProjectCreated::NameTaken => Err(name_taken()),
    }
}

/// What is not said stays as it is.
async fn update(
    State(host): State<App>,
    OwnProject(project): OwnProject,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Json<Project>, Failure> {
    let key = wish.key.as_deref().filter(|key| !key.is_empty()).unwrap_or(&project.key);
    let key = ProjectKey::parse(key).ok_or_else(|| Failure::invalid("key", BAD_KEY))?;
    let name = checked_name(wish.name.as_deref().unwrap_or(&project.name))?;
    let description = checked_description(wish.description.as_deref().or(project.description.as_deref()))?;
    let wish = ProjectWish { key: &key, name: &name, description };
    match host.store.update_project(&project, wish).await? {
        ProjectChanged::Changed(project) => Ok(Json(Project::new(project, &base))),
        ProjectChanged::KeyTaken => Err(key_taken()),
        ProjectChanged::NameTaken => Err(name_taken()),
        ProjectChanged::Gone => Err(Failure::no_project(&project.key)),
    }
}

async fn delete(
    State(host): State<App>,
    _: MayWrite,
    OwnProject(project): OwnProject,
) -> Result<StatusCode, Failure> {
    if host.store.delete_project(&project).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Failure::not_empty(&project.key))
}

fn checked_name(name: &str) -> Result<Title<128>, Failure> {
    Title::parse(name).ok_or_else(|| Failure::invalid("name", BAD_NAME))
}

/// Returns the description without the blanks around it; none if nothing is left.
pub(super) fn checked_description(description: Option<&str>) -> Result<Option<&str>, Failure> {
    let description = description.map(str::trim).filter(|text| !text.is_empty());
    if description.is_some_and(|text| text.len() > LONGEST_DESCRIPTION) {
        return Err(Failure::invalid("description", "The description is limited to 4096 bytes."));
    }
    Ok(description)
}

fn key_taken() -> Failure {
    Failure::taken("key", "This project key is already in use.")
}

fn name_taken() -> Failure {
    Failure::taken("name", "This project name is already in use.")
}

/// Source: recorded.
const BAD_KEY: &str = "Project keys must start with a letter and may only consist of ASCII letters, numbers and \
                       underscores (A-Z, a-z, 0-9, _)";
const BAD_NAME: &str = "Please enter a non-empty value less than 128 characters";
const LONGEST_DESCRIPTION: usize = 4096;
