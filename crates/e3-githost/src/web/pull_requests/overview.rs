//! The page of a pull request: what it is for, what was said and done, and what can be done now.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use minijinja::Value;
use serde::Serialize;

use super::super::pager::{pager, window_of};
use super::super::pages::Frame;
use super::super::rows::{PersonRow, home_of};
use super::super::{answer, found};
use super::conversation::{self, Happening};
use super::{PullRequestPage, View};
use crate::failure::Failure;
use crate::pull_requests::{self, Outcome};
use crate::state::{App, Host};
use crate::store::{PullRequest, PullRequestState, Role, Window};

#[derive(Serialize)]
struct Content {
    address: String,
    home: String,
    version: i64,
    description: Option<String>,
    is_open: bool,
    is_declined: bool,
    closed_ms: Option<i64>,
    merge_commit: Option<String>,
    from: String,
    to: String,
    reviewers: Vec<PersonRow>,
    participants: Vec<PersonRow>,
    /// What the reader thinks of it, if the reader may.
    own_status: Option<&'static str>,
    merge: Option<MergeRow>,
    /// Whether the source branch is still there and could go.
    source_is_left: bool,
    happenings: Vec<Happening>,
    pager: Value,
    /// What was just tried and not done, and what the reader had written.
    failure: Option<String>,
    unsent: String,
}

/// Whether it can be merged, and if not, why not.
#[derive(Serialize)]
struct MergeRow {
    possible: bool,
    conflicted: bool,
    vetoes: Vec<VetoRow>,
}

#[derive(Serialize)]
struct VetoRow {
    summary: &'static str,
    detail: String,
}

/// Something that a form could not do.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) message: String,
    /// The text that would be lost.
    pub(super) unsent: String,
}

/// Source: Bitbucket redirects the bare address to the overview, and the first E3 waits for that.
pub(super) async fn redirect(page: PullRequestPage) -> Response {
    found(&format!("{}/overview", page.address()))
}

pub(super) async fn overview(
    State(host): State<App>,
    page: PullRequestPage,
    RawQuery(query): RawQuery,
) -> Response {
    let window = window_of(&query.unwrap_or_default());
    let shown = show(&host, &page, window, None).await;
    answer(&host, &page.page.account, shown)
}

/// Returns the page, with what could not be done.
pub(super) async fn show(
    host: &Host,
    page: &PullRequestPage,
    window: Window,
    undone: Option<Undone>,
) -> Result<Response, Failure> {
    let pull_request = &page.pull_request;
    let (happenings, more) = conversation::read(host, pull_request, window).await?;
    let people = |role| pull_request.with_role(role).map(PersonRow::from).collect();
    let address = page.address();
    let (failure, unsent) =
        undone.map_or((None, String::new()), |undone| (Some(undone.message), undone.unsent));
    let content = Content {
        home: home_of(&page.page.repository),
        version: pull_request.version,
        description: pull_request.description.clone(),
        is_open: pull_request.is_open(),
        is_declined: pull_request.state == PullRequestState::Declined,
        closed_ms: pull_request.closed_ms,
        merge_commit: pull_request.merge_commit.clone(),
        from: pull_request.from.display().to_owned(),
        to: pull_request.to.display().to_owned(),
        reviewers: people(Role::Reviewer),
        participants: people(Role::Participant),
        own_status: own_status(page),
        merge: merge_row(host, pull_request).await?,
        source_is_left: source_is_left(host, pull_request).await,
        happenings,
        pager: pager(&format!("{address}/overview"), window, more),
        failure,
        unsent,
        address,
    };
    let [one, whole] = page.frames(View::Overview);
    let frames = [Frame::new("pull_request_overview.html", content), one, whole];
    host.pages.framed(Some(&page.page.account), &page.title(), &frames)
}

/// Authors do not review what they wrote.
fn own_status(page: &PullRequestPage) -> Option<&'static str> {
    let part = page.pull_request.part_of(&page.page.account.user);
    match part {
        Some(part) if part.role == Role::Author => None,
        _ if !page.pull_request.is_open() => None,
        Some(part) => Some(part.status.word()),
        None => Some("UNAPPROVED"),
    }
}

/// An open one needs it; of a closed one it may be gone, or have moved on.
async fn source_is_left(host: &Host, pull_request: &PullRequest) -> bool {
    !pull_request.is_open() && pull_requests::may_delete_source(host, pull_request).await.unwrap_or(false)
}

async fn merge_row(host: &Host, pull_request: &PullRequest) -> Result<Option<MergeRow>, Failure> {
    if !pull_request.is_open() {
        return Ok(None);
    }
    let found = pull_requests::can_merge(host, pull_request).await?;
    let veto = |veto: &pull_requests::Veto| VetoRow { summary: veto.summary, detail: veto.detail.clone() };
    Ok(Some(MergeRow {
        possible: found.can_merge(),
        conflicted: found.outcome == Outcome::Conflicted,
        vetoes: found.vetoes.iter().map(veto).collect(),
    }))
}
