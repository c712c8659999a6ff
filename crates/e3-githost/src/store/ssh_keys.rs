//! Users' public SSH keys. A key belongs to one user only, because it is all that tells who calls.

use sqlx::FromRow;

use super::{Part, Store, User, Window, is_duplicate};
use crate::clock::now_ms;

/// A key, as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct SshKey {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    /// The algorithm, the key in base64, and the comment.
    pub(crate) text: String,
    pub(crate) label: String,
    pub(crate) algorithm: String,
    pub(crate) bits: i64,
    /// SHA-256 of the key, as `ssh-keygen -l` shows it, without `SHA256:`.
    pub(crate) fingerprint: String,
    pub(crate) created_ms: i64,
}

/// What a new key is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewSshKey {
    /// The key as it goes over the wire; no two are the same.
    pub(crate) blob: Vec<u8>,
    pub(crate) text: String,
    pub(crate) label: String,
    pub(crate) algorithm: String,
    pub(crate) bits: i64,
    pub(crate) fingerprint: String,
}

impl Store {
    /// Returns the active user whose key this is, by the key as it goes over the wire.
    pub(crate) async fn user_of_ssh_key(&self, blob: &[u8]) -> Result<Option<User>, sqlx::Error> {
        sqlx::query_as(
            "SELECT u.id, u.name, u.slug, u.display_name, u.email, u.password_hash, u.version, u.admin, u.active
             FROM ssh_keys k JOIN users u ON u.id = k.user_id WHERE k.blob = ? AND u.active",
        )
        .bind(blob)
        .fetch_optional(&self.readers)
        .await
    }

    /// Returns the user's keys, the oldest first.
    pub(crate) async fn ssh_keys(&self, user: &User, window: Window) -> Result<Part<SshKey>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, user_id, text, label, algorithm, bits, fingerprint, created_ms
             FROM ssh_keys WHERE user_id = ? ORDER BY id LIMIT ? OFFSET ?",
        )
        .bind(user.id)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    pub(crate) async fn ssh_key(&self, id: i64) -> Result<Option<SshKey>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, user_id, text, label, algorithm, bits, fingerprint, created_ms FROM ssh_keys WHERE id = ?",
        )
        .bind(id)
        .fetch_optional(&self.readers)
        .await
    }

    /// Adds a key; none if it is anybody's already.
    pub(crate) async fn add_ssh_key(
        &self,
        user: &User,
        new: NewSshKey,
    ) -> Result<Option<SshKey>, sqlx::Error> {
        let inserted = sqlx::query_as(
            "INSERT INTO ssh_keys (user_id, blob, text, label, algorithm, bits, fingerprint, created_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             RETURNING id, user_id, text, label, algorithm, bits, fingerprint, created_ms",
        )
        .bind(user.id)
        .bind(new.blob)
        .bind(new.text)
        .bind(new.label)
        .bind(new.algorithm)
        .bind(new.bits)
        .bind(new.fingerprint)
        .bind(now_ms())
        .fetch_one(&self.writer)
        .await;
        match inserted {
            Ok(key) => Ok(Some(key)),
            Err(error) if is_duplicate(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn delete_ssh_key(&self, id: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM ssh_keys WHERE id = ?").bind(id).execute(&self.writer).await.map(drop)
    }

    /// Deletes all of the user's keys.
    pub(crate) async fn delete_ssh_keys(&self, user: &User) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM ssh_keys WHERE user_id = ?")
            .bind(user.id)
            .execute(&self.writer)
            .await
            .map(drop)
    }
}
