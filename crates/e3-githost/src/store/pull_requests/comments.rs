//! What people say about a pull request: in general, about a file, about a line, in reply, as a task.

use sqlx::FromRow;

use super::super::{Part, Store, User, Window};
use super::{PullRequest, Role, activities, json_of, people};
use crate::clock::now_ms;

/// A comment.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Comment {
    pub(crate) comment_id: i64,
    /// What it replies to.
    pub(crate) parent_id: Option<i64>,
    pub(crate) comment_version: i64,
    pub(crate) text: String,
    /// `NORMAL`, or `BLOCKER` for a task.
    pub(crate) severity: String,
    /// `OPEN` or `RESOLVED`.
    pub(crate) comment_state: String,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    #[sqlx(flatten)]
    pub(crate) anchor: Anchor,
    #[sqlx(flatten)]
    pub(crate) author: User,
}

/// What a comment is about; without a path, the whole pull request.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub(crate) struct Anchor {
    pub(crate) path: Option<String>,
    pub(crate) source_path: Option<String>,
    /// None for the whole file.
    pub(crate) line: Option<i64>,
    /// `ADDED`, `REMOVED` or `CONTEXT`.
    pub(crate) line_type: Option<String>,
    /// `FROM` or `TO`.
    pub(crate) file_type: Option<String>,
    /// What the diff was between when the comment was made.
    pub(crate) from_hash: Option<String>,
    pub(crate) to_hash: Option<String>,
}

/// What a new comment is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewComment<'a> {
    pub(crate) text: &'a str,
    /// A comment of the same pull request.
    pub(crate) parent: Option<i64>,
    pub(crate) is_blocker: bool,
    pub(crate) anchor: &'a Anchor,
}

/// What a comment should be after a change; none leaves a thing as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CommentEdit<'a> {
    pub(crate) text: Option<&'a str>,
    pub(crate) severity: Option<&'a str>,
    pub(crate) state: Option<&'a str>,
}

/// What became of the wish to remove a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommentRemoved {
    Yes,
    /// It has another version.
    Changed,
    /// It has replies, which would hang in the air.
    HasReplies,
}

macro_rules! comments {
    ($rest:literal) => {
        concat!(
            "SELECT c.id AS comment_id, c.parent_id, c.version AS comment_version, c.text, c.severity,
                    c.state AS comment_state, c.created_ms, c.updated_ms, c.path, c.source_path, c.line, c.line_type,
                    c.file_type, c.from_hash, c.to_hash, u.id, u.name, u.slug, u.display_name, u.email, u.password_hash,
                    u.version, u.admin, u.active
             FROM pull_request_comments c JOIN users u ON u.id = c.author_id WHERE ",
            $rest
        )
    };
}

impl Store {
    /// Adds a comment; who had no part in the pull request is a participant now.
    pub(crate) async fn create_comment(
        &self,
        pull_request: &PullRequest,
        author: &User,
        new: NewComment<'_>,
    ) -> Result<i64, sqlx::Error> {
        let now = now_ms();
        let mut transaction = self.begin().await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO pull_request_comments
                (pull_request, parent_id, root_id, author_id, text, severity, created_ms, updated_ms, path, source_path,
                 line, line_type, file_type, from_hash, to_hash)
             VALUES (?1, ?2, (SELECT coalesce(root_id, id) FROM pull_request_comments WHERE id = ?2), ?3, ?4, ?5, ?6, ?6,
                     ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             RETURNING id",
        )
        .bind(pull_request.key)
        .bind(new.parent)
        .bind(author.id)
        .bind(new.text)
        .bind(if new.is_blocker { "BLOCKER" } else { "NORMAL" })
        .bind(now)
        .bind(&new.anchor.path)
        .bind(&new.anchor.source_path)
        .bind(new.anchor.line)
        .bind(&new.anchor.line_type)
        .bind(&new.anchor.file_type)
        .bind(&new.anchor.from_hash)
        .bind(&new.anchor.to_hash)
        .fetch_one(&mut *transaction)
        .await?;
        if pull_request.part_of(author).is_none() {
            people::assign(&mut transaction, pull_request.key, author.id, Role::Participant).await?;
        }
        if new.parent.is_none() {
            // A reply shows beneath what it replies to.
            activities::insert_comment(&mut transaction, (pull_request.key, author.id), id, now).await?;
        }
        sqlx::query("UPDATE pull_requests SET updated_ms = max(updated_ms, ?) WHERE key = ?")
            .bind(now)
            .bind(pull_request.key)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Returns the comment with this id and all replies beneath it, by id; nothing if there is no such comment here.
    pub(crate) async fn comment_thread(
        &self,
        pull_request: &PullRequest,
        id: i64,
    ) -> Result<Vec<Comment>, sqlx::Error> {
        sqlx::query_as(comments!(
            "c.pull_request = ?1 AND c.id IN (
                WITH RECURSIVE thread (id) AS (
                    SELECT id FROM pull_request_comments WHERE id = ?2
                    UNION ALL
                    SELECT reply.id FROM pull_request_comments reply JOIN thread ON reply.parent_id = thread.id)
                SELECT id FROM thread)
             ORDER BY c.id"
        ))
        .bind(pull_request.key)
        .bind(id)
        .fetch_all(&self.readers)
        .await
    }

    /// Returns these comments and all replies in their threads, by id.
    pub(crate) async fn comment_threads(
        &self,
        pull_request: &PullRequest,
        roots: &[i64],
    ) -> Result<Vec<Comment>, sqlx::Error> {
        if roots.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query_as(comments!(
            "c.pull_request = ?1 AND coalesce(c.root_id, c.id) IN (
                SELECT coalesce(root_id, id) FROM pull_request_comments
                WHERE id IN (SELECT value FROM json_each(?2)))
             ORDER BY c.id"
        ))
        .bind(pull_request.key)
        .bind(json_of(roots))
        .fetch_all(&self.readers)
        .await
    }

    /// Returns the first comments of the threads about a file, or about any if there is no path, the oldest first.
    pub(crate) async fn comments_at(
        &self,
        pull_request: &PullRequest,
        path: Option<&str>,
        window: Window,
    ) -> Result<Part<Comment>, sqlx::Error> {
        let rows = sqlx::query_as(comments!(
            "c.pull_request = ?1 AND c.parent_id IS NULL AND c.path IS NOT NULL AND (?2 IS NULL OR c.path = ?2)
             ORDER BY c.id LIMIT ?3 OFFSET ?4"
        ))
        .bind(pull_request.key)
        .bind(path)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Returns how many replies lie between the comment and the first one of its thread.
    pub(crate) async fn comment_depth(&self, comment: &Comment) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "WITH RECURSIVE above (parent_id) AS (
                SELECT parent_id FROM pull_request_comments WHERE id = ?
                UNION ALL
                SELECT c.parent_id FROM pull_request_comments c JOIN above ON c.id = above.parent_id)
             SELECT count(*) FROM above WHERE parent_id IS NOT NULL",
        )
        .bind(comment.comment_id)
        .fetch_one(&self.readers)
        .await
    }

    /// Returns how many tasks there are in each state that any is in.
    pub(crate) async fn blocker_counts(
        &self,
        pull_request: &PullRequest,
    ) -> Result<Vec<(String, i64)>, sqlx::Error> {
        sqlx::query_as(
            "SELECT state, count(*) FROM pull_request_comments
             WHERE pull_request = ? AND severity = 'BLOCKER' GROUP BY state",
        )
        .bind(pull_request.key)
        .fetch_all(&self.readers)
        .await
    }

    /// Returns the tasks, in one state or in both, the oldest first.
    pub(crate) async fn blockers(
        &self,
        pull_request: &PullRequest,
        state: Option<&str>,
        window: Window,
    ) -> Result<Part<Comment>, sqlx::Error> {
        let rows = sqlx::query_as(comments!(
            "c.pull_request = ?1 AND c.severity = 'BLOCKER' AND (?2 IS NULL OR c.state = ?2)
             ORDER BY c.id LIMIT ?3 OFFSET ?4"
        ))
        .bind(pull_request.key)
        .bind(state)
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Changes a comment and counts its version; false if it has another version.
    pub(crate) async fn edit_comment(
        &self,
        comment: &Comment,
        version: i64,
        edit: CommentEdit<'_>,
    ) -> Result<bool, sqlx::Error> {
        let changed = sqlx::query(
            "UPDATE pull_request_comments SET text = coalesce(?3, text), severity = coalesce(?4, severity),
                    state = coalesce(?5, state), version = version + 1, updated_ms = ?6
             WHERE id = ?1 AND version = ?2",
        )
        .bind(comment.comment_id)
        .bind(version)
        .bind(edit.text)
        .bind(edit.severity)
        .bind(edit.state)
        .bind(now_ms())
        .execute(&self.writer)
        .await?;
        Ok(changed.rows_affected() > 0)
    }

    pub(crate) async fn delete_comment(
        &self,
        comment: &Comment,
        version: i64,
    ) -> Result<CommentRemoved, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let replies: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pull_request_comments WHERE parent_id = ?)")
                .bind(comment.comment_id)
                .fetch_one(&mut *transaction)
                .await?;
        if replies {
            return Ok(CommentRemoved::HasReplies);
        }
        let deleted = sqlx::query("DELETE FROM pull_request_comments WHERE id = ? AND version = ?")
            .bind(comment.comment_id)
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(if deleted.rows_affected() > 0 { CommentRemoved::Yes } else { CommentRemoved::Changed })
    }
}
