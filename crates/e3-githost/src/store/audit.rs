//! What happened to a repository, by what is stored of it anyway.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::{Action, Part, Repository, Store, User, Window};

/// Something that happened to a repository.
#[derive(Debug, Clone)]
pub(crate) struct AuditEvent {
    pub(crate) happened_ms: i64,
    pub(crate) kind: AuditKind,
    /// Who did it, where that is stored.
    pub(crate) user: Option<User>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditKind {
    /// The repository was made.
    Created,
    /// Somebody did something to the pull request of this number.
    PullRequest(i64, Action),
}

impl Store {
    /// Returns what happened to the repository, the latest first.
    pub(crate) async fn audit_events(
        &self,
        repository: &Repository,
        window: Window,
    ) -> Result<Part<AuditEvent>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT e.place, e.action, e.number, e.happened_ms,
                    u.id, u.name, u.slug, u.display_name, u.email, u.password_hash, u.version, u.admin, u.active
             FROM (
                SELECT a.id AS place, a.action, q.number, a.happened_ms, a.user_id
                FROM pull_requests q JOIN pull_request_activities a ON a.pull_request = q.key
                WHERE q.repository_id = ?1
                UNION ALL
                SELECT 0, NULL, NULL, r.created_ms, NULL FROM repositories r WHERE r.id = ?1
             ) e LEFT JOIN users u ON u.id = e.user_id
             ORDER BY e.place DESC LIMIT ?2 OFFSET ?3",
        )
        .bind(repository.id)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }
}

impl<'r> FromRow<'r, SqliteRow> for AuditEvent {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        let kind = match (row.try_get("number")?, row.try_get("action")?) {
            (Some(number), Some(action)) => AuditKind::PullRequest(number, action),
            _ => AuditKind::Created,
        };
        let user: Option<i64> = row.try_get("id")?;
        let user = user.map(|_| User::from_row(row)).transpose()?;
        Ok(Self { happened_ms: row.try_get("happened_ms")?, kind, user })
    }
}
