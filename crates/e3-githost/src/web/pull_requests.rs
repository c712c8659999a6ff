//! Pull requests: the list, the pages of one, the form that makes one and the forms that change one.

mod act;
mod changes;
mod conversation;
mod create;
mod list;
mod overview;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::response::Response;
use axum::routing::{get, post};
use http::request::Parts;
use serde::Serialize;

use super::pages::Frame;
use super::refuse;
use super::repositories::{RepositoryPage, Tab};
use super::rows::PullRequestRow;
use crate::auth::Visitor;
use crate::pull_requests;
use crate::state::App;
use crate::store::PullRequest;

pub(super) fn routes() -> Router<App> {
    let one = |rest: &str| format!("{ALL}/{{id}}{rest}");
    Router::new()
        .route(ALL, get(list::list).post(create::create))
        .route(&one(""), get(overview::redirect))
        .route(&one("/overview"), get(overview::overview))
        .route(&one("/diff"), get(changes::diff))
        .route(&one("/commits"), get(changes::commits))
        .route(&one("/merge"), post(act::merge))
        .route(&one("/decline"), post(act::decline))
        .route(&one("/reopen"), post(act::reopen))
        .route(&one("/comments"), post(act::comment))
        .route(&one("/review"), post(act::review))
        .route(&one("/source-branch"), post(act::delete_source))
}

/// The pull request that a page is about, for a signed-in reader.
struct PullRequestPage {
    page: RepositoryPage,
    pull_request: PullRequest,
}

/// A page of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Overview,
    Diff,
    Commits,
}

impl FromRequestParts<App> for PullRequestPage {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, host: &App) -> Result<Self, Response> {
        let page = RepositoryPage::from_request_parts(parts, host).await?;
        match pull_requests::one(host, &page.repository, &page.id).await {
            Ok(pull_request) => Ok(Self { page, pull_request }),
            Err(failure) => Err(refuse(host, &Visitor::Known(page.account), &failure)),
        }
    }
}

impl PullRequestPage {
    /// Returns the address of the pull request, which its pages' addresses begin with.
    fn address(&self) -> String {
        address(&self.pull_request)
    }

    /// Puts a page into the frames of its pull request and of its repository.
    fn frames(&self, view: View) -> [Frame; 2] {
        #[derive(Serialize)]
        struct TabRow {
            name: &'static str,
            path: &'static str,
            here: bool,
        }
        #[derive(Serialize)]
        struct Content<'a> {
            pull_request: PullRequestRow,
            from_ref: &'a str,
            to_ref: &'a str,
            tabs: Vec<TabRow>,
        }
        let pull_request = &self.pull_request;
        let content = Content {
            // The branches of one that is closed may be gone; their commits are not.
            from_ref: if pull_request.is_open() {
                &pull_request.from.name
            } else {
                &pull_request.from.commit
            },
            to_ref: if pull_request.is_open() { &pull_request.to.name } else { &pull_request.to.commit },
            pull_request: PullRequestRow::from(pull_request),
            tabs: TABS.map(|(other, name, path)| TabRow { name, path, here: other == view }).into(),
        };
        [Frame::new("pull_request.html", content), self.page.frame(Tab::PullRequests)]
    }

    fn title(&self) -> String {
        let PullRequest { id, title, repository, .. } = &self.pull_request;
        format!("#{id} {title} \u{b7} {}", repository.name)
    }

    fn visitor(&self) -> Visitor {
        Visitor::Known(Arc::clone(&self.page.account))
    }
}

fn address(pull_request: &PullRequest) -> String {
    format!("{}/pull-requests/{}", super::rows::home_of(&pull_request.repository), pull_request.id)
}

const ALL: &str = "/projects/{key}/repos/{slug}/pull-requests";
const TABS: [(View, &str, &str); 3] = [
    (View::Overview, "Overview", "overview"),
    (View::Diff, "Diff", "diff"),
    (View::Commits, "Commits", "commits"),
];
