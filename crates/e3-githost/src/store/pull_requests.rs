//! Pull requests: their rows, with the people and the repository that belong to them.
//!
//! A list costs four statements however long it is: the rows, then everybody's part, the repositories, the merges under
//! way. What the branches are at now is not here but in Git.

mod activities;
mod changes;
mod comments;
mod lists;
mod merges;
mod people;

use sqlx::FromRow;

use super::{Repository, Store, User};

pub(crate) use activities::{Action, Activity};
pub(crate) use changes::{Edit, NewPullRequest, PullRequestCreated};
pub(crate) use comments::{Anchor, Comment, CommentEdit, CommentRemoved, NewComment};
pub(crate) use lists::{Direction, Ends, Order, PartWanted, PullRequestFilter, PullRequestsOfUser};
pub(crate) use merges::{Merge, MergeBegun};

/// A pull request with what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct PullRequest {
    /// Its number in the database, unique among all repositories.
    pub(crate) key: i64,
    /// Its number in its repository, which is the id that clients see.
    pub(crate) id: i64,
    pub(crate) version: i64,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) state: PullRequestState,
    pub(crate) from: Tip,
    pub(crate) to: Tip,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    /// None while it is open.
    pub(crate) closed_ms: Option<i64>,
    /// The commit on the target branch that brought the changes there; none unless it was merged here.
    pub(crate) merge_commit: Option<String>,
    /// The commit of a merge that is under way: it may or may not be on the target branch.
    pub(crate) merging: Option<String>,
    /// The repository of both branches.
    pub(crate) repository: Repository,
    /// Everybody with a part in it: the author first, then by name.
    pub(crate) people: Vec<PullRequestPerson>,
}

/// A branch of a pull request: what it is at while the request is open, what it was at when it was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tip {
    /// The full name, `refs/heads/…`.
    pub(crate) name: String,
    pub(crate) commit: String,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "UPPERCASE")]
pub(crate) enum PullRequestState {
    Open,
    Merged,
    Declined,
}

/// A user's part in a pull request.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PullRequestPerson {
    pub(crate) role: Role,
    pub(crate) status: Status,
    /// What the source branch was at when the user last approved or refused.
    pub(crate) reviewed_commit: Option<String>,
    #[sqlx(flatten)]
    pub(crate) user: User,
}

/// What a user is in a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "UPPERCASE")]
pub(crate) enum Role {
    Author,
    Reviewer,
    Participant,
}

/// What a user thinks of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Unapproved,
    NeedsWork,
    Approved,
}

impl PullRequest {
    pub(crate) fn is_open(&self) -> bool {
        self.state == PullRequestState::Open
    }

    /// Returns the author's part; none only if the user's row is gone.
    pub(crate) fn author(&self) -> Option<&PullRequestPerson> {
        self.with_role(Role::Author).next()
    }

    /// Returns the parts of those who have this role, by name.
    pub(crate) fn with_role(&self, role: Role) -> impl Iterator<Item = &PullRequestPerson> {
        self.people.iter().filter(move |person| person.role == role)
    }

    /// Returns the user's part, if there is one.
    pub(crate) fn part_of(&self, user: &User) -> Option<&PullRequestPerson> {
        self.people.iter().find(|person| person.user.id == user.id)
    }
}

impl Tip {
    /// Returns the name without `refs/heads/`.
    pub(crate) fn display(&self) -> &str {
        self.name.strip_prefix("refs/heads/").unwrap_or(&self.name)
    }
}

impl PullRequestState {
    /// Returns the word of the interface.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Merged => "MERGED",
            Self::Declined => "DECLINED",
        }
    }

    /// Returns the state with this word, in either case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Merged, Self::Declined]
            .into_iter()
            .find(|state| word.eq_ignore_ascii_case(state.word()))
    }
}

impl Role {
    /// Returns the word of the interface.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Author => "AUTHOR",
            Self::Reviewer => "REVIEWER",
            Self::Participant => "PARTICIPANT",
        }
    }

    /// Returns the role with this word, in either case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Author, Self::Reviewer, Self::Participant]
            .into_iter()
            .find(|role| word.eq_ignore_ascii_case(role.word()))
    }
}

impl Status {
    /// Returns the word of the interface.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unapproved => "UNAPPROVED",
            Self::NeedsWork => "NEEDS_WORK",
            Self::Approved => "APPROVED",
        }
    }

    /// Returns the status with this word, in either case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Unapproved, Self::NeedsWork, Self::Approved]
            .into_iter()
            .find(|status| word.eq_ignore_ascii_case(status.word()))
    }
}

/// A row, before what belongs to it was added.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Row {
    key: i64,
    number: i64,
    repository_id: i64,
    version: i64,
    title: String,
    description: Option<String>,
    state: PullRequestState,
    from_ref: String,
    from_commit: String,
    to_ref: String,
    to_commit: String,
    created_ms: i64,
    updated_ms: i64,
    closed_ms: Option<i64>,
    merge_commit: Option<String>,
    merging: Option<String>,
}

impl Row {
    fn with(self, repository: Repository, people: Vec<PullRequestPerson>) -> PullRequest {
        PullRequest {
            key: self.key,
            id: self.number,
            version: self.version,
            title: self.title,
            description: self.description,
            state: self.state,
            from: Tip { name: self.from_ref, commit: self.from_commit },
            to: Tip { name: self.to_ref, commit: self.to_commit },
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            closed_ms: self.closed_ms,
            merge_commit: self.merge_commit,
            merging: self.merging,
            repository,
            people,
        }
    }
}

impl Store {
    /// Returns the repository's pull request with this number.
    pub(crate) async fn pull_request(
        &self,
        repository: &Repository,
        id: i64,
    ) -> Result<Option<PullRequest>, sqlx::Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT q.key, q.number, q.repository_id, q.version, q.title, q.description, q.state, q.from_ref,
                    q.from_commit, q.to_ref, q.to_commit, q.created_ms, q.updated_ms, q.closed_ms, q.merge_commit,
                    m.merge_commit AS merging
             FROM pull_requests q LEFT JOIN pull_request_merges m ON m.pull_request = q.key
             WHERE q.repository_id = ? AND q.number = ?",
        )
        .bind(repository.id)
        .bind(id)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let people = self.people_of(row.key).await?;
        Ok(Some(row.with(repository.clone(), people)))
    }

    /// Returns the open pull request from one branch to the other.
    pub(crate) async fn open_pull_request(
        &self,
        repository: &Repository,
        from: &str,
        to: &str,
    ) -> Result<Option<PullRequest>, sqlx::Error> {
        let id: Option<i64> = sqlx::query_scalar(
            "SELECT number FROM pull_requests
             WHERE repository_id = ? AND from_ref = ? AND to_ref = ? AND state = 'OPEN'",
        )
        .bind(repository.id)
        .bind(from)
        .bind(to)
        .fetch_optional(&self.readers)
        .await?;
        match id {
            Some(id) => self.pull_request(repository, id).await,
            None => Ok(None),
        }
    }
}

/// Returns the numbers as a JSON array, which a statement takes apart by `json_each`.
fn json_of(numbers: &[i64]) -> String {
    serde_json::Value::from(numbers).to_string()
}
