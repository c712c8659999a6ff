//! A workload: which scripts run, and in which shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Arguments;

/// A workload: its jobs, whose weights add up to 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Workload(#[schemars(length(min = 1, max = 1000))] pub Vec<Job>);

/// One script and its share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Job {
    /// The script's name, such as `scm.GitCloneOverHttp`; the first E3's prefix `bitbucket.` is allowed.
    pub script: String,
    /// Kept from the first E3; E3 draws test data from the snapshot itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_data_provider: Option<String>,
    /// What the job stands for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A factor on the job's throughput in the throughput chart only; the default is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub scale: Option<f64>,
    /// The job's share, 0 to 1: of the clients, or with `"mix": "ops"` of the iterations.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f64,
    /// What the script is told, by name; `e3 list scripts --json` shows which arguments a script takes.
    #[serde(default, skip_serializing_if = "Arguments::is_empty")]
    pub arguments: Arguments,
}

impl Job {
    /// Returns the script's name without the first E3's prefix.
    pub fn script_name(&self) -> &str {
        self.script.strip_prefix("bitbucket.").unwrap_or(&self.script)
    }
}
