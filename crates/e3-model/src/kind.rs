//! The kinds of documents that have a name and are kept for many experiments.

use serde::{Deserialize, Serialize};

/// A kind of named document: each has a folder of its own in `e3-home`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What is compared, and under which load.
    Experiment,
    /// What clients do, and in which shares.
    Workload,
    /// The description of a dataset.
    Snapshot,
    /// Machines one already has.
    Instance,
}

impl Kind {
    /// Every kind, in the order in which lists show them.
    pub const ALL: [Self; 4] = [Self::Experiment, Self::Workload, Self::Snapshot, Self::Instance];

    /// Returns the name of the folder that holds documents of this kind.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Experiment => "experiments",
            Self::Workload => "workloads",
            Self::Snapshot => "snapshots",
            Self::Instance => "instances",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Experiment => "experiment",
            Self::Workload => "workload",
            Self::Snapshot => "snapshot",
            Self::Instance => "instance",
        })
    }
}
