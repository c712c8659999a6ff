//! `admin`: users, groups and permissions of the server; for administrators.

mod groups;
mod users;

use axum::Router;

use crate::state::App;

pub(super) use groups::group;

pub(super) fn routes() -> Router<App> {
    Router::new().merge(users::routes()).merge(groups::routes())
}
