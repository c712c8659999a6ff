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

    /// Returns the repositories the user visited and may still do this much in, the latest first.
    pub(crate) async fn visited(
        &self,
        user: &User,
        least: i64,
        window: Window,
    ) -> Result<Part<Repository>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT r.id, r.slug, r.name, r.description, r.hierarchy_id, p.id AS project_id, p.key AS project_key,
                    p.name AS project_name, p.description AS project_description, p.default_level AS project_default
             FROM visits v JOIN repositories r ON r.id = v.repository_id JOIN projects p ON p.id = r.project_id
             WHERE v.user_id = ?1 AND (?4 OR p.default_level >= ?5 OR EXISTS (
                SELECT 1 FROM grants g WHERE (g.project_id = p.id OR g.repository_id = r.id) AND g.level >= ?5
                AND (g.user_id = ?1
                    OR g.group_id IN (SELECT m.group_id FROM group_members m WHERE m.user_id = ?1))))
             ORDER BY v.visited_ms DESC, r.id LIMIT ?2 OFFSET ?3",
        )
        .bind(user.id)
        .bind(window.probe())
        .bind(window.start)
        .bind(user.admin)
        .bind(least)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }
}
