//! The recorder: takes full blocks of samples and hands them on, encoded, at least twice a second.

use std::time::Duration;

use e3_model::{Outcome, Sample};
use e3_samples::{Names, SegmentEncoder};
use e3_stats::LatencyHistogram;
use e3_workload::SampleSource;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{Batch, LoadError};

/// The state of one share's recording.
pub(crate) struct Recorder {
    names: Names,
    batches: mpsc::Sender<Batch>,
}

/// How many samples were handed on, and how many found nobody to take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Recorded {
    pub(crate) delivered: u64,
    pub(crate) undelivered: u64,
}

impl Recorder {
    /// Returns a recorder that hands its batches to `batches`.
    pub(crate) fn new(names: Names, batches: mpsc::Sender<Batch>) -> Self {
        Self { names, batches }
    }

    /// Hands on every sample until the last sink is gone.
    ///
    /// Clients never wait for it: while nobody takes a batch, they fill the blocks that are left, and what finds no
    /// room after that they count as lost.
    ///
    /// # Errors
    /// When samples cannot be encoded.
    pub(crate) async fn run(self, samples: SampleSource) -> Result<Recorded, LoadError> {
        let mut tick = tokio::time::interval_at(Instant::now() + INTERVAL, INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut encoder = Encoder { segments: SegmentEncoder::new(&self.names), sequence: 0 };
        let mut recorded = Recorded::default();
        let mut open = true;
        while open {
            let due = tokio::select! {
                still = samples.wait() => {
                    open = still;
                    !still
                }
                _ = tick.tick() => true,
            };
            if due {
                samples.cut();
            }
            while let Some(block) = samples.next_block() {
                let (returned, block, batch) = encode(encoder, block).await?;
                encoder = returned;
                samples.give_back(block);
                let batch = batch?;
                let count = batch.samples;
                match self.batches.send(batch).await {
                    Ok(()) => recorded.delivered += count,
                    Err(_) => recorded.undelivered += count,
                }
            }
        }
        Ok(recorded)
    }
}

/// Encodes a block away from the clients' threads, and returns what it borrowed.
///
/// As a blocking task of the runtime: simulated time stands still until it has ended, as the clients' own work lets it.
async fn encode(
    mut encoder: Encoder,
    block: Vec<Sample>,
) -> Result<(Encoder, Vec<Sample>, Result<Batch, LoadError>), LoadError> {
    let encoding = tokio::task::spawn_blocking(move || {
        let batch = encoder.encode(&block);
        (encoder, block, batch)
    });
    encoding.await.map_err(LoadError::Task)
}

struct Encoder {
    segments: SegmentEncoder,
    sequence: u64,
}

impl Encoder {
    fn encode(&mut self, samples: &[Sample]) -> Result<Batch, LoadError> {
        let segment = self.segments.encode(samples).map_err(LoadError::Encode)?;
        let mut batch = Batch {
            sequence: self.sequence,
            segment,
            samples: samples.len() as u64,
            ok: 0,
            errors: 0,
            max_latency_ns: 0,
            latencies: LatencyHistogram::default(),
        };
        self.sequence += 1;
        for sample in samples {
            if sample.outcome == Outcome::Ok {
                batch.ok += 1;
                batch.max_latency_ns = batch.max_latency_ns.max(sample.latency_ns());
                batch.latencies.record(sample.latency_ns());
            } else if sample.outcome.is_error() {
                batch.errors += 1;
            }
        }
        Ok(batch)
    }
}

/// Half the second that a kill may cost.
const INTERVAL: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
