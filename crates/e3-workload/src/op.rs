//! One op under way: recorded exactly once, whatever happens to it.

use e3_model::{CacheState, GitPhases, OpId, Outcome, Sample};

use crate::{Instant, SampleSink};

/// What a script measured of an op besides its start and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// When the first byte of the answer came: over HTTP with its head, for Git with the pack or the refs.
    pub first_byte: Option<std::time::Instant>,
    /// Payload bytes received; none where nobody knows.
    pub bytes_in: Option<u64>,
    /// Payload bytes sent; none where nobody knows.
    pub bytes_out: Option<u64>,
    /// What the server said of its cache.
    pub cache: CacheState,
    /// Where a Git op's time went.
    pub phases: Option<GitPhases>,
    /// Which op it turned out to be, where only the answer shows that; none for the one that was begun.
    pub became: Option<OpId>,
}

/// An op under way: when it is dropped before it was finished, it is recorded as cancelled.
pub(crate) struct OpUnderWay<'a> {
    sample: Sample,
    origin: Instant,
    sink: &'a SampleSink,
    recorded: bool,
}

impl<'a> OpUnderWay<'a> {
    pub(crate) fn begin(sample: Sample, origin: Instant, sink: &'a SampleSink) -> Self {
        Self { sample, origin, sink, recorded: false }
    }

    pub(crate) fn finish(mut self, outcome: Outcome, measured: &Measured) {
        let first_byte = measured.first_byte.map(|at| since(self.origin, Instant::from_std(at)));
        self.sample.first_byte_ns = first_byte.map(|at| at.max(self.sample.started_ns));
        self.sample.bytes_in = measured.bytes_in;
        self.sample.bytes_out = measured.bytes_out;
        self.sample.cache = measured.cache;
        self.sample.phases = measured.phases;
        self.sample.op = measured.became.map_or(self.sample.op, |op| op.0);
        self.record(outcome);
    }

    fn record(&mut self, outcome: Outcome) {
        self.sample.ended_ns = since(self.origin, Instant::now());
        self.sample.outcome = outcome;
        self.recorded = true;
        self.sink.record(self.sample);
    }
}

impl Drop for OpUnderWay<'_> {
    fn drop(&mut self) {
        if !self.recorded {
            self.record(Outcome::Cancelled);
        }
    }
}

/// Returns the nanoseconds from the stage's start; 0 for a time before it.
pub(crate) fn since(origin: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(origin).as_nanos()).unwrap_or(u64::MAX)
}
