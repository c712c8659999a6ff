//! Why something was not done to a pull request; some reasons say more than a message.

use http::StatusCode;

use super::mergeability::Mergeability;
use crate::failure::Failure;
use crate::store::{PullRequest, PullRequestState, Repository, User};

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    Plain(Failure),
    /// The client knows another version than there is.
    OutOfDate {
        pull_request: Box<PullRequest>,
        expected: i64,
    },
    /// This one between the two branches is open already.
    Duplicate(Box<PullRequest>),
    /// It cannot be merged.
    Vetoed {
        conflicted: bool,
        vetoes: Vec<Veto>,
    },
    /// Some of the wished reviewers cannot be: their names, and why not.
    Reviewers {
        errors: Vec<(String, String)>,
        valid: Vec<User>,
    },
}

/// A reason not to merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Veto {
    pub(crate) summary: &'static str,
    pub(crate) detail: String,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Plain(failure)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Plain(error.into())
    }
}

impl From<Mergeability> for Refusal {
    fn from(found: Mergeability) -> Self {
        Self::Vetoed { conflicted: found.is_conflicted(), vetoes: found.vetoes }
    }
}

/// Source: recorded answers; those about reviewers, of the interface's public clients.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Plain(failure) => failure,
            Refusal::OutOfDate { .. } => {
                conflict("com.atlassian.bitbucket.pull.PullRequestOutOfDateException", OUT_OF_DATE)
            }
            Refusal::Duplicate(_) => {
                conflict("com.atlassian.bitbucket.pull.DuplicatePullRequestException", DUPLICATE)
            }
            Refusal::Vetoed { conflicted, .. } => conflict(
                "com.atlassian.bitbucket.pull.PullRequestMergeVetoedException",
                if conflicted { CONFLICTED } else { VETOED },
            ),
            Refusal::Reviewers { .. } => Failure {
                context: Some("reviewers"),
                ..conflict("com.atlassian.bitbucket.pull.InvalidPullRequestReviewersException", REVIEWERS)
            },
        }
    }
}

/// Something is in the way; the exception's name says what.
pub(super) fn conflict(exception: &'static str, message: impl Into<String>) -> Failure {
    Failure { status: StatusCode::CONFLICT, exception: Some(exception), ..Failure::bad_request(message) }
}

pub(super) fn no_pull_request(repository: &Repository, id: &str) -> Failure {
    let (key, slug) = (&repository.project.project_key, &repository.slug);
    Failure {
        status: StatusCode::NOT_FOUND,
        exception: Some("com.atlassian.bitbucket.pull.NoSuchPullRequestException"),
        ..Failure::bad_request(format!("Pull request {id} does not exist in {key}/{slug}."))
    }
}

/// Source: an answer quoted in a public issue of a client.
pub(super) fn no_branch(repository: &Repository, name: &str) -> Failure {
    let (key, slug) = (&repository.project.project_key, &repository.slug);
    Failure {
        status: StatusCode::NOT_FOUND,
        exception: Some("com.atlassian.bitbucket.commit.NoSuchCommitException"),
        ..Failure::bad_request(format!(
            "Repository \"{slug}\" of project with key \"{key}\" has no branch \"{name}\""
        ))
    }
}

/// The pull request is not in the state for this.
pub(super) fn illegal_state(message: impl Into<String>) -> Failure {
    conflict("com.atlassian.bitbucket.pull.IllegalPullRequestStateException", message)
}

/// Lets only an open pull request through.
pub(super) fn must_be_open(pull_request: &PullRequest) -> Result<(), Failure> {
    match pull_request.state {
        PullRequestState::Open => Ok(()),
        PullRequestState::Merged => Err(illegal_state(ALREADY_MERGED)),
        PullRequestState::Declined => Err(illegal_state("This pull request has already been declined.")),
    }
}

/// Lets only the version through that there is.
pub(super) fn must_be_at(pull_request: &PullRequest, expected: i64) -> Result<(), Refusal> {
    if pull_request.version == expected {
        return Ok(());
    }
    Err(Refusal::OutOfDate { pull_request: Box::new(pull_request.clone()), expected })
}

pub(super) const ALREADY_MERGED: &str = "This pull request has already been merged.";
const OUT_OF_DATE: &str = "You are attempting to modify a pull request based on out-of-date information.";
const DUPLICATE: &str = "Only one pull request may be open for a given source and target branch";
const CONFLICTED: &str = "The pull request has conflicts and cannot be merged.";
const VETOED: &str = "The pull request has been vetoed and cannot be merged.";
const REVIEWERS: &str = "Errors encountered while adding some reviewers to this pull request.";
