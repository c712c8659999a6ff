//! What a path names, for who may do enough with it.

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::exchange::{OfProject, OfRepository};
use crate::auth::Known;
use crate::failure::Failure;
use crate::permissions::{Level, check_project, check_repository};
use crate::state::App;
use crate::store::{Project, Repository};

/// A repository that the user may push to.
pub(super) struct Writable(pub(super) Repository);

/// A repository that the user may administer.
pub(super) struct OwnRepository(pub(super) Repository);

/// A project that the user may administer.
pub(super) struct OwnProject(pub(super) Project);

impl FromRequestParts<App> for Writable {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        in_repository(parts, host, Level::Write).await.map(Self)
    }
}

impl FromRequestParts<App> for OwnRepository {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        in_repository(parts, host, Level::Admin).await.map(Self)
    }
}

impl FromRequestParts<App> for OwnProject {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let OfProject(project) = OfProject::from_request_parts(parts, host).await?;
        let Known(account) = Known::from_request_parts(parts, host).await?;
        check_project(host, &account, &project, Level::Admin).await?;
        Ok(Self(project))
    }
}

async fn in_repository(parts: &mut Parts, host: &App, wanted: Level) -> Result<Repository, Failure> {
    let OfRepository(repository) = OfRepository::from_request_parts(parts, host).await?;
    let Known(account) = Known::from_request_parts(parts, host).await?;
    check_repository(host, &account, &repository, wanted).await?;
    Ok(repository)
}
