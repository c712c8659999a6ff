//! Samples on their way to the coordinator.

use bytes::Bytes;
use e3_stats::LatencyHistogram;

/// At most one second of samples, encoded, with the figures that a live display shows.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The batch's position in its share, from 0.
    pub sequence: u64,
    /// The samples as one Arrow IPC stream.
    pub segment: Bytes,
    /// How many samples it holds.
    pub samples: u64,
    /// Of these, the successes.
    pub ok: u64,
    /// Of these, the failures.
    pub errors: u64,
    /// The largest latency of the successes, in nanoseconds.
    pub max_latency_ns: u64,
    /// The latencies of the successes.
    pub latencies: LatencyHistogram,
}
