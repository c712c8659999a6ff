//! Visits: which repositories a user was at last.

use super::{Part, Repository, Store, User, Window};
use crate::clock::now_ms;

impl Store {
    /// Notes that the user was at the repository just now.
    pub(crate) async fn note_visit(&self, user: &User, repository: &Repository) {
        let (writer, user, repository) = (self.writer.clone(), user.id, repository.id);
        let write = async move {
            sqlx::query(
                "INSERT INTO visits (user_id, repository_id, visited_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (user_id, repository_id) DO UPDATE SET visited_ms = max(visited_ms, excluded.visited_ms)",
            )
            .bind(user)
            .bind(repository)
            .bind(now_ms())
            .execute(&writer)
            .await
            .map(drop)
        };
        self.note("a visit", write).await;
    }

    /// Returns the repositories the user visited, the latest first.
    pub(crate) async fn visited(&self, user: &User, window: Window) -> Result<Part<Repository>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT r.id, r.slug, r.name, r.description, r.hierarchy_id, p.id AS project_id, p.key AS project_key,
                    p.name AS project_name, p.description AS project_description
             FROM visits v JOIN repositories r ON r.id = v.repository_id JOIN projects p ON p.id = r.project_id
             WHERE v.user_id = ? ORDER BY v.visited_ms DESC, r.id LIMIT ? OFFSET ?",
        )
        .bind(user.id)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }
}
