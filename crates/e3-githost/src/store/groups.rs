//! Groups of users.

use sqlx::FromRow;

use super::grants::settle;
use super::{Part, Store, User, Window, containing, is_duplicate};
use crate::clock::now_ms;

/// A group, as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) name: String,
}

impl Store {
    pub(crate) async fn group(&self, name: &str) -> Result<Option<Group>, sqlx::Error> {
        sqlx::query_as("SELECT id, name FROM user_groups WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
    }

    /// Returns the groups whose name contains the text, by name.
    pub(crate) async fn groups(&self, text: &str, window: Window) -> Result<Part<Group>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, name FROM user_groups WHERE name LIKE ? ESCAPE '\\' ORDER BY name LIMIT ? OFFSET ?",
        )
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Makes a group; none if the name is taken.
    pub(crate) async fn create_group(&self, name: &str) -> Result<Option<Group>, sqlx::Error> {
        let inserted =
            sqlx::query_as("INSERT INTO user_groups (name, created_ms) VALUES (?, ?) RETURNING id, name")
                .bind(name)
                .bind(now_ms())
                .fetch_one(&self.writer)
                .await;
        match inserted {
            Ok(group) => Ok(Some(group)),
            Err(error) if is_duplicate(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes a group with its grants; false if that would leave nobody to administer the server.
    pub(crate) async fn delete_group(&self, group: &Group) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM user_groups WHERE id = ?").bind(group.id).execute(&mut *transaction).await?;
        settle(transaction).await
    }

    /// Returns the users who are in the group, or who are not, whose name contains the text, by name.
    pub(crate) async fn members(
        &self,
        (group, are): (&Group, bool),
        text: &str,
        window: Window,
    ) -> Result<Part<User>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, name, slug, display_name, email, password_hash, version, admin, active FROM users
             WHERE active AND (id IN (SELECT user_id FROM group_members WHERE group_id = ?1)) = ?2
                AND (name LIKE ?3 ESCAPE '\\' OR display_name LIKE ?3 ESCAPE '\\')
             ORDER BY name LIMIT ?4 OFFSET ?5",
        )
        .bind(group.id)
        .bind(are)
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Returns the groups that the user is in, or is not in, whose name contains the text, by name.
    pub(crate) async fn groups_of(
        &self,
        (user, is): (&User, bool),
        text: &str,
        window: Window,
    ) -> Result<Part<Group>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, name FROM user_groups
             WHERE (id IN (SELECT group_id FROM group_members WHERE user_id = ?1)) = ?2 AND name LIKE ?3 ESCAPE '\\'
             ORDER BY name LIMIT ?4 OFFSET ?5",
        )
        .bind(user.id)
        .bind(is)
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Puts the users into the groups, all or none; who is in one already stays.
    pub(crate) async fn add_members(&self, groups: &[Group], users: &[User]) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        for group in groups {
            for user in users {
                sqlx::query("INSERT OR IGNORE INTO group_members (group_id, user_id) VALUES (?, ?)")
                    .bind(group.id)
                    .bind(user.id)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        settle(transaction).await
    }

    /// Takes the user out of the group; false if that would leave nobody to administer the server.
    pub(crate) async fn remove_member(&self, group: &Group, user: &User) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM group_members WHERE group_id = ? AND user_id = ?")
            .bind(group.id)
            .bind(user.id)
            .execute(&mut *transaction)
            .await?;
        settle(transaction).await
    }
}

/// Source: the name of Bitbucket's default group.
pub(super) const DEFAULT_GROUP: &str = "stash-users";
