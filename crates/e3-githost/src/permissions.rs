//! Who may do what.
//!
//! Every user may read and write every project until its default is changed (`permissions/{permission}/all`); grants to
//! users and groups, on a project or on one repository, add to that. Administrators may do everything. An access token
//! may do what its user may, up to the levels it was made with, and never administers the server.

use crate::auth::Account;
use crate::failure::Failure;
use crate::state::Host;
use crate::store::{Project, Repository, User};

/// What someone may do in a project or repository; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Read = 1,
    Write = 2,
    Admin = 3,
}

/// The most that an access token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ceiling {
    /// In projects.
    pub(crate) project: Level,
    /// In repositories.
    pub(crate) repository: Level,
}

impl Level {
    /// Returns the level with this number; none for nothing.
    pub(crate) fn of(number: i64) -> Option<Self> {
        match number {
            i64::MIN..1 => None,
            1 => Some(Self::Read),
            2 => Some(Self::Write),
            3.. => Some(Self::Admin),
        }
    }

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Admin => 3,
        }
    }
}

impl Account {
    /// Refuses what this account's token was not made for.
    ///
    /// # Errors
    /// 401, as for a permission that is missing.
    pub(crate) fn check_token_in_repository(&self, wanted: Level) -> Result<(), Failure> {
        allow(self.ceiling.is_none_or(|ceiling| ceiling.repository >= wanted))
    }

    /// Refuses every token: what belongs to the user alone.
    ///
    /// # Errors
    /// 401, as for a permission that is missing.
    pub(crate) fn check_whole(&self) -> Result<(), Failure> {
        allow(self.ceiling.is_none())
    }

    fn check_token_in_project(&self, wanted: Level) -> Result<(), Failure> {
        allow(self.ceiling.is_none_or(|ceiling| ceiling.project >= wanted))
    }
}

/// Refuses an account that may not do this much in the repository.
///
/// # Errors
/// 401 without the permission.
pub(crate) async fn check_repository(
    host: &Host,
    account: &Account,
    repository: &Repository,
    wanted: Level,
) -> Result<(), Failure> {
    account.check_token_in_repository(wanted)?;
    check_user(host, &account.user, repository, wanted).await
}

/// Refuses a user who may not do this much in the repository. Costs no query where the project's default is enough.
///
/// # Errors
/// 401 without the permission.
pub(crate) async fn check_user(
    host: &Host,
    user: &User,
    repository: &Repository,
    wanted: Level,
) -> Result<(), Failure> {
    let default = repository.project.project_default.and_then(Level::of);
    if user.admin || default.is_some_and(|default| default >= wanted) {
        return Ok(());
    }
    let level = host.store.level_in_repository(user, repository).await?;
    allow(Level::of(level).is_some_and(|level| level >= wanted))
}

/// Refuses an account that may not do this much in the project. Whoever may read one of its repositories may see it.
///
/// # Errors
/// 401 without the permission.
pub(crate) async fn check_project(
    host: &Host,
    account: &Account,
    project: &Project,
    wanted: Level,
) -> Result<(), Failure> {
    account.check_token_in_project(wanted)?;
    if account.user.admin {
        return Ok(());
    }
    let level = host.store.level_in_project(&account.user, project).await?;
    if Level::of(level).is_some_and(|level| level >= wanted) {
        return Ok(());
    }
    let sees = wanted == Level::Read && host.store.sees_a_repository(&account.user, project).await?;
    allow(sees)
}

/// Refuses an account that may not make projects.
///
/// # Errors
/// 401 without the permission.
pub(crate) async fn check_may_make_projects(host: &Host, account: &Account) -> Result<(), Failure> {
    account.check_token_in_project(Level::Admin)?;
    allow(account.user.admin || host.store.global_level(&account.user).await? >= MAKES_PROJECTS)
}

fn allow(may: bool) -> Result<(), Failure> {
    if may { Ok(()) } else { Err(Failure::not_permitted()) }
}

/// The levels of the server: what a grant without project and repository means, in their order from 1.
///
/// Source: Bitbucket's global permissions.
pub(crate) const GLOBAL: [&str; 4] = ["LICENSED_USER", "PROJECT_CREATE", "ADMIN", "SYS_ADMIN"];
const MAKES_PROJECTS: i64 = 2;
