//! `projects/{key}/repos/{slug}/pull-requests` and what lies beneath.

mod activities;
mod cleanup;
mod comments;
mod contents;
mod merge;
mod of_commit;
mod requests;
mod review;
mod shapes;
mod wanted;

use axum::Router;
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;

use super::exchange::{Named, OfRepository};
use super::page::parameter;
use crate::auth::{Account, Known};
use crate::failure::Failure;
use crate::permissions::{Level, check_repository};
use crate::pull_requests;
use crate::state::{App, Host};
use crate::store::PullRequest;

pub(super) use cleanup::{cleanup, source_branch_deletion};
pub(super) use shapes::{PullRequest as Shape, minimal_ref};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .merge(requests::routes())
        .merge(merge::routes())
        .merge(review::routes())
        .merge(comments::routes())
        .merge(activities::routes())
        .merge(contents::routes())
        .merge(of_commit::routes())
}

/// The pull request that the path names, for who may read its repository; 404 if there is none.
pub(super) struct OfPullRequest(PullRequest);

impl FromRequestParts<App> for OfPullRequest {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let OfRepository(repository) = OfRepository::from_request_parts(parts, host).await?;
        let named = Named::from_request_parts(parts, host).await?;
        pull_requests::one(host, &repository, named.one("id")).await.map(Self)
    }
}

/// A pull request that the user may change: it is the user's own, or in a repository that the user may write to.
struct Own {
    account: std::sync::Arc<Account>,
    pull_request: PullRequest,
}

impl FromRequestParts<App> for Own {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let OfPullRequest(pull_request) = OfPullRequest::from_request_parts(parts, host).await?;
        let Known(account) = Known::from_request_parts(parts, host).await?;
        if pull_request.author().is_none_or(|author| author.user.id != account.user.id) {
            may_write(host, &account, &pull_request).await?;
        }
        Ok(Self { account, pull_request })
    }
}

async fn may_write(host: &Host, account: &Account, pull_request: &PullRequest) -> Result<(), Failure> {
    check_repository(host, account, &pull_request.repository, Level::Write).await
}

/// The body of a write that only says which version the client knows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    version: Option<i64>,
}

/// Returns the version that the client knows, from the query or the body.
///
/// Source: who does not say one is told that -1 is out of date.
fn version(query: Option<&str>, body: Option<i64>) -> Result<i64, Failure> {
    match parameter(query, "version").filter(|text| !text.is_empty()) {
        Some(text) => {
            text.parse().map_err(|_| Failure::invalid("version", "version must be a whole number."))
        }
        None => Ok(body.unwrap_or(-1)),
    }
}
