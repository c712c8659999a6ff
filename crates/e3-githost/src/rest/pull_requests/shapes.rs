//! The JSON of pull requests, of those who have a part in them, and of why something was not done.
//!
//! Source: recorded answers, field by field and in their order; the newest of them is of 7.11.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::pull_requests::Refusal;
use crate::rest::Base;
use crate::rest::shapes::{MinimalCommit, Repository, User};
use crate::store::{self, PullRequestPerson, PullRequestState, Role, Status, Tip};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PullRequest {
    id: i64,
    version: i64,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    state: &'static str,
    open: bool,
    closed: bool,
    created_date: i64,
    updated_date: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_date: Option<i64>,
    from_ref: Ref,
    to_ref: Ref,
    locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<Participant>,
    reviewers: Vec<Participant>,
    participants: Vec<Participant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
    links: Links,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ref {
    id: String,
    display_id: String,
    latest_commit: String,
    repository: Repository,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    merge_commit: MinimalCommit,
}

#[derive(Debug, Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: [Link; 1],
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
}

/// Somebody's part in a pull request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participant {
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_reviewed_commit: Option<String>,
    role: &'static str,
    approved: bool,
    status: &'static str,
}

impl PullRequest {
    pub(in crate::rest) fn new(row: store::PullRequest, base: &Base) -> Self {
        let some = |role: Role| row.with_role(role).map(|person| Participant::new(person, base)).collect();
        let (reviewers, participants) = (some(Role::Reviewer), some(Role::Participant));
        let author = row.author().map(|author| Participant::new(author, base));
        let merge_commit = row.merge_commit.map(MinimalCommit::new);
        Self {
            links: Links { this: [Link { href: base.url(&page(&row.repository, row.id)) }] },
            id: row.id,
            version: row.version,
            title: row.title,
            description: row.description,
            state: row.state.word(),
            open: row.state == PullRequestState::Open,
            closed: row.state != PullRequestState::Open,
            created_date: row.created_ms,
            updated_date: row.updated_ms,
            closed_date: row.closed_ms,
            from_ref: Ref::new(row.from, row.repository.clone(), base),
            to_ref: Ref::new(row.to, row.repository, base),
            locked: false,
            author,
            reviewers,
            participants,
            properties: merge_commit.map(|merge_commit| Properties { merge_commit }),
        }
    }
}

impl Ref {
    fn new(tip: Tip, repository: store::Repository, base: &Base) -> Self {
        Self {
            display_id: tip.display().to_owned(),
            id: tip.name,
            latest_commit: tip.commit,
            repository: Repository::new(repository, base),
        }
    }
}

impl Participant {
    pub(super) fn new(person: &PullRequestPerson, base: &Base) -> Self {
        Self {
            user: User::new(person.user.clone(), base),
            last_reviewed_commit: person.reviewed_commit.clone(),
            role: person.role.word(),
            approved: person.status == Status::Approved,
            status: person.status.word(),
        }
    }
}

/// Returns the path of a pull request's page.
pub(super) fn page(repository: &store::Repository, id: i64) -> String {
    format!("/projects/{}/repos/{}/pull-requests/{id}", repository.project.project_key, repository.slug)
}

/// Returns a branch by its names alone.
pub(in crate::rest) fn minimal_ref(name: &str) -> Value {
    let display = name.strip_prefix("refs/heads/").unwrap_or(name);
    json!({"id": name, "displayId": display, "type": "BRANCH"})
}

/// Says why something was not done, with what Bitbucket adds to it.
pub(super) fn refuse(refusal: Refusal, base: &Base) -> Failure {
    let details = match &refusal {
        Refusal::Plain(_) => return refusal.into(),
        Refusal::OutOfDate { pull_request, expected } => json!({
            "currentVersion": pull_request.version,
            "expectedVersion": expected,
            "pullRequest": PullRequest::new(store::PullRequest::clone(pull_request), base),
        }),
        Refusal::Duplicate(open) => {
            json!({"existingPullRequest": PullRequest::new(store::PullRequest::clone(open), base)})
        }
        Refusal::Vetoed { conflicted, vetoes } => {
            let veto = |veto: &crate::pull_requests::Veto| json!({"summaryMessage": veto.summary, "detailedMessage": veto.detail});
            let vetoes: Vec<Value> = vetoes.iter().map(veto).collect();
            json!({"conflicted": conflicted, "vetoes": vetoes})
        }
        Refusal::Reviewers { errors, valid } => {
            let error = |(name, message): &(String, String)| json!({"context": name, "message": message, "exceptionName": null});
            let valid: Vec<User> = valid.iter().map(|user| User::new(user.clone(), base)).collect();
            let errors: Vec<Value> = errors.iter().map(error).collect();
            json!({"reviewerErrors": errors, "validReviewers": valid})
        }
    };
    let details: Option<Map<String, Value>> = match details {
        Value::Object(members) => Some(members),
        _ => None,
    };
    Failure { details: details.map(Box::new), ..Failure::from(refusal) }
}
