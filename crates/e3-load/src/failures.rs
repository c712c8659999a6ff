//! Why ops failed: counted by kind, the first of each kind in words.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, PoisonError};

use e3_model::{JobId, StagePlan};

use crate::FailureNote;

/// What failed, of which job, and how; the names of outcomes are as few as they are.
type Kind = (JobId, String, &'static str);

/// The failures of a share, told by all of its clients.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<BTreeMap<Kind, (String, u64)>>);

impl Failures {
    /// Counts a failure; keeps its message if it is the first of its kind.
    pub(crate) fn tell(&self, job: JobId, op: String, kind: &'static str, message: String) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kinds.entry((job, op, kind)) {
            Entry::Occupied(mut known) => known.get_mut().1 += 1,
            Entry::Vacant(place) => drop(place.insert((message, 1))),
        }
    }

    /// Returns one note a kind, by job, op and kind.
    pub(crate) fn notes(&self, plan: &StagePlan) -> Vec<FailureNote> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let note = |((job, op, kind), (message, count)): (&Kind, &(String, u64))| FailureNote {
            script: plan.jobs.get(job.index()).map(|job| job.script.clone()).unwrap_or_default(),
            op: op.clone(),
            message: format!("{kind}: {message}"),
            count: *count,
        };
        kinds.iter().map(note).collect()
    }
}
