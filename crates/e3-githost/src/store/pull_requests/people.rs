//! Who has which part in a pull request, and what everybody thinks of it.

use std::collections::HashMap;

use sqlx::{FromRow, SqliteConnection};

use super::super::{Store, User};
use super::{Action, PullRequest, PullRequestPerson, Role, Status, activities, json_of};
use crate::clock::now_ms;

/// A person with the key of the pull request.
#[derive(FromRow)]
struct Part {
    pull_request: i64,
    #[sqlx(flatten)]
    person: PullRequestPerson,
}

impl Store {
    pub(super) async fn people_of(&self, key: i64) -> Result<Vec<PullRequestPerson>, sqlx::Error> {
        sqlx::query_as(
            "SELECT p.role, p.status, p.reviewed_commit, u.id, u.name, u.slug, u.display_name, u.email,
                    u.password_hash, u.version, u.admin, u.active
             FROM pull_request_people p JOIN users u ON u.id = p.user_id
             WHERE p.pull_request = ? ORDER BY p.role = 'AUTHOR' DESC, u.name",
        )
        .bind(key)
        .fetch_all(&self.readers)
        .await
    }

    /// Returns the people of many pull requests by its key, by one statement.
    pub(super) async fn people_of_all(
        &self,
        keys: &[i64],
    ) -> Result<HashMap<i64, Vec<PullRequestPerson>>, sqlx::Error> {
        let mut people: HashMap<i64, Vec<PullRequestPerson>> = HashMap::new();
        if keys.is_empty() {
            return Ok(people);
        }
        let parts: Vec<Part> = sqlx::query_as(
            "SELECT p.pull_request, p.role, p.status, p.reviewed_commit, u.id, u.name, u.slug, u.display_name, u.email,
                    u.password_hash, u.version, u.admin, u.active
             FROM pull_request_people p JOIN users u ON u.id = p.user_id
             WHERE p.pull_request IN (SELECT value FROM json_each(?))
             ORDER BY p.pull_request, p.role = 'AUTHOR' DESC, u.name",
        )
        .bind(json_of(keys))
        .fetch_all(&self.readers)
        .await?;
        for part in parts {
            people.entry(part.pull_request).or_default().push(part.person);
        }
        Ok(people)
    }

    /// Sets what the user thinks of the pull request while it is open; who had no part in it is a participant now.
    ///
    /// Returns false if it is not open any more.
    pub(crate) async fn set_status(
        &self,
        pull_request: &PullRequest,
        user: &User,
        status: Status,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        if !is_open(&mut transaction, pull_request.key).await? {
            return Ok(false);
        }
        let role = pull_request.part_of(user).map_or(Role::Participant, |part| part.role);
        let changed = sqlx::query(
            "INSERT INTO pull_request_people (pull_request, user_id, role, status, reviewed_commit)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (pull_request, user_id) DO UPDATE
             SET status = excluded.status, reviewed_commit = excluded.reviewed_commit
             WHERE status != excluded.status",
        )
        .bind(pull_request.key)
        .bind(user.id)
        .bind(role)
        .bind(status)
        .bind((status != Status::Unapproved).then_some(&pull_request.from.commit))
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() > 0 {
            let action = match status {
                Status::Approved => Action::Approved,
                Status::NeedsWork => Action::Reviewed,
                Status::Unapproved => Action::Unapproved,
            };
            activities::insert(&mut transaction, pull_request.key, user.id, action, now_ms()).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Takes the role of reviewer away; false if the request is not open any more.
    pub(crate) async fn remove_reviewer(
        &self,
        pull_request: &PullRequest,
        user: &User,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        if !is_open(&mut transaction, pull_request.key).await? {
            return Ok(false);
        }
        sqlx::query(
            "DELETE FROM pull_request_people WHERE pull_request = ? AND user_id = ? AND role = 'REVIEWER'",
        )
        .bind(pull_request.key)
        .bind(user.id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Gives the user a role; false if the request is not open any more.
    pub(crate) async fn set_role(
        &self,
        pull_request: &PullRequest,
        user: &User,
        role: Role,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        if !is_open(&mut transaction, pull_request.key).await? {
            return Ok(false);
        }
        assign(&mut transaction, pull_request.key, user.id, role).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Gives the user the role; a status stays as it is.
pub(super) async fn assign(
    connection: &mut SqliteConnection,
    key: i64,
    user: i64,
    role: Role,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO pull_request_people (pull_request, user_id, role, status) VALUES (?, ?, ?, 'UNAPPROVED')
         ON CONFLICT (pull_request, user_id) DO UPDATE SET role = excluded.role WHERE role != 'AUTHOR'",
    )
    .bind(key)
    .bind(user)
    .bind(role)
    .execute(connection)
    .await
    .map(drop)
}

async fn is_open(connection: &mut SqliteConnection, key: i64) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pull_requests WHERE key = ? AND state = 'OPEN')")
        .bind(key)
        .fetch_one(connection)
        .await
}
