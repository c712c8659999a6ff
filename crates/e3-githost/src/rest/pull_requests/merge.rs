//! `merge`: whether a pull request can be merged, and doing it.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::shapes::{PullRequest, refuse};
use super::{OfPullRequest, may_write, version};
use crate::auth::Known;
use crate::compare;
use crate::failure::Failure;
use crate::pull_requests::{self, MergeWish, Mergeability, Outcome};
use crate::rest::Base;
use crate::rest::exchange::Write;
use crate::rest::shapes::{Commit, People};
use crate::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/merge", get(can_merge).post(merge))
        .route("/projects/{key}/repos/{slug}/pull-requests/{id}/merge-base", get(merge_base))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CanMerge {
    can_merge: bool,
    conflicted: bool,
    outcome: &'static str,
    vetoes: Vec<Veto>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Veto {
    summary_message: &'static str,
    detailed_message: String,
}

impl From<Mergeability> for CanMerge {
    fn from(found: Mergeability) -> Self {
        let veto =
            |veto: pull_requests::Veto| Veto { summary_message: veto.summary, detailed_message: veto.detail };
        Self {
            can_merge: found.can_merge(),
            conflicted: found.is_conflicted(),
            outcome: match found.outcome {
                Outcome::Clean => "CLEAN",
                Outcome::Conflicted => "CONFLICTED",
                Outcome::Unknown => "UNKNOWN",
            },
            vetoes: found.vetoes.into_iter().map(veto).collect(),
        }
    }
}

async fn can_merge(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
) -> Result<Json<CanMerge>, Failure> {
    Ok(Json(pull_requests::can_merge(&host, &pull_request).await?.into()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wished {
    version: Option<i64>,
    message: Option<String>,
    auto_subject: Option<bool>,
    strategy_id: Option<String>,
}

async fn merge(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    RawQuery(query): RawQuery,
    base: Base,
    Write(wished): Write<Wished>,
) -> Result<Json<PullRequest>, Failure> {
    may_write(&host, &account, &pull_request).await?;
    if wished.strategy_id.as_deref().is_some_and(|strategy| strategy != "no-ff") {
        return Err(Failure::invalid("strategyId", "Only the strategy no-ff is enabled here."));
    }
    let wish = MergeWish {
        version: version(query.as_deref(), wished.version)?,
        message: wished.message,
        auto_subject: wished.auto_subject.unwrap_or(true),
    };
    let made = pull_requests::merge(&host, &account.user, &pull_request, wish).await;
    made.map(|row| Json(PullRequest::new(row, &base))).map_err(|refusal| refuse(refusal, &base))
}

async fn merge_base(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    base: Base,
) -> Result<Response, Failure> {
    let (repository, from, to) = (&pull_request.repository, &pull_request.from, &pull_request.to);
    let Some(found) = compare::merge_base(&host, repository, &to.commit, &from.commit).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let row = compare::commit(&host, repository, &found).await?;
    let row = row.ok_or_else(|| Failure::no_commit(&found, &repository.slug))?;
    let people = People::of(&host, [&row]).await?;
    Ok(Json(Commit::new(row, &people, &base)).into_response())
}
