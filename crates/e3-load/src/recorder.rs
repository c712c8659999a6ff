//! The recorder: collects samples and hands them on, encoded, at least twice a second.

use std::time::Duration;

use e3_model::{Outcome, Sample};
use e3_samples::Names;
use e3_stats::LatencyHistogram;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{Batch, LoadError};

/// The state of one share's recording.
pub(crate) struct Recorder {
    names: Names,
    batches: mpsc::Sender<Batch>,
    pending: Vec<Sample>,
    sequence: u64,
    recorded: u64,
    undelivered: u64,
}

impl Recorder {
    /// Returns a recorder that hands its batches to `batches`.
    pub(crate) fn new(names: Names, batches: mpsc::Sender<Batch>) -> Self {
        Self { names, batches, pending: Vec::with_capacity(BATCH), sequence: 0, recorded: 0, undelivered: 0 }
    }

    /// Hands on every sample that arrives until the channel closes; returns how many were recorded and how many found
    /// nobody to take them.
    ///
    /// # Errors
    /// When samples cannot be encoded.
    pub(crate) async fn run(mut self, mut samples: mpsc::Receiver<Sample>) -> Result<(u64, u64), LoadError> {
        let mut tick = tokio::time::interval_at(Instant::now() + INTERVAL, INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = BATCH - self.pending.len();
            tokio::select! {
                received = samples.recv_many(&mut self.pending, room) => {
                    if received == 0 {
                        break;
                    }
                    if self.pending.len() == BATCH {
                        self.flush().await?;
                    }
                }
                _ = tick.tick() => self.flush().await?,
            }
        }
        self.flush().await?;
        Ok((self.recorded, self.undelivered))
    }

    async fn flush(&mut self) -> Result<(), LoadError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let segment = e3_samples::to_segment(&self.pending, &self.names).map_err(LoadError::Encode)?;
        let count =
            |wanted: fn(&Sample) -> bool| self.pending.iter().filter(|sample| wanted(sample)).count() as u64;
        let mut latencies = LatencyHistogram::default();
        let successes = || self.pending.iter().filter(|sample| sample.outcome == Outcome::Ok);
        successes().for_each(|sample| latencies.record(sample.latency_ns()));
        let batch = Batch {
            sequence: self.sequence,
            segment,
            samples: self.pending.len() as u64,
            ok: count(|sample| sample.outcome == Outcome::Ok),
            errors: count(|sample| sample.outcome.is_error()),
            max_latency_ns: successes().map(Sample::latency_ns).max().unwrap_or(0),
            latencies,
        };
        self.pending.clear();
        self.sequence += 1;
        let samples = batch.samples;
        match self.batches.send(batch).await {
            Ok(()) => self.recorded += samples,
            Err(_) => self.undelivered += samples,
        }
        Ok(())
    }
}

/// Half the second that a kill may cost.
const INTERVAL: Duration = Duration::from_millis(500);
/// How many samples one batch holds at most; about 600 kB encoded.
const BATCH: usize = 8192;
