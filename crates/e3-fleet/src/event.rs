//! What the coordinator tells the printer.

use e3_load::FailureNote;
use e3_model::{ArrivalPlan, ProbeVerdict, Reset, Span, StageOutcome, StageRef};
use e3_stats::SearchState;

/// How a stage has gone in its last seconds; for a display, not for a report.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Recent {
    /// Successes per second.
    pub rate_per_s: f64,
    /// Failures among the ops that ended, 0 to 1; none when none ended.
    pub error_rate: Option<f64>,
    /// Median latency of the successes in milliseconds; none when there are too few.
    pub p50_ms: Option<f64>,
    /// 99th percentile likewise.
    pub p99_ms: Option<f64>,
}

/// Which probe of its search a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probing {
    /// The stage with the search.
    pub search: StageRef,
    /// Which of the search's probes, from 1.
    pub number: u32,
    /// How many there are at most.
    pub of: u32,
}

/// What the coordinator tells the printer, in the order in which it happens.
#[derive(Debug, Clone, PartialEq)]
pub enum FleetEvent {
    /// A thread's system under test was reset before a stage.
    SystemReset {
        /// The stage.
        stage: StageRef,
        /// Its thread's name.
        thread: String,
        /// What was done.
        reset: Reset,
        /// How long it took.
        seconds: f64,
    },
    /// A stage starts.
    StageStarted {
        /// The stage.
        stage: StageRef,
        /// Its thread's name.
        thread: String,
        /// Its clients.
        clients: u32,
        /// When iterations are due, in the open model.
        arrivals: Option<ArrivalPlan>,
        /// How long it holds its load.
        duration: Span,
        /// Where it stands among the plan's stages in the order of execution, from 1; a probe where its search does.
        position: usize,
        /// How many stages the plan has over all threads; a search counts as one.
        of: usize,
        /// Which probe it is; none for a stage of the plan.
        probe: Option<Probing>,
    },
    /// A batch of samples was stored.
    Progress {
        /// The stage.
        stage: StageRef,
        /// Successes since the stage's start.
        ok: u64,
        /// Failures since the stage's start.
        errors: u64,
        /// Seconds since the stage's start.
        elapsed_s: f64,
        /// How it has gone lately.
        recent: Recent,
    },
    /// A stage is over and its samples are sealed.
    StageEnded {
        /// The stage.
        stage: StageRef,
        /// How it ended.
        outcome: StageOutcome,
        /// Successes, warm-up included.
        ok: u64,
        /// Failures, warm-up included.
        errors: u64,
        /// The largest latency of the successes, in milliseconds.
        max_ms: f64,
        /// Why ops failed, one entry per kind.
        failures: Vec<FailureNote>,
    },
    /// A probe was judged.
    ProbeJudged {
        /// The probe.
        stage: StageRef,
        /// The stage with the search.
        search: StageRef,
        /// Their thread's name.
        thread: String,
        /// Whether loads are arrivals per second; else they are clients.
        is_open: bool,
        /// How it came out.
        verdict: ProbeVerdict,
        /// Why, as a sentence.
        reason: String,
        /// What the search's probes say so far.
        state: SearchState,
    },
}
