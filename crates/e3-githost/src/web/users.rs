//! A user's profile.

use axum::Router;
use axum::extract::{RawPathParams, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use minijinja::Value;
use serde::Serialize;

use super::pager::{pager, window_of};
use super::pages::Frame;
use super::rows::PullRequestRow;
use super::{Reader, answer};
use crate::auth::Account;
use crate::failure::Failure;
use crate::permissions::{Level, check_repository};
use crate::pull_requests;
use crate::state::{App, Host};
use crate::store::{PullRequestsOfUser, Role};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/users/{slug}", get(profile))
}

#[derive(Serialize)]
struct Content {
    name: String,
    display_name: String,
    email: String,
    admin: bool,
    active: bool,
    pager: Value,
}

#[derive(Serialize)]
struct PullRequests {
    title: &'static str,
    none: &'static str,
    pull_requests: Vec<PullRequestRow>,
}

async fn profile(
    State(host): State<App>,
    Reader(account): Reader,
    parameters: RawPathParams,
    RawQuery(query): RawQuery,
) -> Response {
    let slug = parameters.iter().find(|(name, _)| *name == "slug").map_or("", |(_, value)| value);
    let shown = show(&host, &account, slug, &query.unwrap_or_default()).await;
    answer(&host, &account, shown)
}

async fn show(host: &Host, account: &Account, slug: &str, query: &str) -> Result<Response, Failure> {
    let window = window_of(query);
    let user = host.store.user_by_slug(slug).await?.ok_or_else(|| Failure::no_user(slug))?;
    let wanted = PullRequestsOfUser { role: Some(Role::Author), ..PullRequestsOfUser::default() };
    let part = pull_requests::list_of_user(host, &user, wanted, window).await?;
    let mut seen = Vec::with_capacity(part.rows.len());
    for row in &part.rows {
        if check_repository(host, account, &row.repository, Level::Read).await.is_ok() {
            seen.push(PullRequestRow::from(row));
        }
    }
    let written = PullRequests {
        title: "Pull requests",
        none: "There are no pull requests by this user here.",
        pull_requests: seen,
    };
    let address = format!("/users/{}", super::filters::segment(&user.slug));
    let title = user.display_name.clone();
    let content = Content {
        pager: pager(&address, window, part.more),
        name: user.name,
        display_name: user.display_name,
        email: user.email,
        admin: user.admin,
        active: user.active,
    };
    let frames = [Frame::new("users_pull_requests.html", written), Frame::new("user.html", content)];
    host.pages.framed(Some(account), &title, &frames)
}
