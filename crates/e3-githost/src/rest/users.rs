//! `users` for everyone, `admin/users` to make one.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::Base;
use super::exchange::MayWrite;
use super::page::{Page, Paged, parameter};
use super::shapes::User;
use crate::auth::{Admin, Known};
use crate::failure::Failure;
use crate::names::{Title, UserName};
use crate::password;
use crate::state::App;
use crate::store::NewUser;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/users", get(list))
        .route("/users/{name}", get(one))
        .route("/admin/users", post(create))
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

async fn one(
    State(host): State<App>,
    _: Known,
    name: Result<Path<String>, PathRejection>,
    base: Base,
) -> Result<Json<User>, Failure> {
    let Path(name) = name.map_err(|_| Failure::no_resource())?;
    let user = match UserName::parse(&name) {
        Some(parsed) => host.store.user(&parsed).await?,
        None => None,
    };
    user.map(|row| Json(User::new(row, &base))).ok_or_else(|| Failure::no_user(&name))
}

/// The parameters of a new user. Source: they are in the query, and the body is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    name: String,
    password: String,
    display_name: String,
    email_address: String,
}

async fn create(
    State(host): State<App>,
    _: Admin,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Failure> {
    let wish: Wish = serde_urlencoded::from_str(query.as_deref().unwrap_or(""))
        .map_err(|_| Failure::bad_request("The query could not be read."))?;
    let name = UserName::parse(&wish.name).ok_or_else(|| {
        Failure::invalid("name", "User names start with a letter or digit and may contain - _ . @ and +.")
    })?;
    let display_name = Title::<255>::parse(&wish.display_name)
        .ok_or_else(|| Failure::invalid("displayName", "The name should be between 1 and 255 characters."))?;
    let email = Title::<255>::parse(&wish.email_address)
        .filter(|email| email.as_str().contains('@'))
        .ok_or_else(|| Failure::invalid("emailAddress", "The email should be a valid email address."))?;
    if !password::is_acceptable(&wish.password) {
        return Err(Failure::invalid("password", "The password must have 1 to 1024 bytes."));
    }
    let password_hash = host.credentials.hash(&wish.password).await?;
    let new = NewUser {
        display_name: display_name.as_str(),
        email: email.as_str(),
        password_hash: &password_hash,
        admin: false,
    };
    if host.store.create_user(&name, new).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::taken("name", "This username is already in use."))
    }
}
