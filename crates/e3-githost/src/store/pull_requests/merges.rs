//! Merges: what is written down before a branch is moved, and after.
//!
//! A merge under way keeps its pull request open and lets nobody else close it. Whoever finds one whose commit has reached
//! the branch finishes it, so that a node that dies between the two leaves nothing that disagrees.

use sqlx::FromRow;

use super::super::{Repository, Store, User};
use super::{Action, PullRequest, activities};
use crate::clock::now_ms;

/// A merge that was begun: the commit was made, the branch may or may not be at it yet.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Merge {
    pub(crate) pull_request: i64,
    pub(crate) repository_id: i64,
    /// The full name of the target branch.
    pub(crate) to_ref: String,
    pub(crate) from_commit: String,
    pub(crate) to_commit: String,
    pub(crate) merge_commit: String,
    pub(crate) user_id: i64,
}

/// Whether a merge may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeBegun {
    Yes,
    /// The pull request is closed, or has another version.
    Changed,
    /// Another merge of it is under way.
    UnderWay,
}

impl Merge {
    /// Returns the merge of an open pull request by this commit.
    pub(crate) fn of(pull_request: &PullRequest, user: &User, merge_commit: String) -> Self {
        Self {
            pull_request: pull_request.key,
            repository_id: pull_request.repository.id,
            to_ref: pull_request.to.name.clone(),
            from_commit: pull_request.from.commit.clone(),
            to_commit: pull_request.to.commit.clone(),
            merge_commit,
            user_id: user.id,
        }
    }
}

impl Store {
    /// Writes down the merge that is about to move the branch, if the pull request is still open at this version.
    pub(crate) async fn begin_merge(&self, merge: &Merge, version: i64) -> Result<MergeBegun, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let same: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pull_requests WHERE key = ? AND state = 'OPEN' AND version = ?)",
        )
        .bind(merge.pull_request)
        .bind(version)
        .fetch_one(&mut *transaction)
        .await?;
        if !same {
            return Ok(MergeBegun::Changed);
        }
        let begun = sqlx::query(
            "INSERT INTO pull_request_merges (pull_request, repository_id, to_ref, from_commit, to_commit, merge_commit,
                                              user_id)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(merge.pull_request)
        .bind(merge.repository_id)
        .bind(&merge.to_ref)
        .bind(&merge.from_commit)
        .bind(&merge.to_commit)
        .bind(&merge.merge_commit)
        .bind(merge.user_id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(if begun.rows_affected() > 0 { MergeBegun::Yes } else { MergeBegun::UnderWay })
    }

    /// Closes the pull request as merged by this merge, whose commit is on the branch.
    ///
    /// Source: a recorded merge takes the version from 0 to 2.
    pub(crate) async fn finish_merge(&self, merge: &Merge) -> Result<(), sqlx::Error> {
        let now = now_ms();
        let mut transaction = self.begin().await?;
        let removed =
            sqlx::query("DELETE FROM pull_request_merges WHERE pull_request = ? AND merge_commit = ?")
                .bind(merge.pull_request)
                .bind(&merge.merge_commit)
                .execute(&mut *transaction)
                .await?;
        if removed.rows_affected() == 0 {
            // Another node has finished it.
            return Ok(());
        }
        sqlx::query(
            "UPDATE pull_requests SET state = 'MERGED', version = version + 2, from_commit = ?2, to_commit = ?3,
                    merge_commit = ?4, updated_ms = ?5, closed_ms = ?5 WHERE key = ?1",
        )
        .bind(merge.pull_request)
        .bind(&merge.from_commit)
        .bind(&merge.to_commit)
        .bind(&merge.merge_commit)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        let whose = (merge.pull_request, merge.user_id);
        let moved = (None, merge.merge_commit.as_str(), None);
        activities::insert_move(&mut transaction, whose, Action::Merged, moved, now).await?;
        transaction.commit().await
    }

    /// Forgets a merge whose commit did not get onto the branch and cannot any more.
    pub(crate) async fn forget_merge(&self, merge: &Merge) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM pull_request_merges WHERE pull_request = ? AND merge_commit = ?")
            .bind(merge.pull_request)
            .bind(&merge.merge_commit)
            .execute(&self.writer)
            .await
            .map(drop)
    }

    /// Returns the merges under way in one repository, or in all.
    pub(crate) async fn merges_under_way(
        &self,
        repository: Option<&Repository>,
    ) -> Result<Vec<Merge>, sqlx::Error> {
        sqlx::query_as(
            "SELECT pull_request, repository_id, to_ref, from_commit, to_commit, merge_commit, user_id
             FROM pull_request_merges WHERE ?1 IS NULL OR repository_id = ?1",
        )
        .bind(repository.map(|repository| repository.id))
        .fetch_all(&self.readers)
        .await
    }

    /// Returns the merge of the pull request that is under way.
    pub(crate) async fn merge_under_way(
        &self,
        pull_request: &PullRequest,
    ) -> Result<Option<Merge>, sqlx::Error> {
        sqlx::query_as(
            "SELECT pull_request, repository_id, to_ref, from_commit, to_commit, merge_commit, user_id
             FROM pull_request_merges WHERE pull_request = ?",
        )
        .bind(pull_request.key)
        .fetch_optional(&self.readers)
        .await
    }
}
