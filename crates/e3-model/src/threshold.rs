//! Thresholds: conditions on a stage's numbers that decide the exit code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StageRef;

/// A condition, such as `p99(GitCloneOverSsh) < 2s`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// As its author wrote it.
    pub text: String,
    /// What is judged.
    pub statistic: Statistic,
    /// Which ops are judged; none for all together.
    pub target: Option<ThresholdTarget>,
    /// How the statistic must relate to the limit.
    pub relation: Relation,
    /// The limit: milliseconds for latencies, ops per second for a rate, 0 to 1 for errors.
    pub limit: f64,
}

/// The ops that a threshold judges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdTarget {
    /// The script's full name, such as `scm.GitCloneOverSsh`.
    pub script: String,
    /// The op's name; empty for all ops of the script together, where it has several and the threshold names none.
    pub op: String,
}

/// What a threshold judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Median latency.
    P50,
    /// 90th percentile of latency.
    P90,
    /// 95th percentile of latency.
    P95,
    /// 99th percentile of latency.
    P99,
    /// 99.9th percentile of latency.
    #[serde(rename = "p99.9")]
    P999,
    /// Mean latency.
    Mean,
    /// Largest latency.
    Max,
    /// Successes per second.
    Rate,
    /// Failures over all ops that ended.
    Errors,
}

/// How a value must relate to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Relation {
    /// Smaller.
    #[serde(rename = "<")]
    Below,
    /// Not larger.
    #[serde(rename = "<=")]
    AtMost,
    /// Larger.
    #[serde(rename = ">")]
    Above,
    /// Not smaller.
    #[serde(rename = ">=")]
    AtLeast,
}

/// How a threshold came out at one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdResult {
    /// The threshold as its author wrote it.
    pub threshold: String,
    /// The thread's name.
    #[serde(rename = "thread_name")]
    pub thread: String,
    /// The stage.
    #[serde(flatten)]
    pub stage: StageRef,
    /// The stage's clients.
    pub clients: u32,
    /// The value, in the unit of the threshold's limit; none when too few ops speak for it.
    pub value: Option<f64>,
    /// The limit.
    pub limit: f64,
    /// Whether it holds.
    pub state: ThresholdState,
    /// In a sentence: the value with its unit and population, or why there is none.
    pub detail: String,
}

/// Whether a threshold holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdState {
    /// It holds.
    Held,
    /// It does not hold.
    Broken,
    /// Too few ops, or a stage that cannot be believed: nothing was shown, so a gate must not let it pass.
    Undecided,
}

impl Relation {
    /// Returns whether a value relates to a limit in this way.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
        }
    }

    /// Returns its sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}
