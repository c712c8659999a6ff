//! `projects/{key}/repos` and `repos`.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::allowed::{OwnProject, OwnRepository};
use super::exchange::{MayWrite, OfProject, OfRepository, Write};
use super::page::{Page, Paged, parameter};
use super::projects::checked_description;
use super::shapes::Repository;
use super::{Base, branches};
use crate::auth::Known;
use crate::failure::Failure;
use crate::names::{ProjectKey, RepositoryName, is_ref_name};
use crate::permissions::{Level, check_project};
use crate::references;
use crate::state::{App, Host};
use crate::store::{self, CreateRepositoryError, RepositoryChanged, RepositoryCreated};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/repos", get(all))
        .route("/projects/{key}/repos", get(list).post(create))
        .route("/projects/{key}/repos/{slug}", get(one).put(update).delete(delete))
}

async fn all(
    State(host): State<App>,
    Known(account): Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Repository>>, Failure> {
    let text = parameter(query.as_deref(), "name").unwrap_or_default();
    let part = host.store.repositories(&account.user, None, &text, window).await?;
    Ok(Json(Page::new(part, window, |row| Repository::new(row, &base))))
}

async fn list(
    State(host): State<App>,
    Known(account): Known,
    OfProject(project): OfProject,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<Repository>>, Failure> {
    let part = host.store.repositories(&account.user, Some(&project), "", window).await?;
    Ok(Json(Page::new(part, window, |row| Repository::new(row, &base))))
}

async fn one(
    State(host): State<App>,
    OfRepository(repository): OfRepository,
    base: Base,
) -> Result<Json<Repository>, Failure> {
    let found = branches::read(&host, &repository).await?;
    Ok(Json(Repository::new(repository, &base).with_default_branch(found.head.as_deref())))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    name: String,
    description: Option<String>,
    scm_id: Option<String>,
    default_branch: Option<String>,
}

async fn create(
    State(host): State<App>,
    OwnProject(project): OwnProject,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Response, Failure> {
    if wish.scm_id.as_deref().is_some_and(|scm| scm != "git") {
        return Err(Failure::invalid("scmId", "Only git is served."));
    }
    let branch = wish.default_branch.as_deref().unwrap_or(DEFAULT_BRANCH);
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    let wished = Wished { name: &wish.name, description: wish.description.as_deref(), branch };
    let repository = make(&host, &project, wished).await?;
    Ok((StatusCode::CREATED, Json(Repository::new(repository, &base))).into_response())
}

/// What a new repository should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wished<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: Option<&'a str>,
    pub(crate) branch: &'a str,
}

/// Makes a repository, row and directory, or says what about the wish is not acceptable.
pub(crate) async fn make(
    host: &Host,
    project: &store::Project,
    wished: Wished<'_>,
) -> Result<store::Repository, Failure> {
    let (name, slug) =
        RepositoryName::parse(wished.name).ok_or_else(|| Failure::invalid("name", BAD_NAME))?;
    let description = checked_description(wished.description)?;
    if !is_ref_name(wished.branch) {
        return Err(Failure::invalid("defaultBranch", "This is not a branch name that git accepts."));
    }
    let unplaced = host
        .repositories
        .create(&host.git, wished.branch)
        .await
        .map_err(|error| Failure::internal("make a repository", &error))?;
    let created =
        host.store.create_repository(project, (&name, &slug), description, |id| unplaced.place(id)).await;
    match created {
        Ok(RepositoryCreated::Made(repository)) => Ok(repository),
        Ok(RepositoryCreated::Taken) => Err(Failure::taken("name", "This repository URL is already taken.")),
        Err(CreateRepositoryError::Store(error)) => Err(Failure::of_store("make a repository", &error)),
        Err(CreateRepositoryError::Place(error)) => Err(Failure::internal("place a repository", &error)),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Change {
    name: Option<String>,
    description: Option<String>,
    default_branch: Option<String>,
    project: Option<Owner>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Owner {
    key: String,
}

/// What is not said stays as it is. A repository that moves or is renamed has a new URL, and no longer the old one.
async fn update(
    State(host): State<App>,
    Known(account): Known,
    OwnRepository(repository): OwnRepository,
    base: Base,
    Write(change): Write<Change>,
) -> Result<(StatusCode, Json<Repository>), Failure> {
    let name = change.name.as_deref().unwrap_or(&repository.name);
    let (name, slug) = RepositoryName::parse(name).ok_or_else(|| Failure::invalid("name", BAD_NAME))?;
    let description =
        checked_description(change.description.as_deref().or(repository.description.as_deref()))?;
    let key = change.project.as_ref().map_or(&repository.project.project_key, |owner| &owner.key);
    let project = match ProjectKey::parse(key) {
        Some(parsed) => host.store.project(&parsed).await?,
        None => None,
    };
    let project = project.ok_or_else(|| Failure::no_project(key))?;
    if project.id != repository.project.project_id {
        check_project(&host, &account, &project, Level::Admin).await?;
    }
    if let Some(branch) = &change.default_branch {
        references::set_default_branch(&host, &repository, branch).await?;
    }
    match host.store.update_repository(&repository, (&name, &slug), (description, &project)).await? {
        RepositoryChanged::Changed => {}
        RepositoryChanged::Taken => {
            return Err(Failure::taken("name", "This repository URL is already taken."));
        }
        RepositoryChanged::Gone => return Err(Failure::no_repository(key, &repository.slug)),
    }
    let found = match ProjectKey::parse(&project.key) {
        Some(key) => host.store.repository(&key, &slug).await?,
        None => None,
    };
    let changed = found.ok_or_else(|| Failure::no_repository(&project.key, slug.as_str()))?;
    let branches = branches::read(&host, &changed).await?;
    let changed = Repository::new(changed, &base).with_default_branch(branches.head.as_deref());
    // Source: the interface's description: 201, although nothing is made.
    Ok((StatusCode::CREATED, Json(changed)))
}

async fn delete(
    State(host): State<App>,
    _: MayWrite,
    repository: Result<OwnRepository, Failure>,
) -> Result<Response, Failure> {
    let OwnRepository(repository) = match repository {
        Ok(repository) => repository,
        // Source: the interface's description, "204 if the repository was already gone".
        Err(failure) if failure.status == StatusCode::NOT_FOUND => {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Err(failure) => return Err(failure),
    };
    host.store.delete_repository(&repository).await?;
    let removed = host.repositories.remove(repository.id).await;
    removed.map_err(|error| Failure::internal("remove a repository", &error))?;
    Ok((StatusCode::ACCEPTED, Json(SCHEDULED)).into_response())
}

/// Source: recorded.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scheduled {
    context: Option<&'static str>,
    message: &'static str,
    exception_name: Option<&'static str>,
}

const SCHEDULED: Scheduled =
    Scheduled { context: None, message: "Repository scheduled for deletion.", exception_name: None };

/// Source: git's own default, and Bitbucket's.
pub(crate) const DEFAULT_BRANCH: &str = "master";
/// Source: recorded.
const BAD_NAME: &str = "Repository names are limited to 128 characters. They must start with a letter or number and \
                        may contain spaces, hyphens, underscores and periods";
