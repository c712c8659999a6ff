//! Projects.

use sqlx::FromRow;

use super::{Part, Store, User, Window, containing, is_duplicate};
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

/// What a project should be called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProjectWish<'a> {
    pub(crate) key: &'a ProjectKey,
    pub(crate) name: &'a Title<128>,
    pub(crate) description: Option<&'a str>,
}

/// What became of the wish to change a project.
#[derive(Debug)]
pub(crate) enum ProjectChanged {
    Changed(Project),
    KeyTaken,
    NameTaken,
    Gone,
}

impl Store {
    pub(crate) async fn project(&self, key: &ProjectKey) -> Result<Option<Project>, sqlx::Error> {
        sqlx::query_as("SELECT id, key, name, description FROM projects WHERE key = ?")
            .bind(key.as_str())
            .fetch_optional(&self.readers)
            .await
    }

    /// Returns the projects that the user may see whose name contains the text, by name.
    pub(crate) async fn projects(
        &self,
        viewer: &User,
        text: &str,
        window: Window,
    ) -> Result<Part<Project>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT id, key, name, description FROM projects p WHERE name LIKE ?1 ESCAPE '\\'
             AND (?4 OR p.default_level > 0 OR EXISTS (
                SELECT 1 FROM grants g WHERE (g.project_id = p.id
                    OR g.repository_id IN (SELECT r.id FROM repositories r WHERE r.project_id = p.id))
                AND (g.user_id = ?5
                    OR g.group_id IN (SELECT m.group_id FROM group_members m WHERE m.user_id = ?5))))
             ORDER BY name, id LIMIT ?2 OFFSET ?3",
        )
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .bind(viewer.admin)
        .bind(viewer.id)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Changes what a project is called; a new key is the end of its old URLs.
    pub(crate) async fn update_project(
        &self,
        project: &Project,
        wish: ProjectWish<'_>,
    ) -> Result<ProjectChanged, sqlx::Error> {
        let updated = sqlx::query_as(
            "UPDATE projects SET key = ?, name = ?, description = ? WHERE id = ?
             RETURNING id, key, name, description",
        )
        .bind(wish.key.as_str())
        .bind(wish.name.as_str())
        .bind(wish.description)
        .bind(project.id)
        .fetch_optional(&self.writer)
        .await;
        match updated {
            Ok(Some(project)) => Ok(ProjectChanged::Changed(project)),
            Ok(None) => Ok(ProjectChanged::Gone),
            Err(error) if is_duplicate(&error) => Ok(match self.project(wish.key).await? {
                Some(other) if other.id != project.id => ProjectChanged::KeyTaken,
                _ => ProjectChanged::NameTaken,
            }),
            Err(error) => Err(error),
        }
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
