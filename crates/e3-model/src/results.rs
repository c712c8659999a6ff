//! The results: everything that was gathered, with hashes, ready to be analysed or handed on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Document, Header, StageRef};

/// What was gathered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// Format, version, parent.
    #[serde(flatten)]
    pub header: Header,
    /// One entry per stage with samples, in the order of execution.
    pub stages: Vec<StageResults>,
    /// Log files, as paths within the run.
    pub logs: Vec<String>,
}

/// What was gathered of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageResults {
    /// The stage.
    #[serde(flatten)]
    pub stage: StageRef,
    /// The sample file, as a path within the run.
    pub samples_file: String,
    /// How many samples it holds.
    pub samples: u64,
    /// SHA-256 of the sample file.
    pub sha256: String,
    /// The file of the stage's metrics, as a path within the run; none when none were gathered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_file: Option<String>,
    /// SHA-256 of the file of metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_sha256: Option<String>,
}

impl Document for Results {
    const FORMAT: &'static str = "e3/results";
    const VERSION: u32 = 1;
    const FILE: &'static str = "results.json";

    fn header(&self) -> &Header {
        &self.header
    }
}
