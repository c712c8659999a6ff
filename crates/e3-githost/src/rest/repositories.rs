//! `projects/{key}/repos` and `repos`.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::exchange::{MayWrite, OfProject, OfRepository, Write};
use super::page::{Page, Paged, parameter};
use super::projects::LONGEST_DESCRIPTION;
use super::shapes::Repository;
use super::{Base, branches};
use crate::auth::{Admin, Known};
use crate::failure::Failure;
use crate::names::RepositoryName;
use crate::state::{App, Host};
use crate::store::{self, CreateRepositoryError, RepositoryCreated};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/repos", get(all))
        .route("/projects/{key}/repos", get(list).post(create))
        .route("/projects/{key}/repos/{slug}", get(one).delete(delete))
}

async fn all(
    State(host): State<App>,
    _: Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<Repository>>, Failure> {
    let text = parameter(query.as_deref(), "name").unwrap_or_default();
    let part = host.store.repositories(None, &text, window).await?;
    Ok(Json(Page::new(part, window, |row| Repository::new(row, &base))))
}

async fn list(
    State(host): State<App>,
    OfProject(project): OfProject,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<Repository>>, Failure> {
    let part = host.store.repositories(Some(&project), "", window).await?;
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
    _: Admin,
    OfProject(project): OfProject,
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
    let description = wished.description.map(str::trim).filter(|text| !text.is_empty());
    if description.is_some_and(|text| text.len() > LONGEST_DESCRIPTION) {
        return Err(Failure::invalid("description", "The description is limited to 4096 bytes."));
    }
    if !is_branch(wished.branch) {
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

async fn delete(
    State(host): State<App>,
    _: Admin,
    _: MayWrite,
    repository: Result<OfRepository, Failure>,
) -> Result<Response, Failure> {
    let OfRepository(repository) = match repository {
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

/// Accepts a subset of what git accepts as a branch.
fn is_branch(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let step = |step: &str| {
        !step.is_empty() && !step.starts_with(['.', '-']) && !step.ends_with('.') && !step.ends_with(".lock")
    };
    name.len() <= 200 && name.bytes().all(plain) && !name.contains("..") && name.split('/').all(step)
}

/// Source: git's own default, and Bitbucket's.
pub(crate) const DEFAULT_BRANCH: &str = "master";
/// Source: recorded.
const BAD_NAME: &str = "Repository names are limited to 128 characters. They must start with a letter or number and \
                        may contain spaces, hyphens, underscores and periods";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_that_git_would_refuse_are_refused_here() {
        for good in ["main", "release/1.0", "a_b-c"] {
            assert!(is_branch(good), "{good}");
        }
        for bad in ["", "-x", "a..b", "a.lock", "/a", "a/", "a//b", ".a", "a/.b", "a b", "a~1", "a\n", "a."] {
            assert!(!is_branch(bad), "{bad:?}");
        }
    }
}
