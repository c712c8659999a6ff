//! `audit`: what happened to a repository, as Bitbucket before 8.0 told it. Known are the making of the repository and
//! everything that was done to its pull requests; pushes and changes of permissions are not kept.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;

use super::Base;
use super::allowed::OwnRepository;
use super::page::{Page, Paged};
use super::shapes::User;
use crate::failure::Failure;
use crate::state::App;
use crate::store::{Action, AuditEvent, AuditKind};

/// The routes below `/rest/audit`.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/projects/{key}/repos/{slug}/events", get(events))
}

/// An event. Source: the members of Bitbucket 7's `MinimalAuditEntry`.
#[derive(Debug, Serialize)]
struct Event {
    action: &'static str,
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
}

async fn events(
    State(host): State<App>,
    OwnRepository(repository): OwnRepository,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<Event>>, Failure> {
    let part = host.store.audit_events(&repository, window).await?;
    Ok(Json(Page::new(part, window, |event| shape(event, &base))))
}

fn shape(event: AuditEvent, base: &Base) -> Event {
    let (action, details) = match event.kind {
        AuditKind::Created => ("RepositoryCreatedEvent", None),
        AuditKind::PullRequest(number, action) => {
            (name(action), Some(json!({"pullRequest": number}).to_string()))
        }
    };
    Event {
        action,
        timestamp: event.happened_ms,
        details,
        user: event.user.map(|user| User::new(user, base)),
    }
}

/// Returns the name of Bitbucket's event. Source: "Audit log events in Bitbucket" of Bitbucket 7.
fn name(action: Action) -> &'static str {
    match action {
        Action::Opened => "PullRequestOpenedEvent",
        Action::Updated => "PullRequestUpdatedEvent",
        Action::Commented => "PullRequestCommentAddedEvent",
        Action::Rescoped => "PullRequestRescopedEvent",
        Action::Approved => "PullRequestParticipantApprovedEvent",
        Action::Unapproved => "PullRequestParticipantUnapprovedEvent",
        Action::Reviewed => "PullRequestParticipantReviewedEvent",
        Action::Merged => "PullRequestMergedEvent",
        Action::Declined => "PullRequestDeclinedEvent",
        Action::Reopened => "PullRequestReopenedEvent",
    }
}
