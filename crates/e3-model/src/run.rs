//! The run: what was executed, when, and whether its load can be believed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Document, Header, StageRef};

/// What was executed: rewritten as a whole after every stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Format, version, parent.
    #[serde(flatten)]
    pub header: Header,
    /// The run's name.
    pub name: String,
    /// When the first stage was assigned, as RFC 3339 in UTC.
    pub started_at: String,
    /// When the last stage ended; none while it runs or after it was killed.
    pub ended_at: Option<String>,
    /// One record per stage that was begun, in the order of execution.
    pub stages: Vec<StageRecord>,
}

/// What happened to one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageRecord {
    /// The stage.
    #[serde(flatten)]
    pub stage: StageRef,
    /// The wall-clock time of the stage's start, in nanoseconds since the Unix epoch; samples count from it.
    pub started_unix_ns: u64,
    /// How it ended.
    pub outcome: StageOutcome,
    /// How many samples were recorded.
    pub samples: u64,
    /// The worker's word on itself, worst over all workers.
    pub honesty: Honesty,
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum StageOutcome {
    /// It ran for its whole time.
    Completed,
    /// It was stopped by the user; its samples up to then are whole.
    Interrupted,
    /// It could not go on.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What a worker says about its own ability to make the load.
///
/// CPU figures cover the worker's whole process over the stage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Honesty {
    /// How late the runtime woke a task that was due, 99th percentile, in milliseconds.
    pub scheduling_lag_p99_ms: f64,
    /// The same, at worst.
    pub scheduling_lag_max_ms: f64,
    /// The worker process's CPU time over wall time, in CPUs.
    pub worker_cpus: f64,
    /// The whole machine's CPU use over the stage, 0 to 1, where it can be read.
    pub machine_cpu: Option<f64>,
    /// The share of CPU time that the hypervisor took away, 0 to 1, where it can be read.
    pub steal: Option<f64>,
    /// How many CPUs the machine has.
    pub cpus: u32,
    /// The most file descriptors that were open at once.
    pub file_descriptors: u64,
    /// Samples that could not be recorded; any makes the stage invalid.
    pub lost_samples: u64,
}

impl Honesty {
    /// How late the worker may wake a task that was due, 99th percentile, before its stage counts as client-bound.
    ///
    /// The lag adds itself to every latency, so ten milliseconds of it hide any difference of that size; an idle
    /// machine wakes a task within one or two.
    pub const SCHEDULING_LAG_LIMIT_MS: f64 = 10.0;

    /// The share of its machine's CPUs that a worker may use before its stage counts as client-bound.
    ///
    /// Above it, the clients wait for each other rather than for the system under test.
    pub const WORKER_CPU_LIMIT: f64 = 0.9;

    /// Returns whether the worker was the bottleneck, so that the stage says nothing about the system under test.
    pub fn is_client_bound(&self) -> bool {
        self.scheduling_lag_p99_ms > Self::SCHEDULING_LAG_LIMIT_MS
            || (self.cpus > 0 && self.worker_cpus > Self::WORKER_CPU_LIMIT * f64::from(self.cpus))
    }
}

impl Document for Run {
    const FORMAT: &'static str = "e3/run";
    const VERSION: u32 = 1;
    const FILE: &'static str = "run.json";

    fn header(&self) -> &Header {
        &self.header
    }
}
