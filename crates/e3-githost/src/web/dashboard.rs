//! The dashboard: where the user was last, and what there is.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::projects::ProjectRow;
use super::repositories::RepositoryRow;
use super::{Reader, answer};
use crate::state::App;
use crate::store::Window;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/dashboard", get(dashboard))
}

#[derive(Serialize)]
struct Content {
    recent: Vec<RepositoryRow>,
    projects: Vec<ProjectRow>,
    more_projects: bool,
}

async fn dashboard(State(host): State<App>, Reader(account): Reader) -> Response {
    let content = async {
        let recent = host.store.visited(&account.user, Window { start: 0, limit: 10 }).await?;
        let projects = host.store.projects("", Window { start: 0, limit: 10 }).await?;
        let content = Content {
            recent: recent.rows.into_iter().map(RepositoryRow::from).collect(),
            more_projects: projects.more,
            projects: projects.rows.into_iter().map(ProjectRow::from).collect(),
        };
        host.pages.page(Some(&account), ("dashboard.html", "Dashboard"), content)
    };
    answer(&host, &account, content.await)
}
