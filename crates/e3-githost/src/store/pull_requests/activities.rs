//! What happened to a pull request, and when.

use sqlx::{FromRow, SqliteConnection};

use super::super::{Part, Store, User, Window};
use super::PullRequest;

/// Something that a user did to a pull request.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Activity {
    pub(crate) activity_id: i64,
    pub(crate) action: Action,
    pub(crate) happened_ms: i64,
    /// The comment that was added, unless it was deleted since.
    pub(crate) comment_id: Option<i64>,
    /// For a rescope, what the source branch was at before and after; for a merge, the commit as the latter.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// For a rescope, what the target branch was at.
    pub(crate) target: Option<String>,
    /// For an update, the names of the reviewers who came and who went, as JSON: `{"added": […], "removed": […]}`.
    pub(crate) reviewers: Option<String>,
    #[sqlx(flatten)]
    pub(crate) user: User,
}

/// A kind of activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "UPPERCASE")]
pub(crate) enum Action {
    Opened,
    Updated,
    Commented,
    Rescoped,
    Approved,
    Unapproved,
    Reviewed,
    Merged,
    Declined,
    Reopened,
}

impl Action {
    /// Returns the word of the interface.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Opened => "OPENED",
            Self::Updated => "UPDATED",
            Self::Commented => "COMMENTED",
            Self::Rescoped => "RESCOPED",
            Self::Approved => "APPROVED",
            Self::Unapproved => "UNAPPROVED",
            Self::Reviewed => "REVIEWED",
            Self::Merged => "MERGED",
            Self::Declined => "DECLINED",
            Self::Reopened => "REOPENED",
        }
    }
}

impl Store {
    /// Returns what happened to the pull request, the latest first.
    pub(crate) async fn activities(
        &self,
        pull_request: &PullRequest,
        window: Window,
    ) -> Result<Part<Activity>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT a.id AS activity_id, a.action, a.happened_ms, a.comment_id, a.before, a.after, a.target, a.reviewers,
                    u.id, u.name, u.slug, u.display_name, u.email, u.password_hash, u.version, u.admin, u.active
             FROM pull_request_activities a JOIN users u ON u.id = a.user_id
             WHERE a.pull_request = ? ORDER BY a.id DESC LIMIT ? OFFSET ?",
        )
        .bind(pull_request.key)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }
}

/// Writes down an activity that needs no more words; returns its id.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    key: i64,
    user: i64,
    action: Action,
    happened_ms: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO pull_request_activities (pull_request, user_id, action, happened_ms) VALUES (?, ?, ?, ?)
         RETURNING id",
    )
    .bind(key)
    .bind(user)
    .bind(action)
    .bind(happened_ms)
    .fetch_one(connection)
    .await
}

/// Writes down what the source branch was at before and after.
pub(super) async fn insert_move(
    connection: &mut SqliteConnection,
    (key, user): (i64, i64),
    action: Action,
    (before, after, target): (Option<&str>, &str, Option<&str>),
    happened_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO pull_request_activities (pull_request, user_id, action, happened_ms, before, after, target)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key)
    .bind(user)
    .bind(action)
    .bind(happened_ms)
    .bind(before)
    .bind(after)
    .bind(target)
    .execute(connection)
    .await
    .map(drop)
}

/// Writes down an update, with the names of the reviewers who came and went.
pub(super) async fn insert_update(
    connection: &mut SqliteConnection,
    (key, user): (i64, i64),
    (added, removed): (&[&str], &[&str]),
    happened_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO pull_request_activities (pull_request, user_id, action, happened_ms, reviewers)
         VALUES (?, ?, 'UPDATED', ?, ?)",
    )
    .bind(key)
    .bind(user)
    .bind(happened_ms)
    .bind(serde_json::json!({"added": added, "removed": removed}).to_string())
    .execute(connection)
    .await
    .map(drop)
}

/// Writes down a comment.
pub(super) async fn insert_comment(
    connection: &mut SqliteConnection,
    (key, user): (i64, i64),
    comment: i64,
    happened_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO pull_request_activities (pull_request, user_id, action, happened_ms, comment_id)
         VALUES (?, ?, 'COMMENTED', ?, ?)",
    )
    .bind(key)
    .bind(user)
    .bind(happened_ms)
    .bind(comment)
    .execute(connection)
    .await
    .map(drop)
}
