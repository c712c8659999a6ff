//! Grants: what users and groups may do on the server, in a project, in a repository.

use sqlx::{FromRow, Sqlite, Transaction};

use super::{Group, Part, Project, Repository, Store, User, Window, containing};

/// Where a grant holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    Server,
    /// The project with this number.
    Project(i64),
    /// The repository with this number.
    Repository(i64),
}

/// Whom a grant is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    User(&'a User),
    Group(&'a Group),
}

/// What a user may do by a grant of the user's own.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct UserGrant {
    pub(crate) level: i64,
    #[sqlx(flatten)]
    pub(crate) user: User,
}

/// What a group's members may do.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct GroupGrant {
    pub(crate) level: i64,
    #[sqlx(flatten)]
    pub(crate) group: Group,
}

impl Scope {
    fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Server => (None, None),
            Self::Project(id) => (Some(id), None),
            Self::Repository(id) => (None, Some(id)),
        }
    }
}

impl Holder<'_> {
    fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::User(user) => (Some(user.id), None),
            Self::Group(group) => (None, Some(group.id)),
        }
    }
}

impl Store {
    /// Returns the user's level on the server.
    pub(crate) async fn global_level(&self, user: &User) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT coalesce(max(level), 0) FROM grants WHERE project_id IS NULL AND repository_id IS NULL
             AND (user_id = ?1 OR group_id IN (SELECT group_id FROM group_members WHERE user_id = ?1))",
        )
        .bind(user.id)
        .fetch_one(&self.readers)
        .await
    }

    /// Returns the user's level in a project: by its default, by grants to the user and to the user's groups.
    pub(crate) async fn level_in_project(&self, user: &User, project: &Project) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT max(p.default_level, coalesce((
                SELECT max(level) FROM grants WHERE project_id = p.id AND (user_id = ?2
                    OR group_id IN (SELECT group_id FROM group_members WHERE user_id = ?2))), 0))
             FROM projects p WHERE p.id = ?1",
        )
        .bind(project.id)
        .bind(user.id)
        .fetch_one(&self.readers)
        .await
    }

    /// Returns the user's level in a repository: what holds in its project, and grants for itself.
    pub(crate) async fn level_in_repository(
        &self,
        user: &User,
        repository: &Repository,
    ) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT max(p.default_level, coalesce((
                SELECT max(level) FROM grants WHERE (project_id = p.id OR repository_id = ?2) AND (user_id = ?3
                    OR group_id IN (SELECT group_id FROM group_members WHERE user_id = ?3))), 0))
             FROM projects p WHERE p.id = ?1",
        )
        .bind(repository.project.project_id)
        .bind(repository.id)
        .bind(user.id)
        .fetch_one(&self.readers)
        .await
    }

    /// Returns whether the user has a grant for any repository of the project.
    pub(crate) async fn sees_a_repository(
        &self,
        user: &User,
        project: &Project,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM grants g JOIN repositories r ON r.id = g.repository_id
             WHERE r.project_id = ?1 AND (g.user_id = ?2
                OR g.group_id IN (SELECT group_id FROM group_members WHERE user_id = ?2)))",
        )
        .bind(project.id)
        .bind(user.id)
        .fetch_one(&self.readers)
        .await
    }

    /// Returns the users with a grant of their own whose name contains the text, by name.
    pub(crate) async fn user_grants(
        &self,
        scope: Scope,
        text: &str,
        window: Window,
    ) -> Result<Part<UserGrant>, sqlx::Error> {
        let (project, repository) = scope.columns();
        let rows = sqlx::query_as(
            "SELECT g.level, u.id, u.name, u.slug, u.display_name, u.email, u.password_hash, u.version, u.admin, u.active
             FROM grants g JOIN users u ON u.id = g.user_id
             WHERE g.project_id IS ?1 AND g.repository_id IS ?2 AND u.active AND u.name LIKE ?3 ESCAPE '\\'
             ORDER BY u.name LIMIT ?4 OFFSET ?5",
        )
        .bind(project)
        .bind(repository)
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Returns the groups with a grant whose name contains the text, by name.
    pub(crate) async fn group_grants(
        &self,
        scope: Scope,
        text: &str,
        window: Window,
    ) -> Result<Part<GroupGrant>, sqlx::Error> {
        let (project, repository) = scope.columns();
        let rows = sqlx::query_as(
            "SELECT g.level, k.id, k.name FROM grants g JOIN user_groups k ON k.id = g.group_id
             WHERE g.project_id IS ?1 AND g.repository_id IS ?2 AND k.name LIKE ?3 ESCAPE '\\'
             ORDER BY k.name LIMIT ?4 OFFSET ?5",
        )
        .bind(project)
        .bind(repository)
        .bind(containing(text))
        .bind(window.probe())
        .bind(window.start)
        .fetch_all(&self.readers)
        .await?;
        Ok(window.part(rows))
    }

    /// Sets what the holders may do there, all or none; false if that would leave nobody to administer the server.
    pub(crate) async fn grant(
        &self,
        scope: Scope,
        holders: &[Holder<'_>],
        level: i64,
    ) -> Result<bool, sqlx::Error> {
        let (project, repository) = scope.columns();
        let mut transaction = self.begin().await?;
        for holder in holders {
            let (user, group) = holder.columns();
            sqlx::query(
                "INSERT INTO grants (project_id, repository_id, user_id, group_id, level) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (coalesce(project_id, 0), coalesce(repository_id, 0), coalesce(user_id, 0), coalesce(group_id, 0))
                 DO UPDATE SET level = excluded.level",
            )
            .bind(project)
            .bind(repository)
            .bind(user)
            .bind(group)
            .bind(level)
            .execute(&mut *transaction)
            .await?;
        }
        settle(transaction).await
    }

    /// Takes back the holder's grant there, if there is one; false if that would leave nobody to administer the server.
    pub(crate) async fn revoke(&self, scope: Scope, holder: Holder<'_>) -> Result<bool, sqlx::Error> {
        let ((project, repository), (user, group)) = (scope.columns(), holder.columns());
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM grants WHERE project_id IS ? AND repository_id IS ? AND user_id IS ? AND group_id IS ?",
        )
        .bind(project)
        .bind(repository)
        .bind(user)
        .bind(group)
        .execute(&mut *transaction)
        .await?;
        settle(transaction).await
    }

    /// Returns what every user may do in the project.
    pub(crate) async fn default_level(&self, project: &Project) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT default_level FROM projects WHERE id = ?")
            .bind(project.id)
            .fetch_one(&self.readers)
            .await
    }

    /// Sets what every user may do in the project.
    pub(crate) async fn set_default_level(&self, project: &Project, level: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE projects SET default_level = ? WHERE id = ?")
            .bind(level)
            .bind(project.id)
            .execute(&self.writer)
            .await
            .map(drop)
    }
}

/// Writes down who administers the server by the grants and groups as they are now, and commits; false, and nothing has
/// changed, if nobody would.
pub(super) async fn settle(mut transaction: Transaction<'static, Sqlite>) -> Result<bool, sqlx::Error> {
    sqlx::query(
        "UPDATE users SET admin = NOT admin WHERE admin <> (active AND EXISTS (
            SELECT 1 FROM grants g WHERE g.project_id IS NULL AND g.repository_id IS NULL AND g.level >= 3
            AND (g.user_id = users.id
                OR g.group_id IN (SELECT m.group_id FROM group_members m WHERE m.user_id = users.id))))",
    )
    .execute(&mut *transaction)
    .await?;
    let remains: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE admin)")
        .fetch_one(&mut *transaction)
        .await?;
    if remains {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(remains)
}
