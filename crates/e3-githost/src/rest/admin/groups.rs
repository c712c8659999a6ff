//! `admin/groups`, and who is in them.

use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::users::DetailedUser;
use crate::auth::{Admin, Known};
use crate::failure::Failure;
use crate::names::Title;
use crate::rest::Base;
use crate::rest::exchange::{MayWrite, Write};
use crate::rest::page::{Page, Paged, parameter, required};
use crate::rest::users::find;
use crate::state::{App, Host};
use crate::store;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/groups", get(names))
        .route("/admin/groups", get(list).post(create).delete(delete))
        .route("/admin/groups/more-members", get(members))
        .route("/admin/groups/more-non-members", get(others))
        .route("/admin/groups/add-user", post(add_user))
        .route("/admin/groups/add-users", post(add_users))
        .route("/admin/groups/remove-user", post(remove_user))
        .route("/admin/users/more-members", get(groups_of))
        .route("/admin/users/more-non-members", get(other_groups))
        .route("/admin/users/add-group", post(add_group))
        .route("/admin/users/add-groups", post(add_groups))
        .route("/admin/users/remove-group", post(remove_group))
}

/// Source: recorded permissions name a group so; an administrator also sees whether it can go.
#[derive(Debug, Serialize)]
struct Group {
    name: String,
    deletable: bool,
}

impl Group {
    fn new(row: store::Group) -> Self {
        Self { name: row.name, deletable: true }
    }
}

/// The names only, for whoever is known.
async fn names(
    State(host): State<App>,
    _: Known,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<String>>, Failure> {
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.groups(&text, window).await?;
    Ok(Json(Page::new(part, window, |row| row.name)))
}

async fn list(
    State(host): State<App>,
    _: Admin,
    Paged(window): Paged,
    RawQuery(query): RawQuery,
) -> Result<Json<Page<Group>>, Failure> {
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.groups(&text, window).await?;
    Ok(Json(Page::new(part, window, Group::new)))
}

async fn create(
    State(host): State<App>,
    _: Admin,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<Json<Group>, Failure> {
    let name: Option<Title<255>> = Title::parse(&required(query.as_deref(), "name")?);
    let name = name.ok_or_else(|| Failure::invalid("name", "A group's name has 1 to 255 characters."))?;
    let made = host.store.create_group(name.as_str()).await?;
    made.map(|row| Json(Group::new(row)))
        .ok_or_else(|| Failure::taken("name", "This group name is already in use."))
}

async fn delete(
    State(host): State<App>,
    _: Admin,
    _: MayWrite,
    RawQuery(query): RawQuery,
) -> Result<Json<Group>, Failure> {
    let group = group(&host, &required(query.as_deref(), "name")?).await?;
    if !host.store.delete_group(&group).await? {
        return Err(Failure::last_administrator());
    }
    Ok(Json(Group::new(group)))
}

async fn members(
    host: State<App>,
    admin: Admin,
    window: Paged,
    query: RawQuery,
    base: Base,
) -> Result<Json<Page<DetailedUser>>, Failure> {
    of_group(host, admin, window, (query, true, base)).await
}

async fn others(
    host: State<App>,
    admin: Admin,
    window: Paged,
    query: RawQuery,
    base: Base,
) -> Result<Json<Page<DetailedUser>>, Failure> {
    of_group(host, admin, window, (query, false, base)).await
}

async fn of_group(
    State(host): State<App>,
    _: Admin,
    Paged(window): Paged,
    (RawQuery(query), are, base): (RawQuery, bool, Base),
) -> Result<Json<Page<DetailedUser>>, Failure> {
    let group = group(&host, &required(query.as_deref(), "context")?).await?;
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.members((&group, are), &text, window).await?;
    Ok(Json(Page::new(part, window, |row| DetailedUser::new(row, &base))))
}

async fn groups_of(
    host: State<App>,
    admin: Admin,
    window: Paged,
    query: RawQuery,
) -> Result<Json<Page<Group>>, Failure> {
    of_user(host, admin, window, (query, true)).await
}

async fn other_groups(
    host: State<App>,
    admin: Admin,
    window: Paged,
    query: RawQuery,
) -> Result<Json<Page<Group>>, Failure> {
    of_user(host, admin, window, (query, false)).await
}

async fn of_user(
    State(host): State<App>,
    _: Admin,
    Paged(window): Paged,
    (RawQuery(query), is): (RawQuery, bool),
) -> Result<Json<Page<Group>>, Failure> {
    let user = find(&host, &required(query.as_deref(), "context")?).await?;
    let text = parameter(query.as_deref(), "filter").unwrap_or_default();
    let part = host.store.groups_of((&user, is), &text, window).await?;
    Ok(Json(Page::new(part, window, Group::new)))
}

/// Source: `context` is what the request is about, `itemName` what it is about to be put there; the calls for many name
/// their parts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Membership {
    context: String,
    item_name: String,
    group: String,
    users: Vec<String>,
    user: String,
    groups: Vec<String>,
}

async fn add_user(
    State(host): State<App>,
    _: Admin,
    Write(wish): Write<Membership>,
) -> Result<StatusCode, Failure> {
    add(&host, vec![wish.context], vec![wish.item_name]).await
}

async fn add_users(
    State(host): State<App>,
    _: Admin,
    Write(wish): Write<Membership>,
) -> Result<StatusCode, Failure> {
    add(&host, vec![wish.group], wish.users).await
}

async fn add_group(
    State(host): State<App>,
    _: Admin,
    Write(wish): Write<Membership>,
) -> Result<StatusCode, Failure> {
    add(&host, vec![wish.item_name], vec![wish.context]).await
}

async fn add_groups(
    State(host): State<App>,
    _: Admin,
    Write(wish): Write<Membership>,
) -> Result<StatusCode, Failure> {
    add(&host, wish.groups, vec![wish.user]).await
}

async fn remove_user(
    State(host): State<App>,
    _: Admin,
    Write(wish): Write<Membership>,
) -> Result<StatusCode, Failure> {
    remove(&host, &wish.context, &wish.item_name).await
}

async fn remove_group(
    State(host): State<App>,
    _: Admin,
    Write(wish): Write<Membership>,
) -> Result<StatusCode, Failure> {
    remove(&host, &wish.item_name, &wish.context).await
}

async fn add(host: &Host, groups: Vec<String>, users: Vec<String>) -> Result<StatusCode, Failure> {
    if groups.len().saturating_mul(users.len()) > MOST_AT_ONCE {
        return Err(Failure::bad_request("These are too many at once."));
    }
    let (mut named_groups, mut named_users) = (Vec::new(), Vec::new());
    for name in groups {
        named_groups.push(group(host, &name).await?);
    }
    for name in users {
        named_users.push(find(host, &name).await?);
    }
    host.store.add_members(&named_groups, &named_users).await?;
    Ok(StatusCode::OK)
}

async fn remove(host: &Host, name: &str, user: &str) -> Result<StatusCode, Failure> {
    let (group, user) = (group(host, name).await?, find(host, user).await?);
    if host.store.remove_member(&group, &user).await? {
        Ok(StatusCode::OK)
    } else {
        Err(Failure::last_administrator())
    }
}

/// Returns the group with this name, in whatever case.
pub(in crate::rest) async fn group(host: &Host, name: &str) -> Result<store::Group, Failure> {
    host.store.group(name).await?.ok_or_else(|| Failure::no_group(name))
}

const MOST_AT_ONCE: usize = 1000;
