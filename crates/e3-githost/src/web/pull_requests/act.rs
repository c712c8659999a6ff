//! The forms that change a pull request: each does one thing and leads back to the overview.

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;

use super::super::sent::Sent;
use super::super::{answer, found, refuse};
use super::PullRequestPage;
use super::overview::{Undone, show};
use crate::failure::Failure;
use crate::permissions::{Level, check_repository};
use crate::pull_requests::{self, CommentWish, MergeWish};
use crate::state::{App, Host};
use crate::store::{Role, Status, Window};
use crate::xsrf;

/// The fields of all these forms; each reads its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    atl_token: String,
    /// The version that the reader saw.
    version: i64,
    text: String,
    message: String,
    /// The comment that is replied to.
    parent: String,
    status: String,
    delete_source: Option<String>,
}

/// A form about a pull request that came from a page of ours.
pub(super) struct Submitted {
    page: PullRequestPage,
    form: Form,
}

impl FromRequest<App> for Submitted {
    type Rejection = Response;

    async fn from_request(request: Request, host: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let page = PullRequestPage::from_request_parts(&mut parts, host).await?;
        let headers = parts.headers.clone();
        let Sent(body) = Sent::from_request(Request::from_parts(parts, body), host).await?;
        let form: Form = serde_urlencoded::from_bytes(&body).unwrap_or_default();
        match xsrf::check_form(&page.page.account, &headers, &form.atl_token) {
            Ok(()) => Ok(Self { page, form }),
            Err(failure) => Err(refuse(host, &page.visitor(), &failure)),
        }
    }
}

pub(super) async fn merge(State(host): State<App>, Submitted { page, form }: Submitted) -> Response {
    let wish = MergeWish { version: form.version, message: Some(form.message.clone()), auto_subject: true };
    let user = &page.page.account.user;
    let done = async {
        may_write(&host, &page).await?;
        let merged = pull_requests::merge(&host, user, &page.pull_request, wish).await?;
        if form.delete_source.is_some() {
            // The merge stands even if the branch must.
            pull_requests::delete_source(&host, user, &merged, true).await?;
        }
        Ok(())
    };
    let done = done.await;
    conclude(&host, page, form, done).await
}

pub(super) async fn decline(State(host): State<App>, Submitted { page, form }: Submitted) -> Response {
    let user = &page.page.account.user;
    let done = async {
        may_close(&host, &page).await?;
        Ok(pull_requests::decline(&host, user, &page.pull_request, form.version).await.map(drop)?)
    };
    let done = done.await;
    conclude(&host, page, form, done).await
}

pub(super) async fn reopen(State(host): State<App>, Submitted { page, form }: Submitted) -> Response {
    let user = &page.page.account.user;
    let done = async {
        may_close(&host, &page).await?;
        Ok(pull_requests::reopen(&host, user, &page.pull_request, form.version).await.map(drop)?)
    };
    let done = done.await;
    conclude(&host, page, form, done).await
}

pub(super) async fn comment(State(host): State<App>, Submitted { page, form }: Submitted) -> Response {
    let wish =
        CommentWish { text: form.text.clone(), parent: form.parent.parse().ok(), ..CommentWish::default() };
    let user = &page.page.account.user;
    let done = pull_requests::add_comment(&host, user, &page.pull_request, wish).await;
    conclude(&host, page, form, done.map(drop)).await
}

/// Takes what the reader thinks of the pull request.
pub(super) async fn review(State(host): State<App>, Submitted { page, form }: Submitted) -> Response {
    let user = &page.page.account.user;
    let done = match Status::parse(&form.status) {
        Some(status) => {
            let set = pull_requests::set_status(&host, user, &page.pull_request, status).await;
            set.map(drop).map_err(Failure::from)
        }
        None => Err(Failure::invalid("status", "This is no status.")),
    };
    conclude(&host, page, form, done).await
}

pub(super) async fn delete_source(State(host): State<App>, Submitted { page, form }: Submitted) -> Response {
    let user = &page.page.account.user;
    let done = async {
        may_write(&host, &page).await?;
        pull_requests::delete_source(&host, user, &page.pull_request, true).await
    };
    let done = done.await;
    conclude(&host, page, form, done).await
}

async fn may_write(host: &Host, page: &PullRequestPage) -> Result<(), Failure> {
    check_repository(host, &page.page.account, &page.page.repository, Level::Write).await
}

/// Authors may close what they opened.
async fn may_close(host: &Host, page: &PullRequestPage) -> Result<(), Failure> {
    let part = page.pull_request.part_of(&page.page.account.user);
    if part.is_some_and(|part| part.role == Role::Author) { Ok(()) } else { may_write(host, page).await }
}

/// Leads back to the overview, or shows it with the reason why nothing was done.
async fn conclude(host: &Host, before: PullRequestPage, form: Form, done: Result<(), Failure>) -> Response {
    let Err(failure) = done else { return found(&format!("{}/overview", before.address())) };
    if failure.status.is_server_error() || failure.status == StatusCode::UNAUTHORIZED {
        return refuse(host, &before.visitor(), &failure);
    }
    let undone = Undone { message: failure.message.clone(), unsent: form.text };
    let PullRequestPage { page, pull_request } = before;
    // It may be another than the reader saw: that may be the reason.
    match pull_requests::one(host, &page.repository, &pull_request.id.to_string()).await {
        Ok(pull_request) => {
            let page = PullRequestPage { page, pull_request };
            let shown = show(host, &page, FIRST, Some(undone)).await;
            (failure.status, answer(host, &page.page.account, shown)).into_response()
        }
        Err(gone) => answer(host, &page.account, Err(gone)),
    }
}

const FIRST: Window = Window { start: 0, limit: 25 };
