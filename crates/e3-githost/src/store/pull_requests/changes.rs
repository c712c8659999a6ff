//! How a pull request comes to be, changes and goes, merging aside.

use super::super::{Repository, Store, User, is_duplicate};
use super::{Action, PullRequest, Role, Tip, activities, people};
use crate::clock::now_ms;

/// What a new pull request is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewPullRequest<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: Option<&'a str>,
    pub(crate) from: &'a Tip,
    pub(crate) to: &'a Tip,
    pub(crate) reviewers: &'a [User],
}

/// What became of the wish for a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PullRequestCreated {
    /// It has this number.
    Made(i64),
    /// One from this branch to that is open already.
    Open,
}

/// How an open pull request ends without a merge by this server.
#[derive(Debug, Clone, Copy)]
enum Closing {
    Declined,
    Merged,
}

/// What a pull request should be after a change; none leaves a thing as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edit<'a> {
    pub(crate) title: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    pub(crate) to: Option<&'a Tip>,
    pub(crate) reviewers: Option<&'a [User]>,
}

impl Store {
    pub(crate) async fn create_pull_request(
        &self,
        repository: &Repository,
        author: &User,
        new: NewPullRequest<'_>,
    ) -> Result<PullRequestCreated, sqlx::Error> {
        let now = now_ms();
        let mut transaction = self.begin().await?;
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO pull_request_numbers (repository_id, last) VALUES (?, 1)
             ON CONFLICT (repository_id) DO UPDATE SET last = last + 1 RETURNING last",
        )
        .bind(repository.id)
        .fetch_one(&mut *transaction)
        .await?;
        let inserted = sqlx::query_scalar(
            "INSERT INTO pull_requests (repository_id, number, title, description, author_id, from_ref, from_commit,
                                        to_ref, to_commit, created_ms, updated_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) RETURNING key",
        )
        .bind(repository.id)
        .bind(number)
        .bind(new.title)
        .bind(new.description)
        .bind(author.id)
        .bind(&new.from.name)
        .bind(&new.from.commit)
        .bind(&new.to.name)
        .bind(&new.to.commit)
        .bind(now)
        .fetch_one(&mut *transaction)
        .await;
        let key: i64 = match inserted {
            Ok(key) => key,
            Err(error) if is_duplicate(&error) => return Ok(PullRequestCreated::Open),
            Err(error) => return Err(error),
        };
        people::assign(&mut transaction, key, author.id, Role::Author).await?;
        for reviewer in new.reviewers {
            people::assign(&mut transaction, key, reviewer.id, Role::Reviewer).await?;
        }
        activities::insert(&mut transaction, key, author.id, Action::Opened, now).await?;
        transaction.commit().await?;
        Ok(PullRequestCreated::Made(number))
    }

    /// Changes the pull request and counts its version; false if it is not open at this version any more.
    ///
    /// # Errors
    /// Also a duplicate, if the new target makes it the second open one between two branches.
    pub(crate) async fn edit_pull_request(
        &self,
        pull_request: &PullRequest,
        user: &User,
        edit: Edit<'_>,
    ) -> Result<bool, sqlx::Error> {
        let now = now_ms();
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE pull_requests SET title = coalesce(?3, title), description = coalesce(?4, description),
                    to_ref = coalesce(?5, to_ref), to_commit = coalesce(?6, to_commit), version = version + 1,
                    updated_ms = ?7
             WHERE key = ?1 AND version = ?2 AND state = 'OPEN'
                   AND NOT EXISTS (SELECT 1 FROM pull_request_merges WHERE pull_request = ?1)",
        )
        .bind(pull_request.key)
        .bind(pull_request.version)
        .bind(edit.title)
        .bind(edit.description)
        .bind(edit.to.map(|to| &to.name))
        .bind(edit.to.map(|to| &to.commit))
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        let before: Vec<&User> = pull_request.with_role(Role::Reviewer).map(|person| &person.user).collect();
        let after: Vec<&User> = match edit.reviewers {
            Some(reviewers) => reviewers.iter().collect(),
            None => before.clone(),
        };
        let missing = |of: &[&User], user: &User| of.iter().all(|other| other.id != user.id);
        let added: Vec<&User> = after.iter().copied().filter(|user| missing(&before, user)).collect();
        let removed: Vec<&User> = before.iter().copied().filter(|user| missing(&after, user)).collect();
        for reviewer in &added {
            people::assign(&mut transaction, pull_request.key, reviewer.id, Role::Reviewer).await?;
        }
        for reviewer in &removed {
            sqlx::query("DELETE FROM pull_request_people WHERE pull_request = ? AND user_id = ?")
                .bind(pull_request.key)
                .bind(reviewer.id)
                .execute(&mut *transaction)
                .await?;
        }
        let added: Vec<&str> = added.iter().map(|user| user.name.as_str()).collect();
        let removed: Vec<&str> = removed.iter().map(|user| user.name.as_str()).collect();
        let who = (pull_request.key, user.id);
        activities::insert_update(&mut transaction, who, (&added, &removed), now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Writes down that the source branch has moved while the request is open, and takes back what was thought of it if that
    /// is wanted. Of several who notice only one writes.
    pub(crate) async fn rescope_pull_request(
        &self,
        pull_request: &PullRequest,
        (from, to): (&str, &str),
        unapprove: bool,
    ) -> Result<(), sqlx::Error> {
        let now = now_ms();
        let author = pull_request.author().map(|author| author.user.id);
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE pull_requests SET from_commit = ?3, to_commit = ?4, version = version + 1, updated_ms = ?5
             WHERE key = ?1 AND from_commit = ?2 AND state = 'OPEN'
                   AND NOT EXISTS (SELECT 1 FROM pull_request_merges WHERE pull_request = ?1)",
        )
        .bind(pull_request.key)
        .bind(&pull_request.from.commit)
        .bind(from)
        .bind(to)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        if let Some(author) = author.filter(|_| changed.rows_affected() > 0) {
            if unapprove {
                sqlx::query("UPDATE pull_request_people SET status = 'UNAPPROVED' WHERE pull_request = ?")
                    .bind(pull_request.key)
                    .execute(&mut *transaction)
                    .await?;
            }
            let moved = (Some(pull_request.from.commit.as_str()), from, Some(to));
            activities::insert_move(
                &mut transaction,
                (pull_request.key, author),
                Action::Rescoped,
                moved,
                now,
            )
            .await?;
        }
        transaction.commit().await
    }

    /// Declines the pull request; false if it is not open at this version any more, or being merged.
    pub(crate) async fn decline_pull_request(
        &self,
        pull_request: &PullRequest,
        user: &User,
    ) -> Result<bool, sqlx::Error> {
        self.close_pull_request(pull_request, user, Closing::Declined).await
    }

    /// Closes the pull request as merged by somebody's push: everything of it is on the target branch already.
    ///
    /// Returns false if it is not open at this version any more, or being merged.
    pub(crate) async fn mark_merged(
        &self,
        pull_request: &PullRequest,
        user: &User,
    ) -> Result<bool, sqlx::Error> {
        self.close_pull_request(pull_request, user, Closing::Merged).await
    }

    async fn close_pull_request(
        &self,
        pull_request: &PullRequest,
        user: &User,
        closing: Closing,
    ) -> Result<bool, sqlx::Error> {
        let (state, step, action) = match closing {
            Closing::Declined => ("DECLINED", 1, Action::Declined),
            // Source: recorded; a merge raises the version by two.
            Closing::Merged => ("MERGED", 2, Action::Merged),
        };
        let now = now_ms();
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE pull_requests SET state = ?6, version = version + ?7, from_commit = ?3, to_commit = ?4,
                    updated_ms = ?5, closed_ms = ?5
             WHERE key = ?1 AND version = ?2 AND state = 'OPEN'
                   AND NOT EXISTS (SELECT 1 FROM pull_request_merges WHERE pull_request = ?1)",
        )
        .bind(pull_request.key)
        .bind(pull_request.version)
        .bind(&pull_request.from.commit)
        .bind(&pull_request.to.commit)
        .bind(now)
        .bind(state)
        .bind(step)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        activities::insert(&mut transaction, pull_request.key, user.id, action, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Opens a declined pull request again; false if it is not declined at this version any more.
    ///
    /// # Errors
    /// Also a duplicate, if another one between the two branches is open.
    pub(crate) async fn reopen_pull_request(
        &self,
        pull_request: &PullRequest,
        user: &User,
    ) -> Result<bool, sqlx::Error> {
        let now = now_ms();
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE pull_requests SET state = 'OPEN', version = version + 1, from_commit = ?3, to_commit = ?4,
                    updated_ms = ?5, closed_ms = NULL
             WHERE key = ?1 AND version = ?2 AND state = 'DECLINED'",
        )
        .bind(pull_request.key)
        .bind(pull_request.version)
        .bind(&pull_request.from.commit)
        .bind(&pull_request.to.commit)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        activities::insert(&mut transaction, pull_request.key, user.id, Action::Reopened, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Removes the pull request with all that belongs to it; false if it has another version, is merged or being merged.
    pub(crate) async fn delete_pull_request(&self, pull_request: &PullRequest) -> Result<bool, sqlx::Error> {
        let deleted = sqlx::query(
            "DELETE FROM pull_requests WHERE key = ?1 AND version = ?2 AND state != 'MERGED'
                    AND NOT EXISTS (SELECT 1 FROM pull_request_merges WHERE pull_request = ?1)",
        )
        .bind(pull_request.key)
        .bind(pull_request.version)
        .execute(&self.writer)
        .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
