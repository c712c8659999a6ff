//! What can be asked about fixed commits, and what the answers are.

use std::sync::Arc;

use super::commits::{Commit, Merges};
use super::patch::Diff;
use super::raw::Changes;
use super::{DiffOptions, Range};
use crate::store::Part;

/// A question whose answer never changes. A repository's number is never given to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Changes {
        repository: i64,
        range: Range,
    },
    Commits {
        repository: i64,
        range: Range,
        path: Option<String>,
        merges: Merges,
        start: u32,
        limit: u32,
    },
    Commit {
        repository: i64,
        id: String,
    },
    /// A commit and its parents.
    Family {
        repository: i64,
        id: String,
    },
    Diff {
        repository: i64,
        range: Range,
        path: Option<String>,
        options: DiffOptions,
    },
    MergeBase {
        repository: i64,
        one: String,
        other: String,
    },
    /// Whether an id is a commit's.
    Is {
        repository: i64,
        id: String,
    },
}

/// Its answer.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Changes(Arc<Changes>),
    Commits(Arc<Part<Commit>>),
    Commit(Arc<Commit>),
    Diff(Arc<Diff>),
    Id(Option<String>),
}
