//! Comparisons: how one thread differs from another at the same load, and what may be concluded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Confidence, OfferedRate, StageRef, ThreadId};

/// What the threads' comparison says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// In one sentence, such as `“2 nodes” did 12 % more than “1 node” at 16 clients.`; empty when nothing was measured.
    pub text: String,
    /// How sure it is and what it rests on, in one or two sentences.
    pub confidence: String,
    /// The verdict behind the sentence; none when there is nothing to compare.
    pub verdict: Option<Verdict>,
}

/// One measure of one op, or of all together, of one thread against the baseline at one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The thread that is compared.
    pub thread: ThreadId,
    /// The thread that it is compared with.
    pub baseline: ThreadId,
    /// The load: clients of the closed model; 0 in the open one.
    pub clients: u32,
    /// The load: arrivals of the open model; none in the closed one. See [`Comparison::load`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<OfferedRate>,
    /// The thread's stages at this load, in order.
    pub stages: Vec<StageRef>,
    /// The baseline's stages at this load, in order.
    pub baseline_stages: Vec<StageRef>,
    /// The script's name; empty for all ops together.
    pub script: String,
    /// The op's name; empty for all ops together.
    pub op: String,
    /// What is compared.
    pub measure: Measure,
    /// The thread's value, in the measure's unit; none when too few ops speak for it.
    pub value: Option<f64>,
    /// The baseline's value.
    pub baseline_value: Option<f64>,
    /// The effect size: the thread's value over the baseline's. For throughput in the open model, whose schedule sets how
    /// much is due, the thread's successes per arrival that was due over the baseline's: 1 where both did all of it.
    pub ratio: Option<f64>,
    /// The interval around the ratio.
    pub ratio_interval: Option<Confidence>,
    /// What may be concluded.
    pub verdict: Verdict,
    /// Why there is no better or worse, in a sentence; none where there is.
    pub reason: Option<String>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Successes per second; more is better.
    Throughput,
    /// Median latency in milliseconds; less is better.
    P50,
    /// 95th percentile of latency in milliseconds; less is better.
    P95,
    /// 99th percentile of latency in milliseconds; less is better.
    P99,
}

/// What may be concluded from a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The thread is better than the baseline, beyond what chance explains.
    Better,
    /// The thread is worse than the baseline, beyond what chance explains.
    Worse,
    /// Chance may be all there is to the difference; that they are alike is not shown either.
    NoEvidence,
    /// The numbers cannot be compared.
    Invalid,
}

impl Measure {
    /// Every measure, in the order of comparisons.
    pub const ALL: [Self; 4] = [Self::Throughput, Self::P50, Self::P95, Self::P99];

    /// Returns its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::P50 => "median latency",
            Self::P95 => "95th percentile of latency",
            Self::P99 => "99th percentile of latency",
        }
    }

    /// Returns whether more of it is better.
    pub fn more_is_better(self) -> bool {
        self == Self::Throughput
    }
}

impl Verdict {
    /// Returns its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoEvidence => "no evidence",
            Self::Invalid => "invalid",
        }
    }
}
