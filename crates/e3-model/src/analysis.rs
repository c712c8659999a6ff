//! The analysis: every number that the report shows, each with its unit and its population.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Answer, ArrivalPlan, Comparison, Document, Fault, GitClient, Header, Honesty, MetricSeries, Mix, Order,
    ProductVersion, SearchAnalysis, StageOutcome, StageRef, ThresholdResult, Transport,
};

/// Every number that the report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Format, version, parent.
    #[serde(flatten)]
    pub header: Header,
    /// The experiment's name.
    pub experiment: String,
    /// The run's name.
    pub run: String,
    /// What was to be found out.
    pub description: Option<String>,
    /// When the first stage started, as RFC 3339 in UTC.
    pub started_at: String,
    /// How the threads' stages were ordered in time.
    pub order: Order,
    /// Which Git client the scm scripts used; none where an older version wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_client: Option<GitClient>,
    /// What the comparison of the threads says, in words, and how sure that is.
    #[serde(default)]
    pub answer: Answer,
    /// The three most telling numbers, the most telling first.
    pub headlines: Vec<Headline>,
    /// What limits these numbers: every stamp that some stage has, each once.
    pub stamps: Vec<Stamp>,
    /// Every thread but the baseline against the baseline, at every load that both had: by thread, then by load
    /// ascending, then all ops together before each op in the workload's order, then by measure. Throughput is that of
    /// all ops together only, and measures of single ops that neither thread has are left out. Probes of searches are
    /// compared with nothing: their loads follow from what they saw.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    /// Every threshold at every stage it applies to: by threshold as written, then by thread and stage. Of a search these
    /// are the probes of the highest load that held; where none did, of the lowest that was probed.
    #[serde(default)]
    pub thresholds: Vec<ThresholdResult>,
    /// What each search found: by thread, then by stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<SearchAnalysis>,
    /// One entry per thread, in the plan's order.
    pub threads: Vec<ThreadAnalysis>,
}

/// A telling number in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Headline {
    /// What the number is, such as `highest throughput`.
    pub label: String,
    /// The number with its unit, such as `12.3 ops/s`.
    pub value: String,
    /// Of what it is, over which window, of how many.
    pub detail: String,
}

/// A limit on what numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stamp {
    /// Workers share a machine with the system under test: threads may be compared, absolute numbers are no capacity.
    CoLocated,
    /// The worker was the bottleneck: the stage is invalid.
    ClientBound,
    /// The stage did not run for its whole time.
    Incomplete,
    /// Samples were lost: the stage is invalid.
    SamplesLost,
    /// The open model's bound on busy clients was reached: ops began late, and their latency includes the wait.
    ConcurrencyBound,
    /// The system was disturbed on purpose, for a rehearsal: the numbers say nothing about the product.
    Disturbed,
}

/// One thread's numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadAnalysis {
    /// The thread's name.
    pub name: String,
    /// What its system under test is, in words.
    pub instance: String,
    /// The system's lines of `bitbucket.properties`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// One entry per stage that ran, in the thread's order.
    pub stages: Vec<StageAnalysis>,
}

/// One stage's numbers.
///
/// The population of every count, rate and latency is the ops *scheduled* in the measured window: from the end of the
/// warm-up to the end of the stage. Ops that were then still under way count when they end within the grace. In the open
/// model an arrival that never began is one op that was scheduled, and counts as cancelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageAnalysis {
    /// The stage.
    #[serde(flatten)]
    pub stage: StageRef,
    /// The clients of the closed model; in the open one the most that could be busy at a time.
    pub clients: u32,
    /// When iterations were to start, in the open model; none in the closed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalPlan>,
    /// How clients talked to the system under test.
    #[serde(default)]
    pub transport: Transport,
    /// The version that the system under test said it had; none where it said none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductVersion>,
    /// The load at which a search probed; none for a stage of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed_load: Option<f64>,
    /// How the system under test was disturbed on purpose: the numbers of such a stage say nothing about the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The workload's name.
    pub workload: String,
    /// What a job's weight is a share of.
    pub mix: Mix,
    /// Where the stage stands in the order of execution, from 0.
    pub position: u32,
    /// When it started, in nanoseconds since the Unix epoch.
    pub started_unix_ns: u64,
    /// The measured window's start, in milliseconds since the stage's start.
    pub window_start_ms: u64,
    /// The measured window's end, in milliseconds since the stage's start; an incomplete stage ends where its last op
    /// began.
    pub window_end_ms: u64,
    /// How long the stage was to run, in milliseconds, warm-up included.
    pub planned_ms: u64,
    /// How the stage ended.
    pub outcome: StageOutcome,
    /// What limits its numbers.
    pub stamps: Vec<Stamp>,
    /// The worker's word on itself.
    pub honesty: Honesty,
    /// All ops together.
    pub total: OpStatistics,
    /// One entry per op of every job, in the workload's order; ops without a sample included.
    pub ops: Vec<OpStatistics>,
    /// One entry per job, in the workload's order.
    pub jobs: Vec<JobShare>,
    /// The chance of shares at least as far from the weights when nothing but chance is at work (chi-square test); given
    /// where weights are shares of iterations, and every job was to be expected at least five times.
    pub mix_p_value: Option<f64>,
    /// One point per second of the whole stage, warm-up included.
    pub timeline: Vec<TimelinePoint>,
    /// What machines and products said of themselves, warm-up included: by subject, then by name.
    #[serde(default)]
    pub metrics: Vec<MetricSeries>,
}

/// The statistics of one op in one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpStatistics {
    /// The script's name; empty for all together.
    pub script: String,
    /// The op's name; empty for all together.
    pub op: String,
    /// Ops that ended, well or not, in the population.
    pub count: u64,
    /// Of these, the successes.
    pub ok: u64,
    /// Ops that the stage's end cut off, in the open model also those that it never let begin; not in `count`.
    pub cancelled: u64,
    /// Successes per second of the measured window.
    pub rate_per_s: f64,
    /// The interval around the rate, where one can be given; it allows for ops that come in bursts, as those of one
    /// iteration do, and for seconds that are slower than others. None in the open model, whose schedule sets the rate.
    pub rate_interval: Option<Confidence>,
    /// Failures over `count`, 0 to 1; none when nothing ended.
    pub error_rate: Option<f64>,
    /// The interval around the error rate; none when nothing ended.
    pub error_rate_interval: Option<Confidence>,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// Latency of the successes; none when there are none.
    pub latency: Option<Latency>,
    /// Latency of every op that was due, successes or not; none where all were successes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_due: Option<BoundedLatency>,
    /// How these latencies are distributed: buckets that hold any, ascending, twenty to each power of ten.
    #[serde(default)]
    pub distribution: Vec<Bucket>,
    /// Payload bytes received by the successes; none where those of one are unknown, as the real git's are.
    pub bytes_in: Option<u64>,
    /// Payload bytes sent by the successes; none where those of one are unknown.
    pub bytes_out: Option<u64>,
}

/// Latencies in milliseconds; a percentile is given only where n × (1 − p) ≥ 5.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Smallest.
    pub min_ms: f64,
    /// Arithmetic mean.
    pub mean_ms: f64,
    /// Median.
    pub p50_ms: Option<f64>,
    /// 90th percentile.
    pub p90_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// 99.9th percentile.
    pub p999_ms: Option<f64>,
    /// Largest.
    pub max_ms: f64,
    /// The intervals around the percentiles, where they can be given.
    #[serde(default)]
    pub intervals: LatencyIntervals,
}

/// Percentiles over every op that was due, where some did not succeed: a failure counts as at least the op's time-out, an op
/// that was cut off or never begun as at least what it had waited when it was given up. Given where n × (1 − p) ≥ 5.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BoundedLatency {
    /// Median.
    pub p50: Option<Bound>,
    /// 90th percentile.
    pub p90: Option<Bound>,
    /// 95th percentile.
    pub p95: Option<Bound>,
    /// 99th percentile.
    pub p99: Option<Bound>,
    /// 99.9th percentile.
    pub p999: Option<Bound>,
}

/// A latency, or what it is at least.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// In milliseconds.
    pub ms: f64,
    /// Whether the latency may be longer: ops of which only a lower bound is known decide it.
    pub at_least: bool,
}

/// Intervals around percentiles, in milliseconds: block bootstrap over time, seeded.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LatencyIntervals {
    /// Around the median.
    pub p50: Option<Confidence>,
    /// Around the 90th percentile.
    pub p90: Option<Confidence>,
    /// Around the 95th percentile.
    pub p95: Option<Confidence>,
    /// Around the 99th percentile.
    pub p99: Option<Confidence>,
    /// Around the 99.9th percentile.
    pub p999: Option<Confidence>,
}

/// One bucket of a distribution of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// Where it begins, in milliseconds; belongs to it.
    pub from_ms: f64,
    /// Where it ends, in milliseconds; belongs to the next.
    pub to_ms: f64,
    /// How many successes lie in it.
    pub count: u64,
}

/// A two-sided interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confidence {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Its level, such as 0.95.
    pub level: f64,
}

/// How often a job was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobShare {
    /// The script's name.
    pub script: String,
    /// The share that was asked for.
    pub weight: f64,
    /// Iterations that began in the measured window.
    pub iterations: u64,
    /// Their share of all jobs' iterations; none when there were none.
    pub share: Option<f64>,
}

/// One second of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimelinePoint {
    /// The second's start, in seconds since the stage's start.
    pub second: u32,
    /// Successes that ended in this second.
    pub ok: u64,
    /// Failures that ended in this second.
    pub errors: u64,
    /// Median latency of these successes, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile of these successes, in milliseconds.
    pub p95_ms: Option<f64>,
    /// 99th percentile of these successes, in milliseconds.
    #[serde(default)]
    pub p99_ms: Option<f64>,
    /// Largest latency of these successes, in milliseconds.
    pub max_ms: Option<f64>,
}

impl Document for Analysis {
    const FORMAT: &'static str = "e3/analysis";
    const VERSION: u32 = 1;
    const FILE: &'static str = "analysis.json";

    fn header(&self) -> &Header {
        &self.header
    }
}
