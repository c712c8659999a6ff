//! What Bitbucket's pages call when a pull request has ended: deleting its source branch, by two interfaces.
//!
//! Source: neither is described; both are known from Bitbucket's own pages and from clients that call them.

use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{OfPullRequest, may_write};
use crate::auth::Known;
use crate::failure::Failure;
use crate::pull_requests::{delete_source, may_delete_source};
use crate::rest::exchange::{MayWrite, Write};
use crate::rest::page::parameter;
use crate::state::App;

/// The routes of `pull-request-source-branch-deletion`, the older one.
pub(in crate::rest) fn source_branch_deletion() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/pull-requests/{id}", post(delete))
}

/// The routes of `pull-request-cleanup`.
pub(in crate::rest) fn cleanup() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/pull-requests/{id}", get(check).post(clean))
}

/// Deletes the source branch, or with `dryRun` only says whether that could be done once the request has ended.
async fn delete(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    may_write(&host, &account, &pull_request).await?;
    if parameter(query.as_deref(), "dryRun").as_deref() == Some("true") {
        may_delete_source(&host, &pull_request).await?;
    } else {
        delete_source(&host, &account.user, &pull_request, false).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    can_delete_source_ref: bool,
}

async fn check(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
) -> Result<Json<Check>, Failure> {
    may_write(&host, &account, &pull_request).await?;
    let can_delete_source_ref = match may_delete_source(&host, &pull_request).await {
        Ok(is_there) => is_there,
        Err(failure) if failure.status == StatusCode::CONFLICT => false,
        Err(failure) => return Err(failure),
    };
    Ok(Json(Check { can_delete_source_ref }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wished {
    delete_source_ref: bool,
    retarget_dependents: bool,
}

async fn clean(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    Write(wished): Write<Wished>,
) -> Result<StatusCode, Failure> {
    may_write(&host, &account, &pull_request).await?;
    if wished.delete_source_ref {
        delete_source(&host, &account.user, &pull_request, wished.retarget_dependents).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
