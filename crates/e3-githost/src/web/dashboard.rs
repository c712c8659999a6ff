//! The dashboard: the user's pull requests, where the user was last, and what there is.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::pages::Frame;
use super::rows::{ProjectRow, PullRequestRow, RepositoryRow};
use super::{Reader, answer};
use crate::auth::Account;
use crate::failure::Failure;
use crate::permissions::Level;
use crate::pull_requests;
use crate::state::{App, Host};
use crate::store::{PullRequest, PullRequestState, PullRequestsOfUser, Role, Window};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/dashboard", get(dashboard))
}

#[derive(Serialize)]
struct Content {
    recent: Vec<RepositoryRow>,
    projects: Vec<ProjectRow>,
    more_projects: bool,
}

#[derive(Serialize)]
struct PullRequests {
    reviewing: Vec<PullRequestRow>,
    created: Vec<PullRequestRow>,
    more: bool,
}

async fn dashboard(State(host): State<App>, Reader(account): Reader) -> Response {
    let content = async {
        let recent = host.store.visited(&account.user, Level::Read.number(), FEW).await?;
        let projects = host.store.projects(&account.user, "", FEW).await?;
        let content = Content {
            recent: recent.rows.iter().map(RepositoryRow::from).collect(),
            more_projects: projects.more,
            projects: projects.rows.into_iter().map(ProjectRow::from).collect(),
        };
        let own = pull_requests_of(&host, &account).await?;
        let frames = [Frame::new("dashboard_pull_requests.html", own), Frame::new("dashboard.html", content)];
        host.pages.framed(Some(&account), "Dashboard", &frames)
    };
    answer(&host, &account, content.await)
}

/// Returns the open pull requests that the user reviews, and those that the user wrote.
async fn pull_requests_of(host: &Host, account: &Account) -> Result<PullRequests, Failure> {
    let wanted = PullRequestsOfUser { state: Some(PullRequestState::Open), ..PullRequestsOfUser::default() };
    let part = pull_requests::list_of_user(host, &account.user, wanted, MANY).await?;
    let with = |role: Role| {
        let has = move |row: &&PullRequest| row.part_of(&account.user).is_some_and(|part| part.role == role);
        part.rows.iter().filter(has).map(PullRequestRow::from).collect()
    };
    Ok(PullRequests { reviewing: with(Role::Reviewer), created: with(Role::Author), more: part.more })
}

const FEW: Window = Window { start: 0, limit: 10 };
const MANY: Window = Window { start: 0, limit: 50 };
