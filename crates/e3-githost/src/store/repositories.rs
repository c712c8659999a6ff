//! Repositories: their rows. The directories are `crate::repositories`.

use std::io;

use rand::Rng;
use sqlx::FromRow;

use super::{Part, Project, Store, User, Window, containing, is_duplicate};
use crate::clock::now_ms;
use crate::names::{ProjectKey, RepositoryName, Slug};

/// A repository with its project, as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Repository {
    pub(crate) id: i64,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) hierarchy_id: String,
    #[sqlx(flatten)]
    pub(crate) project: OwnProject,
}

/// The project's columns under names that do not meet the repository's.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OwnProject {
    pub(crate) project_id: i64,
    pub(crate) project_key: String,
    pub(crate) project_name: String,
    pub(crate) project_description: Option<String>,
    /// What every user may do in the project; none where it was not read.
    #[sqlx(default)]
    pub(crate) project_default: Option<i64>,
}

/// What became of the wish for a repository.
#[derive(Debug)]
pub(crate) enum RepositoryCreated {
    Made(Repository),
    Taken,
}

/// What became of the wish to change a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RepositoryChanged {
    Changed,
    Taken,
    Gone,
}

impl Store {
    pub(crate) async fn repository(
        &self,
        key: &ProjectKey,
        slug: &Slug,
    ) -> Result<Option<Repository>, sqlx::Error> {
        sqlx::query_as(
            "SELECT r.id, r.slug, r.name, r.description, r.hierarchy_id, p.id AS project_id, p.key AS project_key,
                    p.name AS project_name, p.description AS project_description, p.default_level AS project_default
             FROM projects p JOIN repositories r ON r.project_id = p.id WHERE p.key = ? AND r.slug = ?",
        )
        .bind(key.as_str())
        .bind(slug.as_str())
        .fetch_optional(&self.readers)
        .await
    }

    /// Returns the repositories of one project, or of all, that the user may see and whose name contains the text, by project
    /// and slug.
    pub(crate) async fn repositories(
        &self,
        viewer: &User,
        project: Option<&Project>,
        text: &str,
        window: Window,
    ) -> Result<Part<Repository>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT r.id, r.slug, r.name, r.description, r.hierarchy_id, p.id AS project_id, p.key AS project_key,
                    p.name AS project_name, p.description AS project_description, p.default_level AS project_default
             FROM repositories r JOIN projects p ON r.project_id = p.id
             WHERE (?1 IS NULL OR r.project_id = ?1) AND r.name LIKE ?2 ESCAPE '\\'
             AND (?5 OR p.default_level > 0 OR EXISTS (
                SELECT 1 FROM grants g WHERE (g.project_id = p.id OR g.repository_id = r.id) AND (g.user_id = ?6
                    OR g.group_id IN (SELECT m.group_id FROM group_members m WHERE m.user_id = ?6))))
             ORDER BY p.key, r.slug LIMIT ?3 OFFSET ?4",
        )
        .bind(project.map(|project| project.id))
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .bind(viewer.admin)
        .bind(viewer.id)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Changes what a repository is called and which project it belongs to.
    pub(crate) async fn update_repository(
        &self,
        repository: &Repository,
        (name, slug): (&RepositoryName, &Slug),
        (description, project): (Option<&str>, &Project),
    ) -> Result<RepositoryChanged, sqlx::Error> {
        let updated = sqlx::query(
            "UPDATE repositories SET name = ?, slug = ?, description = ?, project_id = ? WHERE id = ?",
        )
        .bind(name.as_str())
        .bind(slug.as_str())
        .bind(description)
        .bind(project.id)
        .bind(repository.id)
        .execute(&self.writer)
        .await;
        match updated {
            Ok(done) if done.rows_affected() == 1 => Ok(RepositoryChanged::Changed),
            Ok(_) => Ok(RepositoryChanged::Gone),
            Err(error) if is_duplicate(&error) => Ok(RepositoryChanged::Taken),
            Err(error) => Err(error),
        }
    }

    /// Makes the row and calls `place` with its id before anyone can see it; if that fails there is no row.
    pub(crate) async fn create_repository<F>(
        &self,
        project: &Project,
        (name, slug): (&RepositoryName, &Slug),
        description: Option<&str>,
        place: impl FnOnce(i64) -> F,
    ) -> Result<RepositoryCreated, CreateRepositoryError>
    where
        F: Future<Output = io::Result<()>>,
    {
        let mut hierarchy = [0_u8; 10];
        rand::rng().fill_bytes(&mut hierarchy);
        let hierarchy_id = crate::auth::hex(&hierarchy);
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query_scalar(
            "INSERT INTO repositories (project_id, slug, name, description, hierarchy_id, created_ms)
             VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(project.id)
        .bind(slug.as_str())
        .bind(name.as_str())
        .bind(description)
        .bind(&hierarchy_id)
        .bind(now_ms())
        .fetch_one(&mut *transaction)
        .await;
        let id: i64 = match inserted {
            Ok(id) => id,
            Err(error) if is_duplicate(&error) => return Ok(RepositoryCreated::Taken),
            Err(error) => return Err(error.into()),
        };
        place(id).await?;
        transaction.commit().await?;
        Ok(RepositoryCreated::Made(Repository {
            id,
            slug: slug.to_string(),
            name: name.as_str().to_owned(),
            description: description.map(str::to_owned),
            hierarchy_id,
            project: OwnProject {
                project_id: project.id,
                project_key: project.key.clone(),
                project_name: project.name.clone(),
                project_description: project.description.clone(),
                project_default: None,
            },
        }))
    }

    pub(crate) async fn delete_repository(&self, repository: &Repository) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM repositories WHERE id = ?")
            .bind(repository.id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

/// Why a repository was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateRepositoryError {
    #[error("the database refused")]
    Store(#[from] sqlx::Error),
    #[error("its directory could not be placed")]
    Place(#[from] io::Error),
}
