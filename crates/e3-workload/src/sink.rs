//! Where samples go: a bounded channel that never holds a client up and never loses a sample in silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use e3_model::Sample;
use tokio::sync::mpsc;

/// The clients' end of the sample channel.
#[derive(Debug, Clone)]
pub struct SampleSink {
    sender: mpsc::Sender<Sample>,
    lost: Arc<AtomicU64>,
}

/// Returns a sample channel that holds so many samples at most.
pub fn sample_channel(capacity: usize) -> (SampleSink, mpsc::Receiver<Sample>) {
    let (sender, receiver) = mpsc::channel(capacity);
    (SampleSink { sender, lost: Arc::new(AtomicU64::new(0)) }, receiver)
}

impl SampleSink {
    /// Hands a sample to the recorder; counts it as lost when the recorder is too far behind.
    pub(crate) fn record(&self, sample: Sample) {
        if self.sender.try_send(sample).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many samples were lost; any makes the stage invalid.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}
