//! The comparison of two runs: what a change between them did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Answer, Comparison, Document, Header, RunName, ThreadId};

/// How one run differs from another at the loads that both had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunComparison {
    /// Format, version; no parent, since it has two: see [`ComparedRun`].
    #[serde(flatten)]
    pub header: Header,
    /// The run that the other is compared with.
    pub baseline: ComparedRun,
    /// The run that is compared.
    pub run: ComparedRun,
    /// What the comparison says, in words, and how sure that is.
    pub answer: Answer,
    /// What else differs between the runs, each a sentence; empty when nothing does that is known to matter.
    pub warnings: Vec<String>,
    /// Which thread is compared with which, in the compared run's order.
    pub threads: Vec<ThreadPair>,
    /// By thread, then by load ascending, then all ops together before each op, then by measure. Threads and stages are
    /// those of their own run's plan.
    pub comparisons: Vec<Comparison>,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedRun {
    /// Its name.
    pub run: RunName,
    /// Its experiment's name.
    pub experiment: String,
    /// When its first stage started, as RFC 3339 in UTC.
    pub started_at: String,
    /// SHA-256 of the results.json that the numbers come from.
    pub results_sha256: String,
}

/// A thread of the compared run and its like in the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadPair {
    /// The thread's position in the compared run's plan.
    pub thread: ThreadId,
    /// Its name there.
    pub name: String,
    /// The position of its like in the baseline's plan.
    pub baseline: ThreadId,
    /// Its name there.
    pub baseline_name: String,
}

impl Document for RunComparison {
    const FORMAT: &'static str = "e3/run-comparison";
    const VERSION: u32 = 1;
    const FILE: &'static str = "run-comparison.json";

    fn header(&self) -> &Header {
        &self.header
    }
}
