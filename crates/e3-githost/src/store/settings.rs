//! Settings of repositories, as the documents they were sent as, and who should review.

use sqlx::FromRow;

use super::{Project, Repository, Store, User};

/// Whom to ask for a review of what goes from some branches to others.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Condition {
    pub(crate) id: i64,
    pub(crate) project_id: Option<i64>,
    pub(crate) repository_id: Option<i64>,
    /// A matcher as JSON, and so is the next.
    pub(crate) source_matcher: String,
    pub(crate) target_matcher: String,
    pub(crate) required_approvals: i64,
}

/// A reviewer of a condition.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ConditionReviewer {
    pub(crate) condition_id: i64,
    #[sqlx(flatten)]
    pub(crate) user: User,
}

/// What a condition is made of.
#[derive(Debug, Clone)]
pub(crate) struct NewCondition {
    pub(crate) source_matcher: String,
    pub(crate) target_matcher: String,
    pub(crate) required_approvals: i64,
    pub(crate) reviewers: Vec<i64>,
}

/// Where conditions hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    Project(&'a Project),
    Repository(&'a Repository),
}

impl Of<'_> {
    fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Project(project) => (Some(project.id), None),
            Self::Repository(repository) => (None, Some(repository.id)),
        }
    }
}

impl Store {
    /// Returns a setting's document, if it was ever set.
    pub(crate) async fn setting(
        &self,
        repository: &Repository,
        name: &str,
    ) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT document FROM repository_settings WHERE repository_id = ? AND name = ?")
            .bind(repository.id)
            .bind(name)
            .fetch_optional(&self.readers)
            .await
    }

    pub(crate) async fn set_setting(
        &self,
        repository: &Repository,
        name: &str,
        document: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO repository_settings (repository_id, name, document) VALUES (?, ?, ?)
             ON CONFLICT (repository_id, name) DO UPDATE SET document = excluded.document",
        )
        .bind(repository.id)
        .bind(name)
        .bind(document)
        .execute(&self.writer)
        .await
        .map(drop)
    }

    /// Returns the conditions that hold there, a project's before the repository's own, with all their reviewers.
    pub(crate) async fn conditions(
        &self,
        of: Of<'_>,
    ) -> Result<(Vec<Condition>, Vec<ConditionReviewer>), sqlx::Error> {
        let (mut project, repository) = of.columns();
        if let Of::Repository(repository) = of {
            project = Some(repository.project.project_id);
        }
        let conditions = sqlx::query_as(
            "SELECT id, project_id, repository_id, source_matcher, target_matcher, required_approvals
             FROM reviewer_conditions WHERE project_id = ?1 OR repository_id = ?2
             ORDER BY repository_id IS NOT NULL, id LIMIT 1000",
        )
        .bind(project)
        .bind(repository)
        .fetch_all(&self.readers)
        .await?;
        let reviewers = sqlx::query_as(
            "SELECT c.condition_id, u.id, u.name, u.slug, u.display_name, u.email, u.password_hash, u.version, u.admin, u.active
             FROM reviewer_conditions k JOIN condition_reviewers c ON c.condition_id = k.id JOIN users u ON u.id = c.user_id
             WHERE (k.project_id = ?1 OR k.repository_id = ?2) AND u.active ORDER BY u.name",
        )
        .bind(project)
        .bind(repository)
        .fetch_all(&self.readers)
        .await?;
        Ok((conditions, reviewers))
    }

    /// Makes a condition, or changes the one with this number; none if there is no such one there.
    pub(crate) async fn put_condition(
        &self,
        of: Of<'_>,
        id: Option<i64>,
        new: &NewCondition,
    ) -> Result<Option<i64>, sqlx::Error> {
        let (project, repository) = of.columns();
        let mut transaction = self.begin().await?;
        let written: Option<i64> = match id {
            None => {
                sqlx::query_scalar(
                    "INSERT INTO reviewer_conditions
                        (project_id, repository_id, source_matcher, target_matcher, required_approvals)
                     VALUES (?, ?, ?, ?, ?) RETURNING id",
                )
                .bind(project)
                .bind(repository)
                .bind(&new.source_matcher)
                .bind(&new.target_matcher)
                .bind(new.required_approvals)
                .fetch_optional(&mut *transaction)
                .await?
            }
            Some(id) => {
                sqlx::query_scalar(
                    "UPDATE reviewer_conditions SET source_matcher = ?4, target_matcher = ?5, required_approvals = ?6
                     WHERE id = ?1 AND project_id IS ?2 AND repository_id IS ?3 RETURNING id",
                )
                .bind(id)
                .bind(project)
                .bind(repository)
                .bind(&new.source_matcher)
                .bind(&new.target_matcher)
                .bind(new.required_approvals)
                .fetch_optional(&mut *transaction)
                .await?
            }
        };
        let Some(written) = written else { return Ok(None) };
        sqlx::query("DELETE FROM condition_reviewers WHERE condition_id = ?")
            .bind(written)
            .execute(&mut *transaction)
            .await?;
        for user in &new.reviewers {
            sqlx::query("INSERT OR IGNORE INTO condition_reviewers (condition_id, user_id) VALUES (?, ?)")
                .bind(written)
                .bind(user)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Some(written))
    }

    /// Deletes a condition; false if there is none with this number there.
    pub(crate) async fn delete_condition(&self, of: Of<'_>, id: i64) -> Result<bool, sqlx::Error> {
        let (project, repository) = of.columns();
        let deleted = sqlx::query(
            "DELETE FROM reviewer_conditions WHERE id = ? AND project_id IS ? AND repository_id IS ?",
        )
        .bind(id)
        .bind(project)
        .bind(repository)
        .execute(&self.writer)
        .await?;
        Ok(deleted.rows_affected() == 1)
    }
}
