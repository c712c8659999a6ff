//! `access-tokens`: HTTP access tokens of users. A token is told once, when it is made.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Base;
use super::exchange::{MayWrite, Named, Write};
use super::page::{Page, Paged};
use super::permissions::{PROJECT, REPOSITORY};
use super::shapes::User;
use super::users::find;
use crate::auth::{Account, Known, TOKEN_PREFIX, random_token};
use crate::clock::now_ms;
use crate::failure::Failure;
use crate::names::Title;
use crate::state::{App, Host};
use crate::store::{self, NewAccessToken};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/users/{user}", get(list).put(create))
        .route("/users/{user}/{token}", get(one).delete(delete))
}

/// Source: the interface's description, and its schema of a token.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessToken {
    id: String,
    created_date: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_date: Option<i64>,
    name: String,
    permissions: Vec<String>,
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl AccessToken {
    fn new(row: store::AccessToken, user: store::User, base: &Base) -> Self {
        Self {
            id: row.id.to_string(),
            created_date: row.created_ms,
            last_authenticated: row.used_ms,
            expiry_date: row.expires_ms,
            name: row.name,
            permissions: row.permissions.split(',').map(str::to_owned).collect(),
            user: User::new(user, base),
            token: None,
        }
    }
}

async fn list(
    State(host): State<App>,
    Known(account): Known,
    named: Named,
    Paged(window): Paged,
    base: Base,
) -> Result<Json<Page<AccessToken>>, Failure> {
    let user = owner(&host, &account, &named, true).await?;
    let part = host.store.access_tokens(&user, window).await?;
    Ok(Json(Page::new(part, window, |row| AccessToken::new(row, user.clone(), &base))))
}

async fn one(
    State(host): State<App>,
    Known(account): Known,
    named: Named,
    base: Base,
) -> Result<Json<AccessToken>, Failure> {
    let user = owner(&host, &account, &named, true).await?;
    let found = match named.one("token").parse() {
        Ok(id) => host.store.access_token(&user, id).await?,
        Err(_) => None,
    };
    let row = found.ok_or_else(|| no_token(&named))?;
    Ok(Json(AccessToken::new(row, user, &base)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    name: Option<String>,
    permissions: Vec<String>,
    expiry_days: Option<i64>,
}

async fn create(
    State(host): State<App>,
    Known(account): Known,
    named: Named,
    base: Base,
    Write(wish): Write<Wish>,
) -> Result<Json<AccessToken>, Failure> {
    let user = owner(&host, &account, &named, false).await?;
    let name: Option<Title<255>> = wish.name.as_deref().and_then(Title::parse);
    let name = name.ok_or_else(|| Failure::invalid("name", "A token's name has 1 to 255 characters."))?;
    let (project_level, repository_level) = levels(&wish.permissions)?;
    let expires_ms = match wish.expiry_days {
        None => None,
        Some(days @ 1..=LONGEST_DAYS) => Some(now_ms().saturating_add(days.saturating_mul(DAY_MS))),
        Some(_) => return Err(Failure::invalid("expiryDays", "A token expires in 1 to 36500 days.")),
    };
    let token = format!("{TOKEN_PREFIX}{}", random_token());
    let new = NewAccessToken {
        id: rand::random_range(1..LARGEST_ID),
        name: name.as_str(),
        secret_hash: &Sha256::digest(token.as_bytes()),
        project_level,
        repository_level,
        permissions: &wish.permissions.join(","),
        expires_ms,
    };
    let row = host.store.create_access_token(&user, new).await?;
    let row = row.ok_or_else(|| Failure::invalid("name", "You have a token of this name already."))?;
    Ok(Json(AccessToken { token: Some(token), ..AccessToken::new(row, user, &base) }))
}

async fn delete(
    State(host): State<App>,
    Known(account): Known,
    _: MayWrite,
    named: Named,
) -> Result<StatusCode, Failure> {
    let user = owner(&host, &account, &named, true).await?;
    let deleted = match named.one("token").parse() {
        Ok(id) => host.store.delete_access_token(&user, id).await?,
        Err(_) => false,
    };
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(no_token(&named)) }
}

/// Returns whose tokens the path is about: one's own; an administrator also sees and deletes those of others. No token
/// makes tokens.
async fn owner(
    host: &Host,
    account: &Account,
    named: &Named,
    administrators: bool,
) -> Result<store::User, Failure> {
    account.check_whole()?;
    let user = find(host, named.one("user")).await;
    if user.as_ref().is_ok_and(|user| user.id == account.user.id) || (administrators && account.user.admin) {
        return user;
    }
    Err(Failure::not_permitted())
}

fn levels(permissions: &[String]) -> Result<(i64, i64), Failure> {
    let (mut project, mut repository) = (0, 0);
    for name in permissions {
        match (level(&PROJECT, name), level(&REPOSITORY, name)) {
            // What holds in a project holds in its repositories.
            (Some(level), _) => (project, repository) = (project.max(level), repository.max(level)),
            (_, Some(level)) => repository = repository.max(level),
            _ => return Err(Failure::invalid("permissions", format!("There is no permission {name:?}."))),
        }
    }
    if repository == 0 {
        return Err(Failure::invalid("permissions", "A token needs at least one permission."));
    }
    Ok((project, repository))
}

fn level(names: &[&str], name: &str) -> Option<i64> {
    names.iter().zip(1..).find(|(known, _)| **known == name).map(|(_, level)| level)
}

/// Source: recorded without an exception.
fn no_token(named: &Named) -> Failure {
    let message = format!("There is no token {}.", named.one("token"));
    Failure { message, ..Failure::no_resource() }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const LONGEST_DAYS: i64 = 36_500;
/// Source: Bitbucket's ids of tokens have twelve digits.
const LARGEST_ID: i64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_may_in_projects_it_may_in_their_repositories() {
        let of =
            |names: &[&str]| levels(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).ok();
        assert_eq!(of(&["REPO_WRITE"]), Some((0, 2)));
        assert_eq!(of(&["PROJECT_READ", "REPO_ADMIN"]), Some((1, 3)));
        assert_eq!(of(&["PROJECT_WRITE"]), Some((2, 2)));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["SYS_ADMIN"]), None);
    }
}
