//! HTTP access tokens: of each only the hash of its secret.

use sqlx::FromRow;

use super::{Part, Store, User, Window, is_duplicate};
use crate::clock::now_ms;

/// A token, as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct AccessToken {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// The names of its permissions, with commas between them.
    pub(crate) permissions: String,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    pub(crate) used_ms: Option<i64>,
}

/// A live token with its user.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Bearer {
    pub(crate) token_id: i64,
    pub(crate) project_level: i64,
    pub(crate) repository_level: i64,
    used_ms: Option<i64>,
    #[sqlx(flatten)]
    pub(crate) user: User,
}

/// What a new token is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewAccessToken<'a> {
    /// Random, and kept within what every JSON parser reads exactly.
    pub(crate) id: i64,
    pub(crate) name: &'a str,
    pub(crate) secret_hash: &'a [u8],
    pub(crate) project_level: i64,
    pub(crate) repository_level: i64,
    pub(crate) permissions: &'a str,
    pub(crate) expires_ms: Option<i64>,
}

impl Store {
    /// Returns whose token this is, if it is neither expired nor its user inactive.
    pub(crate) async fn bearer(&self, secret_hash: &[u8]) -> Result<Option<Bearer>, sqlx::Error> {
        let now = now_ms();
        let bearer: Option<Bearer> = sqlx::query_as(
            "SELECT t.id AS token_id, t.project_level, t.repository_level, t.used_ms, u.id, u.name, u.slug, u.display_name,
                    u.email, u.password_hash, u.version, u.admin, u.active
             FROM access_tokens t JOIN users u ON u.id = t.user_id
             WHERE t.secret_hash = ? AND u.active AND (t.expires_ms IS NULL OR t.expires_ms > ?)",
        )
        .bind(secret_hash)
        .bind(now)
        .fetch_optional(&self.readers)
        .await?;
        if let Some(found) =
            bearer.as_ref().filter(|found| found.used_ms.is_none_or(|at| at < now - USED_EVERY_MS))
        {
            let (writer, id) = (self.writer.clone(), found.token_id);
            let write = async move {
                sqlx::query("UPDATE access_tokens SET used_ms = ? WHERE id = ?")
                    .bind(now)
                    .bind(id)
                    .execute(&writer)
                    .await
                    .map(drop)
            };
            self.note("when a token was used", write).await;
        }
        Ok(bearer)
    }

    /// Returns the user's tokens, the oldest first.
    pub(crate) async fn access_tokens(
        &self,
        user: &User,
        window: Window,
    ) -> Result<Part<AccessToken>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, name, permissions, created_ms, expires_ms, used_ms FROM access_tokens
             WHERE user_id = ? ORDER BY created_ms, id LIMIT ? OFFSET ?",
        )
        .bind(user.id)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    pub(crate) async fn access_token(
        &self,
        user: &User,
        id: i64,
    ) -> Result<Option<AccessToken>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, name, permissions, created_ms, expires_ms, used_ms FROM access_tokens
             WHERE user_id = ? AND id = ?",
        )
        .bind(user.id)
        .bind(id)
        .fetch_optional(&self.readers)
        .await
    }

    /// Makes a token; none if the user has one of that name.
    pub(crate) async fn create_access_token(
        &self,
        user: &User,
        new: NewAccessToken<'_>,
    ) -> Result<Option<AccessToken>, sqlx::Error> {
        let inserted = sqlx::query_as(
            "INSERT INTO access_tokens
                (id, user_id, name, secret_hash, project_level, repository_level, permissions, created_ms, expires_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id, name, permissions, created_ms, expires_ms, used_ms",
        )
        .bind(new.id)
        .bind(user.id)
        .bind(new.name)
        .bind(new.secret_hash)
        .bind(new.project_level)
        .bind(new.repository_level)
        .bind(new.permissions)
        .bind(now_ms())
        .bind(new.expires_ms)
        .fetch_one(&self.writer)
        .await;
        match inserted {
            Ok(token) => Ok(Some(token)),
            Err(error) if is_duplicate(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes a token; false if the user has none with this number.
    pub(crate) async fn delete_access_token(&self, user: &User, id: i64) -> Result<bool, sqlx::Error> {
        let deleted = sqlx::query("DELETE FROM access_tokens WHERE user_id = ? AND id = ?")
            .bind(user.id)
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(deleted.rows_affected() == 1)
    }
}

const USED_EVERY_MS: i64 = 60 * 1000;
