//! Whether a pull request can be merged: by trial, once for each pair of commits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::lock::Lines;
use super::refusal::{Veto, must_be_open};
use super::vetoes::vetoes;
use crate::failure::Failure;
use crate::git::{GitError, Merged};
use crate::state::Host;
use crate::store::PullRequest;

/// What merging needs of a node: who waits for whom, and the trials that were made.
#[derive(Debug, Default)]
pub(crate) struct Merging {
    pub(super) lines: Lines,
    trials: Mutex<HashMap<Pair, Merged>>,
}

/// A repository's number, the target's commit, the source's commit.
type Pair = (i64, String, String);

/// Whether a pull request can be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mergeability {
    pub(crate) outcome: Outcome,
    pub(crate) vetoes: Vec<Veto>,
}

/// What the trial said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Clean,
    Conflicted,
    /// There was nothing to try: the histories have nothing in common.
    Unknown,
}

impl Mergeability {
    pub(crate) fn can_merge(&self) -> bool {
        self.outcome == Outcome::Clean && self.vetoes.is_empty()
    }

    pub(crate) fn is_conflicted(&self) -> bool {
        self.outcome == Outcome::Conflicted
    }
}

/// Returns whether the open pull request can be merged as its branches are now.
///
/// # Errors
/// 409 if it is not open, 503 if git has no turn for the trial.
pub(crate) async fn can_merge(host: &Host, pull_request: &PullRequest) -> Result<Mergeability, Failure> {
    must_be_open(pull_request)?;
    let merged = trial(host, pull_request).await?;
    Ok(judge(&merged, vetoes(host, pull_request).await?))
}

pub(super) fn judge(merged: &Merged, mut vetoes: Vec<Veto>) -> Mergeability {
    let outcome = match merged {
        Merged::Tree(_) => Outcome::Clean,
        Merged::Conflicts => Outcome::Conflicted,
        Merged::Unrelated => {
            let detail =
                "The source and the target branch share no commit, so there is nothing to merge from.";
            vetoes.push(Veto { summary: "The branches have no common history.", detail: detail.to_owned() });
            Outcome::Unknown
        }
    };
    Mergeability { outcome, vetoes }
}

/// Merges without moving a branch; remembered, as the commits never change.
pub(super) async fn trial(host: &Host, pull_request: &PullRequest) -> Result<Merged, Failure> {
    let pair = pair(pull_request);
    if let Some(known) = host.merging.known(&pair) {
        return Ok(known);
    }
    let path = host.repositories.path(pull_request.repository.id);
    let merged = host.git.merge_tree(&path, &pull_request.to.commit, &pull_request.from.commit).await;
    let merged = merged.map_err(|error| failure_of("try a merge", &error))?;
    host.merging.remember(pair, merged.clone());
    Ok(merged)
}

/// Forgets a trial whose tree is not there any more.
pub(super) fn forget_trial(host: &Host, pull_request: &PullRequest) {
    let mut trials = host.merging.trials.lock().unwrap_or_else(PoisonError::into_inner);
    trials.remove(&pair(pull_request));
}

fn pair(pull_request: &PullRequest) -> Pair {
    (pull_request.repository.id, pull_request.to.commit.clone(), pull_request.from.commit.clone())
}

impl Merging {
    fn known(&self, pair: &Pair) -> Option<Merged> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner).get(pair).cloned()
    }

    fn remember(&self, pair: Pair, merged: Merged) {
        let mut trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        if trials.len() >= MOST_TRIALS {
            trials.clear();
        }
        trials.insert(pair, merged);
    }
}

pub(super) fn failure_of(doing: &str, error: &GitError) -> Failure {
    match error {
        GitError::Busy(busy) => Failure::busy(&busy.to_string()),
        error => Failure::internal(doing, error),
    }
}

const MOST_TRIALS: usize = 4096;
