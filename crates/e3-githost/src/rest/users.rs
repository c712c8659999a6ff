//! `users`: for everyone, and what a user may change of the own account.

use axum::extract::{RawQuery, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::Base;
use super::exchange::{Named, Write};
use super::page::{Page, Paged, parameter};
use super::shapes::User;
use crate::auth::Known;
use crate::failure::Failure;
use crate::names::{Title, UserName};
use crate::password;
use crate::state::{App, Host};
use crate::store;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/users", get(list).put(update))
        .route("/users/credentials", put(change_password))
        .route("/users/{user}", get(one))
}

async fn list(
    State(host): State<App>,
    _: Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<User>>, Failure> {
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.users(&text, window).await?;
    Ok(Json(Page::new(part, window, |row| User::new(row, &base))))
}

async fn one(State(host): State<App>, _: Known, named: Named, base: Base) -> Result<Json<User>, Failure> {
    find(&host, named.one("user")).await.map(|row| Json(User::new(row, &base)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Details {
    /// Whose; only an administrator says it.
    pub(super) name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) email: Option<String>,
}

async fn update(
    State(host): State<App>,
    Known(account): Known,
    base: Base,
    Write(details): Write<Details>,
) -> Result<Json<User>, Failure> {
    account.check_whole()?;
    let user = change(&host, &account.user, details).await?;
    Ok(Json(User::new(user, &base)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Passwords {
    pub(super) name: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_confirm: Option<String>,
    old_password: Option<String>,
}

async fn change_password(
    State(host): State<App>,
    Known(account): Known,
    Write(passwords): Write<Passwords>,
) -> Result<StatusCode, Failure> {
    account.check_whole()?;
    let new = passwords.checked()?;
    let old = passwords.old_password.unwrap_or_default();
    if host.credentials.verify(&host.store, &account.user.name, &old).await?.is_none() {
        return Err(Failure::invalid("oldPassword", "This is not the current password."));
    }
    set_password(&host, &account.user, &new).await
}

impl Passwords {
    /// Returns the new password, if it was sent twice the same.
    pub(super) fn checked(&self) -> Result<String, Failure> {
        let password = self.password.clone().unwrap_or_default();
        if !password::is_acceptable(&password) {
            return Err(Failure::invalid("password", BAD_PASSWORD));
        }
        if self.password_confirm.as_ref() != Some(&password) {
            return Err(Failure::invalid("passwordConfirm", "The passwords do not match."));
        }
        Ok(password)
    }
}

/// Sets a password; sessions and remembered credentials of the old one are void.
pub(super) async fn set_password(
    host: &Host,
    user: &store::User,
    password: &str,
) -> Result<StatusCode, Failure> {
    let Some(name) = UserName::parse(&user.name) else { return Err(Failure::no_user(&user.name)) };
    let hash = host.credentials.hash(password).await?;
    host.store.set_password(&name, &hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes how a user is shown, and returns the user as it is then; what is not said stays.
pub(super) async fn change(
    host: &Host,
    user: &store::User,
    details: Details,
) -> Result<store::User, Failure> {
    let display_name = details.display_name.unwrap_or_else(|| user.display_name.clone());
    let email = details.email.unwrap_or_else(|| user.email.clone());
    let (display_name, email) = (checked_name(&display_name)?, checked_email(&email)?);
    host.store.update_user(user, display_name.as_str(), email.as_str()).await?;
    Ok(store::User {
        display_name: display_name.as_str().to_owned(),
        email: email.as_str().to_owned(),
        ..user.clone()
    })
}

/// Returns the user whose slug or name it is.
pub(super) async fn find(host: &Host, text: &str) -> Result<store::User, Failure> {
    let Some(name) = UserName::parse(text) else { return Err(Failure::no_user(text)) };
    let found = match host.store.user_by_slug(name.as_str()).await? {
        Some(user) => Some(user),
        None => host.store.user(&name).await?,
    };
    found.ok_or_else(|| Failure::no_user(text))
}

/// Returns the name to show if it can be one.
pub(super) fn checked_name(text: &str) -> Result<Title<255>, Failure> {
    Title::parse(text)
        .ok_or_else(|| Failure::invalid("displayName", "The name should be between 1 and 255 characters."))
}

/// Returns the address if it can be one.
pub(super) fn checked_email(text: &str) -> Result<Title<255>, Failure> {
    Title::parse(text)
        .filter(|email: &Title<255>| email.as_str().contains('@'))
        .ok_or_else(|| Failure::invalid("emailAddress", "The email should be a valid email address."))
}

pub(super) const BAD_PASSWORD: &str = "The password must have 1 to 1024 bytes.";
