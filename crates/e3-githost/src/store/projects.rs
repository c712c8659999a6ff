//! Projects.

use sqlx::FromRow;

use super::{Part, Store, Window, containing, is_duplicate};
use crate::clock::now_ms;
use crate::names::{ProjectKey, Title};

/// A project, as stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Project {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

/// What became of the wish for a project.
#[derive(Debug)]
pub(crate) enum ProjectCreated {
    Made(Project),
    KeyTaken,
    NameTaken,
}

impl Store {
    pub(crate) async fn project(&self, key: &ProjectKey) -> Result<Option<Project>, sqlx::Error> {
        sqlx::query_as("SELECT id, key, name, description FROM projects WHERE key = ?")
            .bind(key.as_str())
            .fetch_optional(&self.readers)
            .await
    }

    /// Returns the projects whose name contains the text, by name.
    pub(crate) async fn projects(&self, text: &str, window: Window) -> Result<Part<Project>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, key, name, description FROM projects WHERE name LIKE ? ESCAPE '\\'
             ORDER BY name, id LIMIT ? OFFSET ?",
        )
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    pub(crate) async fn create_project(
        &self,
        key: &ProjectKey,
        name: &Title<128>,
        description: Option<&str>,
    ) -> Result<ProjectCreated, sqlx::Error> {
        let inserted = sqlx::query_as(
            "INSERT INTO projects (key, name, description, created_ms) VALUES (?, ?, ?, ?)
             RETURNING id, key, name, description",
        )
        .bind(key.as_str())
        .bind(name.as_str())
        .bind(description)
        .bind(now_ms())
        .fetch_one(&self.writer)
        .await;
        match inserted {
            Ok(project) => Ok(ProjectCreated::Made(project)),
            Err(error) if is_duplicate(&error) => Ok(match self.project(key).await? {
                Some(_) => ProjectCreated::KeyTaken,
                None => ProjectCreated::NameTaken,
            }),
            Err(error) => Err(error),
        }
    }

    /// Deletes a project; false if it still has repositories.
    pub(crate) async fn delete_project(&self, project: &Project) -> Result<bool, sqlx::Error> {
        let deleted = sqlx::query(
            "DELETE FROM projects WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM repositories WHERE project_id = ?1)",
        )
        .bind(project.id)
        .execute(&self.writer)
        .await?;
        Ok(deleted.rows_affected() == 1)
    }
}
