//! The run: what was executed, when, and whether its load can be believed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Document, Header, Probe, ProductVersion, StageRef};

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
    /// The version that the system under test said it had when the stage began; none where it said none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductVersion>,
    /// What it was for a search; none for a stage of the plan. A probe's stage is appended to its thread: its plan is the
    /// search's pattern at the probe's load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
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
    /// How late clients that waited for a time, be it the end of a think time or a scheduled start, began, 99th
    /// percentile, in milliseconds; waiting for a free client is no lag.
    pub scheduling_lag_p99_ms: f64,
    /// The same, at worst.
    pub scheduling_lag_max_ms: f64,
    /// The same, counted in classes, the shortest first; classes without any are left out.
    #[serde(default)]
    pub scheduling_lag: Vec<LagBucket>,
    /// How late the runtime woke a task that does nothing but wait, 99th percentile, in milliseconds.
    #[serde(default)]
    pub event_loop_delay_p99_ms: f64,
    /// The same, at worst.
    #[serde(default)]
    pub event_loop_delay_max_ms: f64,
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
    /// How many the process may open; 0 where that cannot be read.
    #[serde(default)]
    pub descriptor_limit: u64,
    /// TCP segments that the worker's machine sent over the stage, each counted once, where that can be read.
    #[serde(default)]
    pub segments_sent: Option<u64>,
    /// How many it sent again, where that can be read. Requests for a connection are left out: a server that does not
    /// answer them has a full queue, which is its own limit and not the network's.
    #[serde(default)]
    pub segments_retransmitted: Option<u64>,
    /// Samples that could not be recorded; any makes the stage invalid.
    pub lost_samples: u64,
    /// How the open model kept its schedule; none in the closed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Arrivals>,
    /// What the native Git client's SSH connections were encrypted with, by the protocol's names: the largest part of what
    /// a clone over SSH costs on both sides; empty where none was opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_ciphers: Vec<String>,
}

/// How many waits had a lag of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LagBucket {
    /// The class's upper bound in microseconds, a power of two; its lower bound is half of that, and 0 for the first.
    pub up_to_us: u64,
    /// How many waits.
    pub count: u64,
}

/// How the open model kept its schedule: every arrival that was due is counted, and each is a sample.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Arrivals {
    /// How many were due while the stage lasted.
    pub due: u64,
    /// Of these, how many found every client busy, so that they began late or not at all.
    pub late: u64,
    /// Of these, how many had not begun when the stage ended; each is recorded as cancelled.
    pub unstarted: u64,
    /// The most that waited for a client at once.
    pub most_waiting: u64,
    /// The longest that one waited for a client, in milliseconds.
    pub longest_wait_ms: f64,
    /// The most clients that were busy at once.
    pub most_busy: u64,
}

/// Why a worker counts as the bottleneck of its stage: what was measured against its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClientBound {
    /// Clients began late, 99th percentile in milliseconds.
    SchedulingLag(f64),
    /// The event loop was late, 99th percentile in milliseconds.
    EventLoopDelay(f64),
    /// The worker used so many of so many CPUs.
    WorkerCpu(f64, u32),
    /// The hypervisor took this share of the machine's CPU time, 0 to 1.
    Steal(f64),
    /// So many descriptors were open, and so many may be.
    Descriptors(u64, u64),
    /// This share of TCP segments was sent again, 0 to 1.
    Retransmits(f64),
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

    /// The share of CPU time that the hypervisor may take away; above it, latencies tell of the neighbours.
    pub const STEAL_LIMIT: f64 = 0.05;

    /// The share of the descriptors it may open that a worker may use; the rest is not far away then.
    pub const DESCRIPTOR_LIMIT: f64 = 0.9;

    /// The share of TCP segments that may be sent again; a healthy network stays far below.
    pub const RETRANSMIT_LIMIT: f64 = 0.01;

    /// Returns whether the worker was the bottleneck, so that the stage says nothing about the system under test.
    pub fn is_client_bound(&self) -> bool {
        !self.client_bound().is_empty()
    }

    /// Returns every limit that the worker passed, with what was measured; none when the stage can be believed.
    pub fn client_bound(&self) -> Vec<ClientBound> {
        let cpus = f64::from(self.cpus);
        let descriptors = share(self.file_descriptors, self.descriptor_limit);
        let again = self.segments_sent.zip(self.segments_retransmitted);
        let again = again.filter(|(_, again)| *again >= Self::FEW_RETRANSMITS);
        let again = again.and_then(|(sent, again)| share(again, sent));
        let steal = self.steal.filter(|steal| *steal > Self::STEAL_LIMIT);
        [
            (self.scheduling_lag_p99_ms > Self::SCHEDULING_LAG_LIMIT_MS)
                .then_some(ClientBound::SchedulingLag(self.scheduling_lag_p99_ms)),
            (self.event_loop_delay_p99_ms > Self::SCHEDULING_LAG_LIMIT_MS)
                .then_some(ClientBound::EventLoopDelay(self.event_loop_delay_p99_ms)),
            (self.cpus > 0 && self.worker_cpus > Self::WORKER_CPU_LIMIT * cpus)
                .then_some(ClientBound::WorkerCpu(self.worker_cpus, self.cpus)),
            steal.map(ClientBound::Steal),
            descriptors
                .filter(|share| *share > Self::DESCRIPTOR_LIMIT)
                .map(|_| ClientBound::Descriptors(self.file_descriptors, self.descriptor_limit)),
            again.filter(|share| *share > Self::RETRANSMIT_LIMIT).map(ClientBound::Retransmits),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Fewer than these are chance, whatever their share.
    const FEW_RETRANSMITS: u64 = 50;
}

#[expect(clippy::cast_precision_loss, reason = "counts of segments and descriptors stay far below 2^53")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Document for Run {
    const FORMAT: &'static str = "e3/run";
    const VERSION: u32 = 1;
    const FILE: &'static str = "run.json";

    fn header(&self) -> &Header {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_named_when_it_is_passed_and_not_before() {
        let idle = Honesty {
            scheduling_lag_p99_ms: 1.2,
            event_loop_delay_p99_ms: 0.1,
            worker_cpus: 0.02,
            machine_cpu: Some(1.0),
            steal: Some(0.01),
            cpus: 2,
            file_descriptors: 40,
            descriptor_limit: 1024,
            segments_sent: Some(2_000),
            segments_retransmitted: Some(0),
            ..Honesty::default()
        };
        let again = |sent, again| Honesty {
            segments_sent: Some(sent),
            segments_retransmitted: Some(again),
            ..idle.clone()
        };
        for (honesty, bound, why) in [
            (idle.clone(), vec![], "an idle worker, though its machine is busy"),
            (Honesty::default(), vec![], "nothing could be read"),
            (Honesty { scheduling_lag_max_ms: 900.0, ..idle.clone() }, vec![], "a single late start"),
            (
                Honesty { scheduling_lag_p99_ms: 10.1, ..idle.clone() },
                vec![ClientBound::SchedulingLag(10.1)],
                "late starts",
            ),
            (
                Honesty { event_loop_delay_p99_ms: 30.0, ..idle.clone() },
                vec![ClientBound::EventLoopDelay(30.0)],
                "a loop that is late, though no client waited for a time",
            ),
            (
                Honesty { worker_cpus: 1.9, ..idle.clone() },
                vec![ClientBound::WorkerCpu(1.9, 2)],
                "nearly all CPUs",
            ),
            (Honesty { worker_cpus: 1.8, ..idle.clone() }, vec![], "as much as is allowed"),
            (Honesty { steal: Some(0.2), ..idle.clone() }, vec![ClientBound::Steal(0.2)], "a busy neighbour"),
            (
                Honesty { file_descriptors: 1_000, ..idle.clone() },
                vec![ClientBound::Descriptors(1_000, 1_024)],
                "no room for another connection",
            ),
            (Honesty { file_descriptors: 1_000, descriptor_limit: 0, ..idle.clone() }, vec![], "no limit"),
            (again(10_000, 200), vec![ClientBound::Retransmits(0.02)], "a network that loses segments"),
            (again(100, 40), vec![], "so few are chance"),
        ] {
            assert_eq!(honesty.client_bound(), bound, "{why}");
            assert_eq!(honesty.is_client_bound(), !bound.is_empty(), "{why}");
        }
    }
}
