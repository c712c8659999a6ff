//! Users.

use sqlx::FromRow;

use super::grants::settle;
use super::groups::DEFAULT_GROUP;
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
    /// Returns the user with this name who was not deleted.
    pub(crate) async fn user(&self, name: &UserName) -> Result<Option<User>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active
             FROM users WHERE name = ? AND active",
        )
        .bind(name.as_str())
        .fetch_optional(&self.readers)
        .await
    }

    /// Returns the user whose path segment this is.
    pub(crate) async fn user_by_slug(&self, slug: &str) -> Result<Option<User>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active
             FROM users WHERE slug = ? AND active",
        )
        .bind(slug)
        .fetch_optional(&self.readers)
        .await
    }

    pub(crate) async fn user_by_id(&self, id: i64) -> Result<Option<User>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active
             FROM users WHERE id = ? AND active",
        )
        .bind(id)
        .fetch_optional(&self.readers)
        .await
    }

    /// Returns the users with these e-mail addresses, in whatever case they are written, by one statement.
    pub(crate) async fn users_by_email(&self, emails: &[&str]) -> Result<Vec<User>, sqlx::Error> {
        let list: Vec<String> = emails.iter().map(|email| email.to_ascii_lowercase()).collect();
        let list = serde_json::to_string(&list).unwrap_or_default();
        sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active FROM users
             WHERE active AND lower(email) IN (SELECT value FROM json_each(?)) ORDER BY id",
        )
        .bind(list)
        .fetch_all(&self.readers)
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

    /// Makes a user in the default group; false if the name, or the path segment made from it, is taken.
    pub(crate) async fn create_user(&self, name: &UserName, new: NewUser<'_>) -> Result<bool, sqlx::Error> {
        self.create_user_in(name, new, true).await
    }

    /// Makes a user, in the default group or in none; an administrator gets the grant for it. A deleted user of the same name
    /// is made anew, and so keeps what it once wrote.
    pub(crate) async fn create_user_in(
        &self,
        name: &UserName,
        new: NewUser<'_>,
        default_group: bool,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query_scalar(
            "INSERT INTO users (name, slug, display_name, email, password_hash, admin, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (name) DO UPDATE SET display_name = ?3, email = ?4, password_hash = ?5, admin = ?6, active = 1,
                version = version + 1 WHERE NOT active
             RETURNING id",
        )
        .bind(name.as_str())
        .bind(name.slug())
        .bind(new.display_name)
        .bind(new.email)
        .bind(new.password_hash)
        .bind(new.admin)
        .bind(now_ms())
        .fetch_optional(&mut *transaction)
        .await;
        let id: i64 = match inserted {
            Ok(Some(id)) => id,
            Ok(None) => return Ok(false),
            Err(error) if is_duplicate(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        if default_group {
            sqlx::query(
                "INSERT OR IGNORE INTO group_members (group_id, user_id) SELECT id, ? FROM user_groups WHERE name = ?",
            )
            .bind(id)
            .bind(DEFAULT_GROUP)
            .execute(&mut *transaction)
            .await?;
        }
        if new.admin {
            sqlx::query("INSERT INTO grants (user_id, level) VALUES (?, ?)")
                .bind(id)
                .bind(SYSTEM_ADMINISTRATOR)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Changes how a user is shown.
    pub(crate) async fn update_user(
        &self,
        user: &User,
        display_name: &str,
        email: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE users SET display_name = ?, email = ? WHERE id = ?")
            .bind(display_name)
            .bind(email)
            .bind(user.id)
            .execute(&self.writer)
            .await
            .map(drop)
    }

    /// Deletes a user: nobody signs in by that name any more, and every grant, key and token is gone. The row stays behind
    /// what the user wrote. False if that would leave nobody to administer the server.
    pub(crate) async fn delete_user(&self, user: &User) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        for statement in [
            "UPDATE users SET active = 0, version = version + 1 WHERE id = ?",
            "DELETE FROM group_members WHERE user_id = ?",
            "DELETE FROM grants WHERE user_id = ?",
            "DELETE FROM access_tokens WHERE user_id = ?",
            "DELETE FROM condition_reviewers WHERE user_id = ?",
            "DELETE FROM ssh_keys WHERE user_id = ?",
            "DELETE FROM sessions WHERE user_id = ?",
        ] {
            sqlx::query(statement).bind(user.id).execute(&mut *transaction).await?;
        }
        settle(transaction).await
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

/// Source: the place of `SYS_ADMIN` among Bitbucket's global permissions.
const SYSTEM_ADMINISTRATOR: i64 = 4;
