//! Users.

use sqlx::FromRow;

use super::{Part, Store, Window, containing, is_duplicate};
use crate::clock::now_ms;
use crate::names::UserName;

/// A user, as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct User {
    pub(crate) id: i64,
    /// The login name, in lower case.
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) password_hash: String,
    /// Counts the password changes; sessions and remembered credentials of older versions are void.
    pub(crate) version: i64,
    pub(crate) admin: bool,
    pub(crate) active: bool,
}

/// What a new user is made of, besides the name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewUser<'a> {
    pub(crate) display_name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) admin: bool,
}

impl Store {
    pub(crate) async fn user(&self, name: &UserName) -> Result<Option<User>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active
             FROM users WHERE name = ?",
        )
        .bind(name.as_str())
        .fetch_optional(&self.readers)
        .await
    }

    /// Returns the users whose name, display name or address contains the text, by name.
    pub(crate) async fn users(&self, text: &str, window: Window) -> Result<Part<User>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active FROM users
             WHERE active AND (name LIKE ?1 ESCAPE '\\' OR display_name LIKE ?1 ESCAPE '\\' OR email LIKE ?1 ESCAPE '\\')
             ORDER BY name LIMIT ?2 OFFSET ?3",
        )
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Makes a user; false if the name, or the path segment made from it, is taken.
    pub(crate) async fn create_user(&self, name: &UserName, new: NewUser<'_>) -> Result<bool, sqlx::Error> {
        let inserted = sqlx::query(
            "INSERT INTO users (name, slug, display_name, email, password_hash, admin, created_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(name.as_str())
        .bind(name.slug())
        .bind(new.display_name)
        .bind(new.email)
        .bind(new.password_hash)
        .bind(new.admin)
        .bind(now_ms())
        .execute(&self.writer)
        .await;
        match inserted {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sets a user's password; the new version voids sessions and remembered credentials on every node.
    pub(crate) async fn set_password(&self, name: &UserName, password_hash: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE users SET password_hash = ?, version = version + 1 WHERE name = ?")
            .bind(password_hash)
            .bind(name.as_str())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
