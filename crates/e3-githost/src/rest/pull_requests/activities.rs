//! `activities`: what happened to a pull request, the latest first.

use std::collections::HashMap;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::Value;

use super::OfPullRequest;
use super::comments::{Anchor, Comment, View, trees};
use crate::auth::{Account, Known};
use crate::compare::{self, Range};
use crate::failure::Failure;
use crate::rest::Base;
use crate::rest::page::{Page, Paged};
use crate::rest::shapes::{Commit, People, User};
use crate::state::{App, Host};
use crate::store::{self, Action, Part, PullRequest, Window};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/pull-requests/{id}/activities", get(list))
}

/// Source: recorded answers; what a merge adds is of the interface's public clients.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Activity {
    id: i64,
    created_date: i64,
    user: User,
    action: &'static str,
    #[serde(flatten)]
    more: More,
}

#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum More {
    Nothing {},
    Commented {
        comment_action: &'static str,
        comment: Box<Comment>,
        #[serde(skip_serializing_if = "Option::is_none")]
        comment_anchor: Option<Box<Anchor>>,
    },
    Updated {
        added_reviewers: Vec<User>,
        removed_reviewers: Vec<User>,
    },
    Rescoped {
        from_hash: String,
        previous_from_hash: String,
        previous_to_hash: String,
        to_hash: String,
        added: Commits,
        removed: Commits,
    },
    Merged {
        commit: Box<Commit>,
    },
}

#[derive(Debug, Default, Serialize)]
struct Commits {
    commits: Vec<Commit>,
    total: usize,
}

async fn list(
    State(host): State<App>,
    OfPullRequest(pull_request): OfPullRequest,
    Known(account): Known,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<Activity>>, Failure> {
    let Part { rows, more } = host.store.activities(&pull_request, window).await?;
    let mut said = said(&host, &pull_request, &rows, (&account, &base)).await?;
    let reviewers = reviewers(&host, &rows).await?;
    let mut activities = Vec::with_capacity(rows.len());
    for row in rows {
        let more = match row.action {
            Action::Commented => match row.comment_id.and_then(|id| said.remove(&id)) {
                Some(more) => more,
                // Deleted between the two readings.
                None => continue,
            },
            Action::Updated => updated(&row, &reviewers, &base),
            Action::Rescoped => rescoped(&host, &pull_request, &row, &base).await?,
            Action::Merged => merged(&host, &pull_request, &row, &base).await?,
            _ => More::Nothing {},
        };
        activities.push(Activity {
            id: row.activity_id,
            created_date: row.happened_ms,
            action: row.action.word(),
            user: User::new(row.user, &base),
            more,
        });
    }
    Ok(Json(Page::new(Part { rows: activities, more }, window, |activity| activity)))
}

/// Returns the comments that the activities are about, with their replies, by one statement.
async fn said(
    host: &Host,
    pull_request: &PullRequest,
    rows: &[store::Activity],
    (account, base): (&Account, &Base),
) -> Result<HashMap<i64, More>, Failure> {
    let roots: Vec<i64> = rows.iter().filter_map(|row| row.comment_id).collect();
    let comments = host.store.comment_threads(pull_request, &roots).await?;
    let anchor = |comment: &store::Comment| (comment.comment_id, Anchor::of_activity(&comment.anchor));
    let mut anchors: HashMap<i64, Option<Anchor>> = comments.iter().map(anchor).collect();
    let view = View { account, repository: &pull_request.repository, base };
    let told = trees(comments, &roots, view).into_iter().map(|comment| {
        let (id, comment) = comment.without_anchor();
        let comment_anchor = anchors.remove(&id).flatten().map(Box::new);
        (id, More::Commented { comment_action: "ADDED", comment: Box::new(comment), comment_anchor })
    });
    Ok(told.collect())
}

/// Returns the users whom updates name, by one statement.
async fn reviewers(host: &Host, rows: &[store::Activity]) -> Result<HashMap<String, store::User>, Failure> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        for list in ["added", "removed"] {
            names.extend(named(row, list));
        }
    }
    names.sort_unstable();
    names.dedup();
    let users = host.store.users_named(&names).await?;
    Ok(users.into_iter().map(|user| (user.name.clone(), user)).collect())
}

fn named(row: &store::Activity, list: &str) -> Vec<String> {
    let changed: Value =
        row.reviewers.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let names = changed.get(list).and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn updated(row: &store::Activity, known: &HashMap<String, store::User>, base: &Base) -> More {
    let users = |list: &str| {
        let names = named(row, list).into_iter();
        names.filter_map(|name| known.get(&name)).map(|user| User::new(user.clone(), base)).collect()
    };
    More::Updated { added_reviewers: users("added"), removed_reviewers: users("removed") }
}

async fn rescoped(
    host: &Host,
    pull_request: &PullRequest,
    row: &store::Activity,
    base: &Base,
) -> Result<More, Failure> {
    let (before, after) = (row.before.clone().unwrap_or_default(), row.after.clone().unwrap_or_default());
    let target = row.target.clone().unwrap_or_default();
    Ok(More::Rescoped {
        added: between(host, pull_request, (&before, &after), base).await?,
        removed: between(host, pull_request, (&after, &before), base).await?,
        from_hash: after,
        previous_from_hash: before,
        previous_to_hash: target.clone(),
        to_hash: target,
    })
}

/// Returns the commits that the second has and the first has not. What a forced push left behind may be gone from the disk.
async fn between(
    host: &Host,
    pull_request: &PullRequest,
    (since, until): (&str, &str),
    base: &Base,
) -> Result<Commits, Failure> {
    let range = Range::new(Some(since.to_owned()), until.to_owned());
    let found = compare::commits(host, &pull_request.repository, &range, None, FEW).await;
    let rows = match found {
        Ok(part) => part.rows,
        Err(failure) if failure.status == http::StatusCode::NOT_FOUND => return Ok(Commits::default()),
        Err(failure) => return Err(failure),
    };
    let people = People::of(host, &rows).await?;
    let commits: Vec<Commit> = rows.into_iter().map(|row| Commit::new(row, &people, base)).collect();
    Ok(Commits { total: commits.len(), commits })
}

async fn merged(
    host: &Host,
    pull_request: &PullRequest,
    row: &store::Activity,
    base: &Base,
) -> Result<More, Failure> {
    let Some(id) = &row.after else { return Ok(More::Nothing {}) };
    let Some(commit) = compare::commit(host, &pull_request.repository, id).await? else {
        return Ok(More::Nothing {});
    };
    let people = People::of(host, [&commit]).await?;
    Ok(More::Merged { commit: Box::new(Commit::new(commit, &people, base)) })
}

/// Source: the interface lists a few commits of a rescope.
const FEW: Window = Window { start: 0, limit: 100 };
