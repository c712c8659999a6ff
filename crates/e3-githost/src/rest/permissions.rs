//! Permissions: of the server (`admin/permissions`), of a project, of a repository.

use axum::extract::{FromRequestParts, RawQuery, State};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use super::Base;
use super::admin::group;
use super::allowed::{OwnProject, OwnRepository};
use super::exchange::{MayWrite, Named};
use super::page::{Page, Paged, parameter, required};
use super::shapes::User;
use super::users::find;
use crate::auth::Admin;
use crate::failure::Failure;
use crate::permissions::{GLOBAL, Level};
use crate::state::App;
use crate::store::{GroupGrant, Holder, Scope, UserGrant};

pub(super) fn routes() -> Router<App> {
    let users = || get(users).put(grant_users).delete(revoke_user);
    let groups = || get(groups).put(grant_groups).delete(revoke_group);
    Router::new()
        .route("/admin/permissions/users", users())
        .route("/admin/permissions/groups", groups())
        .route("/projects/{key}/permissions/users", users())
        .route("/projects/{key}/permissions/groups", groups())
        .route("/projects/{key}/permissions/{permission}/all", get(default).post(set_default))
        .route("/projects/{key}/repos/{slug}/permissions/users", users())
        .route("/projects/{key}/repos/{slug}/permissions/groups", groups())
}

/// What the path is about, for who may change permissions there.
struct Place(Scope);

impl FromRequestParts<App> for Place {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Failure> {
        let named = Named::from_request_parts(parts, host).await?;
        if !named.one("slug").is_empty() {
            let OwnRepository(repository) = OwnRepository::from_request_parts(parts, host).await?;
            return Ok(Self(Scope::Repository(repository.id)));
        }
        if !named.one("key").is_empty() {
            let OwnProject(project) = OwnProject::from_request_parts(parts, host).await?;
            return Ok(Self(Scope::Project(project.id)));
        }
        Admin::from_request_parts(parts, host).await.map(|_| Self(Scope::Server))
    }
}

#[derive(Debug, Serialize)]
struct PermittedUser {
    user: User,
    permission: &'static str,
}

#[derive(Debug, Serialize)]
struct PermittedGroup {
    group: GroupName,
    permission: &'static str,
}

#[derive(Debug, Serialize)]
struct GroupName {
    name: String,
}

async fn users(
    State(host): State<App>,
    Place(scope): Place,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<PermittedUser>>, Failure> {
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.user_grants(scope, &text, window).await?;
    let shape = |row: UserGrant| PermittedUser {
        user: User::new(row.user, &base),
        permission: name_of(scope, row.level),
    };
    Ok(Json(Page::new(part, window, shape)))
}

async fn groups(
    State(host): State<App>,
    Place(scope): Place,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<PermittedGroup>>, Failure> {
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.group_grants(scope, &text, window).await?;
    let shape = |row: GroupGrant| PermittedGroup {
        group: GroupName { name: row.group.name },
        permission: name_of(scope, row.level),
    };
    Ok(Json(Page::new(part, window, shape)))
}

/// The query names one user or more, and what they may do from now on.
async fn grant_users(
    State(host): State<App>,
    Place(scope): Place,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let level = wanted(scope, query.as_deref())?;
    let mut users = Vec::new();
    for name in all(query.as_deref(), "name")? {
        users.push(find(&host, &name).await?);
    }
    let holders: Vec<Holder<'_>> = users.iter().map(Holder::User).collect();
    done(host.store.grant(scope, &holders, level).await?)
}

async fn grant_groups(
    State(host): State<App>,
    Place(scope): Place,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let level = wanted(scope, query.as_deref())?;
    let mut groups = Vec::new();
    for name in all(query.as_deref(), "name")? {
        groups.push(group(&host, &name).await?);
    }
    let holders: Vec<Holder<'_>> = groups.iter().map(Holder::Group).collect();
    done(host.store.grant(scope, &holders, level).await?)
}

async fn revoke_user(
    State(host): State<App>,
    Place(scope): Place,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let user = find(&host, &required(query.as_deref(), "name")?).await?;
    done(host.store.revoke(scope, Holder::User(&user)).await?)
}

async fn revoke_group(
    State(host): State<App>,
    Place(scope): Place,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let group = group(&host, &required(query.as_deref(), "name")?).await?;
    done(host.store.revoke(scope, Holder::Group(&group)).await?)
}

#[derive(Debug, Serialize)]
struct Permitted {
    permitted: bool,
}

/// Whether every user has this permission in the project.
async fn default(
    State(host): State<App>,
    OwnProject(project): OwnProject,
    named: Named,
) -> Result<Json<Permitted>, Failure> {
    let level = project_level(named.one("permission")).ok_or_else(|| unknown(named.one("permission")))?;
    let permitted = host.store.default_level(&project).await? >= level.number();
    Ok(Json(Permitted { permitted }))
}

/// Gives every user the permission, or takes it from those who have it by that alone.
async fn set_default(
    State(host): State<App>,
    OwnProject(project): OwnProject,
    _: MayWrite,
    named: Named,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let name = named.one("permission");
    let level = project_level(name).filter(|level| *level < Level::Admin).ok_or_else(|| unknown(name))?;
    let allow = required(query.as_deref(), "allow")?;
    let allow = match allow.to_ascii_lowercase().as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(Failure::invalid("allow", "allow is true or false.")),
    };
    let now = host.store.default_level(&project).await?;
    let number = match allow {
        true => level.number(),
        // Source: to take a default away is to leave none.
        false if now >= level.number() => 0,
        false => now,
    };
    host.store.set_default_level(&project, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wanted(scope: Scope, query: Option<&str>) -> Result<i64, Failure> {
    let name = required(query, "permission")?;
    let level = match scope {
        Scope::Server => GLOBAL.iter().zip(1..).find(|(known, _)| **known == name).map(|(_, level)| level),
        Scope::Project(_) => project_level(&name).map(Level::number),
        Scope::Repository(_) => repository_level(&name).map(Level::number),
    };
    level.ok_or_else(|| unknown(&name))
}

fn unknown(name: &str) -> Failure {
    Failure::invalid("permission", format!("There is no permission {name} here."))
}

/// Returns all values of the query with this name, at least one and not too many.
fn all(query: Option<&str>, name: &'static str) -> Result<Vec<String>, Failure> {
    required(query, name)?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or("")).unwrap_or_default();
    let values: Vec<String> =
        pairs.into_iter().filter(|(found, _)| found == name).map(|(_, value)| value).collect();
    if values.len() > MOST_AT_ONCE {
        return Err(Failure::invalid(name, "These are too many at once."));
    }
    Ok(values)
}

fn done(changed: bool) -> Result<StatusCode, Failure> {
    if changed { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::last_administrator()) }
}

fn name_of(scope: Scope, level: i64) -> &'static str {
    let names: &[&str] = match scope {
        Scope::Server => &GLOBAL,
        Scope::Project(_) => &PROJECT,
        Scope::Repository(_) => &REPOSITORY,
    };
    let place = usize::try_from(level.saturating_sub(1)).unwrap_or(0);
    names.get(place).or(names.last()).copied().unwrap_or_default()
}

fn project_level(name: &str) -> Option<Level> {
    place(&PROJECT, name)
}

/// Returns what a permission of repositories allows.
pub(super) fn repository_level(name: &str) -> Option<Level> {
    place(&REPOSITORY, name)
}

fn place(names: &[&str], name: &str) -> Option<Level> {
    names.iter().zip(1..).find(|(known, _)| **known == name).and_then(|(_, number)| Level::of(number))
}

/// In the order of their levels, from 1.
pub(super) const PROJECT: [&str; 3] = ["PROJECT_READ", "PROJECT_WRITE", "PROJECT_ADMIN"];
pub(super) const REPOSITORY: [&str; 3] = ["REPO_READ", "REPO_WRITE", "REPO_ADMIN"];
const MOST_AT_ONCE: usize = 100;
