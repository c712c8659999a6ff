//! What differs between two commits: changed files, hunks, commits, the common ancestor.
//!
//! Every question is about commits given by their full ids, so no answer ever changes and a node may remember it. One
//! question costs one fork of git at most. A path goes to git as a literal behind `--`, and never as an option; long
//! answers are cut, and say so.

mod answers;
mod ask;
mod cache;
mod commits;
mod patch;
mod quoted;
mod raw;
mod revision;

pub(crate) use ask::{changes, diff, introduced, merge_base};
pub(crate) use cache::Cache;
pub(crate) use commits::{
    Commit, Merges, Person, commit, commit_with_parents, commits, commits_by_id, commits_of,
};
pub(crate) use patch::{Diff, FileDiff, Hunk, Line, Segment, SegmentKind};
pub(crate) use raw::{Change, ChangeKind, NodeKind};
pub(crate) use revision::{resolve, resolve_all};

use crate::failure::Failure;
use crate::git::GitError;
use crate::store::Repository;

/// From where to where: what is in `until` and not in `since`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    /// A commit's full id; none for the empty tree, or for all ancestors.
    pub(crate) since: Option<String>,
    /// A commit's full id.
    pub(crate) until: String,
}

/// How a diff should look.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DiffOptions {
    /// The unchanged lines shown around a change.
    pub(crate) context: u32,
    pub(crate) ignore_whitespace: bool,
    /// Where the file of the wanted path was before, if it was moved.
    pub(crate) source_path: Option<String>,
}

impl Default for DiffOptions {
    /// Source: Bitbucket's default of 10 lines.
    fn default() -> Self {
        Self { context: 10, ignore_whitespace: false, source_path: None }
    }
}

impl Range {
    pub(crate) fn new(since: Option<String>, until: String) -> Self {
        Self { since, until }
    }

    /// Returns what a commit changed: against its first parent, or against nothing.
    pub(crate) fn of(commit: &Commit) -> Self {
        Self { since: commit.parents.first().cloned(), until: commit.id.clone() }
    }

    fn is_fixed(&self) -> bool {
        is_id(&self.until) && self.since.as_deref().is_none_or(is_id)
    }
}

/// Returns whether the text is a commit's full id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Says in REST's words why git could not answer.
fn refusal(repository: &Repository, asked: &[&str], error: GitError) -> Failure {
    match error {
        GitError::Busy(busy) => Failure::busy(&busy.to_string()),
        GitError::Failed { complaint, .. } if UNKNOWN.iter().any(|text| complaint.contains(text)) => {
            let named = asked.iter().find(|id| complaint.contains(**id)).or(asked.last());
            Failure::no_commit(named.copied().unwrap_or_default(), &repository.slug)
        }
        error => Failure::internal("compare commits", &error),
    }
}

/// What git says of ids that name nothing.
const UNKNOWN: [&str; 6] = [
    "bad object",
    "bad revision",
    "Not a valid object name",
    "Not a valid commit name",
    "unknown revision",
    "Invalid revision range",
];
