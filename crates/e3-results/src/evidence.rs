//! What comparisons and thresholds need of a stage beyond its analysis: the latencies themselves.

use e3_model::{StageAnalysis, Stamp};
use e3_stats::{Draws, Slotted};

/// A stage's numbers and what they rest on.
pub(crate) struct AnalyzedStage {
    pub(crate) analysis: StageAnalysis,
    /// All ops together, then one entry per op, as in the analysis.
    pub(crate) evidence: Vec<OpEvidence>,
}

/// What an op's numbers rest on.
pub(crate) struct OpEvidence {
    /// The successes' latencies in nanoseconds, ascending, each in the slot in which its iteration began: an iteration's ops
    /// depend on each other, so blocks of time must not tear them apart.
    pub(crate) latencies: Vec<Slotted>,
    /// How long the ops had waited that the stage's end cut off or never let begin, in nanoseconds.
    pub(crate) unfinished: Vec<u64>,
    /// How many times larger the variance of the successes' count is than that of as many independent events.
    pub(crate) dispersion: f64,
    /// What is known of the percentiles of [`COMPARED`], in its order.
    pub(crate) draws: Vec<Option<Draws>>,
    /// Where draws for this op begin.
    pub(crate) seed: u64,
}

impl AnalyzedStage {
    /// Returns whether the stage's numbers say something about the system under test.
    pub(crate) fn is_valid(&self) -> bool {
        invalidating(&self.analysis).is_none()
    }

    /// Returns whether a schedule made its load.
    pub(crate) fn is_open(&self) -> bool {
        self.analysis.arrivals.is_some()
    }

    /// Returns the measured window's length in seconds.
    #[expect(clippy::cast_precision_loss, reason = "a stage lasts days at most")]
    pub(crate) fn seconds(&self) -> f64 {
        self.analysis.window_end_ms.saturating_sub(self.analysis.window_start_ms) as f64 / 1000.0
    }
}

/// Returns the gravest stamp that makes a stage's numbers say nothing about the system under test.
pub(crate) fn invalidating(stage: &StageAnalysis) -> Option<Stamp> {
    [Stamp::SamplesLost, Stamp::ClientBound, Stamp::Incomplete]
        .into_iter()
        .find(|stamp| stage.stamps.contains(stamp))
}

/// Returns what such a stamp says of a stage, to follow its name.
pub(crate) fn invalid_because(stamp: Stamp) -> &'static str {
    match stamp {
        Stamp::SamplesLost => "lost samples",
        Stamp::ClientBound => "was client-bound: the worker, not the system under test, was the bottleneck",
        Stamp::Incomplete => "did not run for its whole time",
        Stamp::ConcurrencyBound => "reached its bound on busy clients",
        Stamp::Disturbed => "was disturbed on purpose",
        Stamp::CoLocated => "shared its machine with the worker",
    }
}
