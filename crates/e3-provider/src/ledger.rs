//! What the lines of a journal add up to.

use serde::{Deserialize, Serialize};

use crate::Resource;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its position among the journal's whole lines, from 1, without a gap.
    pub seq: u64,
    /// When it was written, as RFC 3339 in UTC.
    pub time: String,
    /// What happens or happened.
    pub event: Event,
    /// To what; as much as is known of it at that time.
    pub resource: Resource,
}

/// What happens or happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// It is about to be created: from here on it may exist.
    Intent,
    /// It was created.
    Created,
    /// It was not created after all, and nothing of it exists.
    Abandoned,
    /// It was removed, or found gone, and that was verified.
    Removed,
}

/// The resources of a journal, each with the last that is known of it.
///
/// Every line tells its resource whole, so that any one line lost takes nothing else with it. A line that was torn by
/// a crash was never acted on: it is passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    open: Vec<Resource>,
    removed: Vec<Resource>,
    lines: u64,
    last_seq: u64,
}

impl Ledger {
    /// Returns what a journal's bytes add up to.
    pub fn of(bytes: &[u8]) -> Self {
        let mut ledger = Self::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
                ledger.apply(&entry);
            }
        }
        ledger
    }

    /// Takes one more line into account.
    pub fn apply(&mut self, entry: &Entry) {
        self.lines = self.lines.saturating_add(1);
        self.last_seq = self.last_seq.max(entry.seq);
        let position = self.open.iter().position(|open| open.is_same(&entry.resource));
        match (entry.event, position) {
            (Event::Intent | Event::Created, Some(position)) => {
                if let Some(open) = self.open.get_mut(position) {
                    keep_identity(open, entry.resource.clone());
                }
            }
            (Event::Intent | Event::Created, None) => self.open.push(entry.resource.clone()),
            (Event::Abandoned | Event::Removed, position) => {
                if let Some(position) = position {
                    self.open.remove(position);
                }
                if entry.event == Event::Removed {
                    self.removed.retain(|removed| !removed.is_same(&entry.resource));
                    self.removed.push(entry.resource.clone());
                }
            }
        }
    }

    /// Returns what may exist: every intent that was neither abandoned nor removed, in the order of the intents.
    pub fn open_resources(&self) -> &[Resource] {
        &self.open
    }

    /// Returns what was removed, each resource once, in the order of the last removals.
    pub fn removed_resources(&self) -> &[Resource] {
        &self.removed
    }

    /// Returns how many whole lines have been lost or damaged; a line torn by a crash is none of them.
    ///
    /// 0 unless somebody else than E3, or a failing disk, changed the journal.
    pub fn missing_lines(&self) -> u64 {
        self.last_seq.saturating_sub(self.lines)
    }

    /// Returns the number of the next line.
    pub fn next_seq(&self) -> u64 {
        self.last_seq.saturating_add(1)
    }
}

/// A later line may know less, as when an act is begun again; what was known of the process stays.
fn keep_identity(open: &mut Resource, later: Resource) {
    let known = match open {
        Resource::Process { identity, .. } => identity.take(),
        Resource::Directory { .. } => None,
    };
    *open = later;
    if let (Resource::Process { identity, .. }, Some(known)) = (open, known) {
        identity.get_or_insert(known);
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
