//! `admin/users`: who may sign in.

use axum::extract::{RawQuery, State};
use axum::routing::{get, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::auth::{Admin, Known};
use crate::failure::Failure;
use crate::names::UserName;
use crate::password;
use crate::rest::Base;
use crate::rest::exchange::{MayWrite, Write};
use crate::rest::page::{Page, Paged, parameter, required};
use crate::rest::shapes::User;
use crate::rest::users::{
    BAD_PASSWORD, Details, Passwords, change, checked_email, checked_name, find, set_password,
};
use crate::state::App;
use crate::store::{self, NewUser};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/admin/users", get(list).post(create).put(update).delete(delete))
        .route("/admin/users/credentials", put(change_password))
}

/// What an administrator sees of a user. Source: recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailedUser {
    #[serde(flatten)]
    user: User,
    directory_name: &'static str,
    deletable: bool,
    mutable_details: bool,
    mutable_groups: bool,
}

impl DetailedUser {
    pub(super) fn new(row: store::User, base: &Base) -> Self {
        Self {
            user: User::new(row, base),
            directory_name: "Bitbucket Internal Directory",
            deletable: true,
            mutable_details: true,
            mutable_groups: true,
        }
    }
}

async fn list(
    State(host): State<App>,
    _: Admin,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<Page<DetailedUser>>, Failure> {
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.users(&text, window).await?;
    Ok(Json(Page::new(part, window, |row| DetailedUser::new(row, &base))))
}

/// The parameters of a new user. Source: they are in the query, and the body is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wish {
    name: String,
    password: String,
    display_name: String,
    email_address: String,
    add_to_default_group: String,
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
    let (display_name, email) = (checked_name(&wish.display_name)?, checked_email(&wish.email_address)?);
    if !password::is_acceptable(&wish.password) {
        return Err(Failure::invalid("password", BAD_PASSWORD));
    }
    let password_hash = host.credentials.hash(&wish.password).await?;
    let new = NewUser {
        display_name: display_name.as_str(),
        email: email.as_str(),
        password_hash: &password_hash,
        admin: false,
    };
    // Source: the interface's description: true unless it is said to be false.
    let default_group = !wish.add_to_default_group.eq_ignore_ascii_case("false");
    if host.store.create_user_in(&name, new, default_group).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::taken("name", "This username is already in use."))
    }
}

async fn update(
    State(host): State<App>,
    _: Admin,
    base: Base,
    Write(details): Write<Details>,
) -> Result<Json<DetailedUser>, Failure> {
    let user = find(&host, details.name.as_deref().unwrap_or_default()).await?;
    let user = change(&host, &user, details).await?;
    Ok(Json(DetailedUser::new(user, &base)))
}

async fn change_password(
    State(host): State<App>,
    _: Admin,
    Write(passwords): Write<Passwords>,
) -> Result<StatusCode, Failure> {
    let user = find(&host, passwords.name.as_deref().unwrap_or_default()).await?;
    let new = passwords.checked()?;
    set_password(&host, &user, &new).await
}

async fn delete(
    State(host): State<App>,
    _: Admin,
    Known(account): Known,
    _: MayWrite,
    RawQuery(query): RawQuery,
    base: Base,
) -> Result<Json<DetailedUser>, Failure> {
    let user = find(&host, &required(query.as_deref(), "name")?).await?;
    if user.id == account.user.id {
        return Err(Failure::taken("name", "You cannot delete your own account."));
    }
    if !host.store.delete_user(&user).await? {
        return Err(Failure::last_administrator());
    }
    Ok(Json(DetailedUser::new(user, &base)))
}
