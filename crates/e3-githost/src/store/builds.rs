//! Build statuses: what other systems say of commits.

use sqlx::FromRow;

use super::{Part, Repository, Store, Window};
use crate::clock::now_ms;

/// What a build says of a commit.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct BuildStatus {
    pub(crate) key: String,
    pub(crate) state: String,
    /// The other members as JSON.
    pub(crate) document: String,
    pub(crate) added_ms: i64,
    pub(crate) updated_ms: i64,
}

/// How many builds of a commit there are in each state.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct BuildCount {
    pub(crate) commit_id: String,
    pub(crate) state: String,
    pub(crate) count: i64,
}

/// What a build has to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewBuildStatus<'a> {
    pub(crate) commit: &'a str,
    pub(crate) key: &'a str,
    pub(crate) state: &'a str,
    pub(crate) document: &'a str,
}

impl Store {
    /// Writes a build's status down; the latest of a key holds. The repository is none for what is said of a commit wherever
    /// it is.
    pub(crate) async fn set_build_status(
        &self,
        repository: Option<&Repository>,
        new: NewBuildStatus<'_>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO build_statuses (commit_id, repository_id, key, state, document, added_ms, updated_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
             ON CONFLICT (commit_id, coalesce(repository_id, 0), key)
             DO UPDATE SET state = excluded.state, document = excluded.document, updated_ms = excluded.updated_ms",
        )
        .bind(new.commit)
        .bind(repository.map(|repository| repository.id))
        .bind(new.key)
        .bind(new.state)
        .bind(new.document)
        .bind(now_ms())
        .execute(&self.writer)
        .await
        .map(drop)
    }

    /// Returns what was said of a commit wherever it is, the latest first.
    pub(crate) async fn build_statuses(
        &self,
        commit: &str,
        window: Window,
    ) -> Result<Part<BuildStatus>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT key, state, document, added_ms, updated_ms FROM build_statuses
             WHERE commit_id = ? AND repository_id IS NULL ORDER BY updated_ms DESC, id DESC LIMIT ? OFFSET ?",
        )
        .bind(commit)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Returns what the build with this key says of a repository's commit; what it says of the commit anywhere, if nothing.
    pub(crate) async fn build_status(
        &self,
        repository: &Repository,
        commit: &str,
        key: &str,
    ) -> Result<Option<BuildStatus>, sqlx::Error> {
        sqlx::query_as(
            "SELECT key, state, document, added_ms, updated_ms FROM build_statuses
             WHERE commit_id = ? AND (repository_id = ? OR repository_id IS NULL) AND key = ?
             ORDER BY repository_id IS NULL LIMIT 1",
        )
        .bind(commit)
        .bind(repository.id)
        .bind(key)
        .fetch_optional(&self.readers)
        .await
    }

    /// Forgets what the build with this key says of a repository's commit.
    pub(crate) async fn delete_build_status(
        &self,
        repository: &Repository,
        commit: &str,
        key: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM build_statuses WHERE commit_id = ? AND repository_id = ? AND key = ?")
            .bind(commit)
            .bind(repository.id)
            .bind(key)
            .execute(&self.writer)
            .await
            .map(drop)
    }

    /// Counts the builds of many commits by one statement; a commit without any has no row.
    pub(crate) async fn build_counts(&self, commits: &[String]) -> Result<Vec<BuildCount>, sqlx::Error> {
        let list = serde_json::to_string(commits).unwrap_or_default();
        sqlx::query_as(
            "SELECT commit_id, state, count(DISTINCT key) AS count FROM build_statuses
             WHERE commit_id IN (SELECT value FROM json_each(?)) GROUP BY commit_id, state",
        )
        .bind(list)
        .fetch_all(&self.readers)
        .await
    }
}
