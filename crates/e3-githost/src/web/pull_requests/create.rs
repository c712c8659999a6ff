//! The form that makes a pull request.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::super::compare::MOST_CHOICES;
use super::super::pages::Frame;
use super::super::repositories::{RepositoryPage, Tab};
use super::super::rows::{CommitRow, home_of};
use super::super::sent::Sent;
use super::super::{answer, found, refuse};
use super::address;
use crate::auth::Visitor;
use crate::compare;
use crate::failure::Failure;
use crate::pull_requests::{self, Refusal, Wish};
use crate::rest;
use crate::state::{App, Host};
use crate::store::{Part, Window};
use crate::xsrf;

/// Source: the names of Bitbucket's page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Query {
    source_branch: String,
    target_branch: String,
}

/// Source: the names of Bitbucket's form.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Form {
    from_branch: String,
    to_branch: String,
    title: String,
    description: String,
    /// Names with `|!|` between them, as Bitbucket's page joins them; people write commas or spaces.
    reviewers: String,
    #[serde(rename = "atl_token", skip_serializing)]
    atl_token: String,
}

#[derive(Serialize)]
struct Content {
    home: String,
    repository_id: i64,
    branches: Vec<String>,
    form: Form,
    failure: Option<Failed>,
    commits: Vec<CommitRow>,
    more_commits: bool,
}

/// Why there is no pull request.
#[derive(Serialize)]
struct Failed {
    message: String,
    /// What is wrong in particular.
    details: Vec<String>,
    /// The one that is open between these branches already.
    existing: Option<String>,
}

/// Returns the form, filled with what the query and the branches say.
pub(super) async fn form(host: &Host, page: &RepositoryPage, query: &str) -> Result<Response, Failure> {
    let query: Query = serde_urlencoded::from_str(query).unwrap_or_default();
    let form = Form { from_branch: query.source_branch, to_branch: query.target_branch, ..Form::default() };
    show(host, page, form, None).await
}

pub(super) async fn create(
    State(host): State<App>,
    page: RepositoryPage,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Response {
    let form: Form = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    if let Err(failure) = xsrf::check_form(&page.account, &headers, &form.atl_token) {
        return refuse(&host, &Visitor::Known(page.account), &failure);
    }
    let reviewers: Vec<String> = form
        .reviewers
        .split(['|', '!', ',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let wish = Wish {
        title: &form.title,
        description: Some(&form.description),
        from: &form.from_branch,
        to: &form.to_branch,
        reviewers: &reviewers,
    };
    match pull_requests::create(&host, &page.account.user, &page.repository, wish).await {
        Ok(made) => found(&address(&made)),
        Err(refusal) => {
            let failed = Failed::of(refusal);
            match failed {
                Ok(failed) => {
                    let shown = show(&host, &page, form, Some(failed)).await;
                    answer(&host, &page.account, shown).into_response()
                }
                Err(failure) => refuse(&host, &Visitor::Known(page.account), &failure),
            }
        }
    }
}

impl Failed {
    /// Returns what the form says; a failure of the server is none of the form's.
    fn of(refusal: Refusal) -> Result<Self, Failure> {
        let existing = match &refusal {
            Refusal::Duplicate(existing) => Some(address(existing)),
            _ => None,
        };
        let details = match &refusal {
            Refusal::Reviewers { errors, .. } => errors.iter().map(|(_, why)| why.clone()).collect(),
            _ => Vec::new(),
        };
        let failure = Failure::from(refusal);
        if failure.status.is_server_error() {
            return Err(failure);
        }
        Ok(Self { message: failure.message, details, existing })
    }
}

async fn show(
    host: &Host,
    page: &RepositoryPage,
    mut form: Form,
    failure: Option<Failed>,
) -> Result<Response, Failure> {
    let repository = &page.repository;
    let branches = rest::branches_of(host, repository).await?;
    if form.to_branch.is_empty() {
        form.to_branch = branches.default().map(|branch| branch.name.clone()).unwrap_or_default();
    }
    let commits = match (branches.find(&form.from_branch), branches.find(&form.to_branch)) {
        (Some(from), Some(to)) => {
            let range = compare::introduced(host, repository, &from.commit, &to.commit).await?;
            compare::commits(host, repository, &range, None, FEW).await?
        }
        _ => Part { rows: Vec::new(), more: false },
    };
    if form.title.is_empty() && failure.is_none() {
        form.title = title_for(&form.from_branch, &commits);
    }
    let content = Content {
        home: home_of(repository),
        repository_id: repository.id,
        branches: branches.list.iter().take(MOST_CHOICES).map(|branch| branch.display().to_owned()).collect(),
        form,
        failure,
        commits: commits.rows.iter().map(CommitRow::from).collect(),
        more_commits: commits.more,
    };
    let title = format!("Create pull request \u{b7} {}", repository.name);
    let frames = [Frame::new("create_pull_request.html", content), page.frame(Tab::PullRequests)];
    host.pages.framed(Some(&page.account), &title, &frames)
}

/// Returns what the only commit says, or else what the branch is called.
fn title_for(branch: &str, commits: &Part<compare::Commit>) -> String {
    match commits.rows.as_slice() {
        [only] => only.subject().chars().take(LONGEST_TITLE).collect(),
        _ => {
            let name = branch.strip_prefix("refs/heads/").unwrap_or(branch);
            name.chars().take(LONGEST_TITLE).collect()
        }
    }
}

const FEW: Window = Window { start: 0, limit: 25 };
const LONGEST_TITLE: usize = 255;
