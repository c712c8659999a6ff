//! One stage: its window, and all that is counted in it.

use e3_model::{
    Arrival, ArrivalPlan, Reading, Sample, Seed, Span, StageAnalysis, StageOutcome, StagePlan, StageRecord,
    Stamp,
};

use crate::evidence::AnalyzedStage;
use crate::mix::{job_shares, mix_p_value};
use crate::operations::{operations, ratio};
use crate::series::series;
use crate::stamp::stamps;
use crate::timeline::timeline;

/// What is known of a stage that was begun.
pub(crate) struct StageInput<'a> {
    pub(crate) plan: &'a StagePlan,
    pub(crate) record: &'a StageRecord,
    /// Where it stands in the order of execution.
    pub(crate) position: u32,
    /// Ordered by their end.
    pub(crate) samples: &'a [Sample],
    /// Ordered by time.
    pub(crate) readings: &'a [Reading],
    /// Where the draws of its intervals begin.
    pub(crate) seed: Seed,
}

/// The measured part of a stage, in milliseconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
}

impl Window {
    /// Returns the window from the end of the warm-up to the end of the load.
    ///
    /// The load of a stage that a count ended is over when its last op is; in the open model, when the next arrival would
    /// have been due. A stage that did not complete has its load end when its last op began: clients are never all silent
    /// for long, and of what they still waited for after a stop, the grace, no rate may be taken.
    fn of(input: &StageInput<'_>) -> Self {
        let planned = input.plan.duration.as_millis();
        let end_ms = match input.record.outcome {
            StageOutcome::Completed => ended_by_count(input).map_or(planned, |end_ms| end_ms.min(planned)),
            StageOutcome::Interrupted | StageOutcome::Failed { .. } => {
                last_due_ms(input.samples).min(planned)
            }
        };
        Self { start_ms: input.plan.warm_up.as_millis().min(end_ms), end_ms }
    }

    /// Returns whether an instant, in nanoseconds since the stage's start, lies within: start included, end not.
    pub(crate) fn contains(self, ns: u64) -> bool {
        let (start, end) = self.ends_ns();
        (start..end).contains(&ns)
    }

    /// Returns both ends in nanoseconds since the stage's start.
    pub(crate) fn ends_ns(self) -> (u64, u64) {
        (self.start_ms.saturating_mul(MS), self.end_ms.saturating_mul(MS))
    }

    /// Returns the window's length in seconds.
    #[expect(clippy::cast_precision_loss, reason = "a stage lasts days at most")]
    pub(crate) fn seconds(self) -> f64 {
        (self.end_ms - self.start_ms) as f64 / 1000.0
    }
}

/// Returns when the load of a stage was over that had begun all the ops it may, in whole milliseconds rounded up, so that
/// every op was due before; none for a stage that only time ended.
fn ended_by_count(input: &StageInput<'_>) -> Option<u64> {
    let StageInput { plan, record, samples, .. } = input;
    let begun = record.samples.saturating_add(record.honesty.lost_samples);
    plan.operations.filter(|operations| begun >= *operations)?;
    match &plan.arrivals {
        None => Some(samples.iter().map(|sample| sample.ended_ns).max()? / MS + 1),
        Some(arrivals) => Some(last_due_ms(samples).max(next_due_ms(plan, arrivals))),
    }
}

/// Returns when the last op was due, in whole milliseconds rounded up; 0 without any.
fn last_due_ms(samples: &[Sample]) -> u64 {
    samples.iter().map(|sample| sample.scheduled_ns).max().map_or(0, |scheduled_ns| scheduled_ns / MS + 1)
}

/// Returns when the arrival after the last one of a count would be due, in milliseconds: the time that constant arrivals
/// take is one gap longer than from the first to the last. At random, the last one is all that there is to go by; 0.
fn next_due_ms(plan: &StagePlan, arrivals: &ArrivalPlan) -> u64 {
    let Some(operations) = plan.operations.filter(|_| arrivals.arrival == Arrival::Constant) else {
        return 0;
    };
    let (mut before, mut after) = (0, plan.duration.as_millis());
    while before < after {
        let middle = before.midpoint(after);
        if arrivals.expected(Span::from_millis(middle).as_secs_f64()) < ratio(operations, 1) {
            before = middle + 1;
        } else {
            after = middle;
        }
    }
    after
}

/// Returns a stage's numbers and what they rest on.
pub(crate) fn analyze_stage(input: &StageInput<'_>, co_located: bool) -> AnalyzedStage {
    let StageInput { plan, record, position, samples, readings, seed } = *input;
    let window = Window::of(input);
    let ((total, total_evidence), ops) = operations(plan, window, samples, seed);
    let (ops, evidence): (Vec<_>, Vec<_>) = ops.into_iter().unzip();
    let jobs = job_shares(plan, window, samples);
    let analysis = StageAnalysis {
        stage: record.stage,
        clients: u32::try_from(plan.clients.len()).unwrap_or(u32::MAX),
        arrivals: plan.arrivals.clone(),
        transport: plan.transport.clone(),
        product: record.product,
        probed_load: record.probe.as_ref().map(|probe| probe.load),
        faults: plan.faults.clone(),
        workload: plan.workload.clone(),
        mix: plan.mix,
        position,
        started_unix_ns: record.started_unix_ns,
        window_start_ms: window.start_ms,
        window_end_ms: window.end_ms,
        planned_ms: plan.duration.as_millis(),
        outcome: record.outcome.clone(),
        stamps: stamps(record, samples.len(), co_located)
            .into_iter()
            .chain((!plan.faults.is_empty()).then_some(Stamp::Disturbed))
            .collect(),
        honesty: record.honesty.clone(),
        total,
        ops,
        mix_p_value: mix_p_value(plan.mix, &jobs),
        jobs,
        timeline: timeline(plan, window, samples),
        metrics: series(readings, window, plan.grace),
    };
    let evidence = std::iter::once(total_evidence).chain(evidence).collect();
    AnalyzedStage { analysis, evidence }
}

/// Returns nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
pub(crate) fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

const MS: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use e3_model::{Arrivals, Fault, Outcome};

    use super::*;
    use crate::fixture::{MS as MILLISECOND, arrivals, record, sample, stage_plan, stage_ref};

    fn input<'a>(plan: &'a StagePlan, record: &'a StageRecord, samples: &'a [Sample]) -> StageInput<'a> {
        StageInput { plan, record, position: 0, samples, readings: &[], seed: Seed(1) }
    }

    fn analyzed(outcome: StageOutcome, samples: &[Sample]) -> StageAnalysis {
        let plan = stage_plan(4);
        let mut record = record(stage_ref(0, 0));
        record.outcome = outcome;
        record.samples = samples.len() as u64;
        analyze_stage(&input(&plan, &record, samples), true).analysis
    }

    #[test]
    fn only_ops_that_were_due_in_the_window_count() {
        let at = |scheduled_ms: u64, ended_ms: u64| {
            sample(0, 0, scheduled_ms * MILLISECOND, ended_ms * MILLISECOND)
        };
        let samples = [
            at(900, 999),   // in the warm-up
            at(1000, 1100), // the first that counts
            at(999, 1500),  // due in the warm-up, ended in the window
            at(6000, 6100), // due after the end
            at(5999, 7000), // due in the window, ended within the grace
        ];
        let stage = analyzed(StageOutcome::Completed, &samples);
        assert_eq!((stage.window_start_ms, stage.window_end_ms), (1000, 6000));
        assert_eq!((stage.total.count, stage.total.ok), (2, 2));
        assert!((stage.total.rate_per_s - 2.0 / 5.0).abs() < 1e-12);
        let latency = stage.total.latency.unwrap();
        assert_eq!((latency.min_ms, latency.max_ms), (100.0, 1001.0));
        assert_eq!(stage.stamps, [Stamp::CoLocated]);
    }

    #[test]
    fn a_stage_that_a_count_ended_lasts_until_its_last_op_ended() {
        let mut plan = stage_plan(4);
        plan.warm_up = Span::ZERO;
        let samples: Vec<Sample> =
            (0..4).map(|client| sample(client, 0, 0, u64::from(client + 1) * 500 * MILLISECOND)).collect();
        let mut window = |operations: Option<u64>, recorded: u64, lost: u64| {
            let mut record = record(stage_ref(0, 0));
            (record.samples, record.honesty.lost_samples) = (recorded, lost);
            plan.operations = operations;
            let stage = analyze_stage(&input(&plan, &record, &samples), true).analysis;
            (stage.window_end_ms, stage.total.ok)
        };
        assert_eq!(window(Some(4), 4, 0), (2_001, 4), "all were due at once; the last took 2 s");
        assert_eq!(window(Some(5), 4, 1), (2_001, 4), "one was lost on the way, but had begun");
        assert_eq!(window(Some(9), 4, 0), (6_000, 4), "time ended it before the count did");
        assert_eq!(window(None, 4, 0), (6_000, 4), "only time ends it");
    }

    #[test]
    fn an_open_stage_that_a_count_ended_lasts_until_the_next_arrival_would_be_due() {
        let mut plan = stage_plan(4);
        plan.warm_up = Span::ZERO;
        plan.operations = Some(4);
        // Four a second; the last one takes two.
        let samples: Vec<Sample> = (0..4)
            .map(|arrival| {
                let due = u64::from(arrival) * 250 * MILLISECOND;
                Sample { iteration: arrival, ..sample(0, 0, due, due + 2_000 * MILLISECOND) }
            })
            .collect();
        let mut record = record(stage_ref(0, 0));
        record.samples = 4;
        let mut window_end = |arrival| {
            plan.arrivals = Some(ArrivalPlan { arrival, ..arrivals(4.0) });
            let stage = analyze_stage(&input(&plan, &record, &samples), true).analysis;
            assert_eq!((stage.total.ok, stage.iterations(), stage.total.rate_interval), (4, 4, None));
            (stage.window_end_ms, stage.load().to_string())
        };
        assert_eq!(window_end(Arrival::Constant), (1_000, "4/s".to_owned()), "four ops in one second");
        assert_eq!(window_end(Arrival::Poisson), (751, "4/s (Poisson)".to_owned()), "the last that was due");
    }

    #[test]
    fn what_an_open_stage_never_began_is_due_and_counted() {
        // A hundred a second were due for six seconds; from the fourth on, every client was busy.
        let mut plan = stage_plan(4);
        plan.arrivals = Some(arrivals(100.0));
        let samples: Vec<Sample> = (0..600_u32)
            .map(|arrival| {
                let due = u64::from(arrival) * 10 * MILLISECOND;
                let never = arrival >= 400;
                let ended = if never { 6_000 * MILLISECOND } else { due + 20 * MILLISECOND };
                let outcome = if never { Outcome::Cancelled } else { Outcome::Ok };
                Sample { iteration: arrival, outcome, ..sample(0, 0, due, ended) }
            })
            .collect();
        let mut record = record(stage_ref(0, 0));
        (record.samples, record.honesty.arrivals) =
            (600, Some(Arrivals { due: 600, late: 200, unstarted: 200, ..Arrivals::default() }));
        let stage = analyze_stage(&input(&plan, &record, &samples), false).analysis;
        assert_eq!((stage.total.count, stage.total.cancelled, stage.due()), (300, 200, 500));
        assert_eq!((stage.iterations(), stage.total.errors.len()), (500, 0), "cancelled is no error");
        assert!((stage.total.rate_per_s - 60.0).abs() < 1e-9, "of the hundred that were due");
        let latency = stage.total.latency.unwrap();
        assert_eq!(latency.p95_ms, Some(20.0), "the successes are as fast as ever");
        let all_due = stage.total.all_due.unwrap();
        assert_eq!(all_due.p50, Some(e3_model::Bound { ms: 20.0, at_least: true }));
        assert_eq!(all_due.p95, Some(e3_model::Bound { ms: 1_750.0, at_least: true }));
        assert_eq!(stage.stamps, [Stamp::ConcurrencyBound]);
    }

    #[test]
    fn a_stage_that_was_disturbed_says_so() {
        let mut plan = stage_plan(4);
        plan.faults = vec![Fault { slots: Some(2), ..Fault::default() }];
        let record = record(stage_ref(0, 0));
        let stage = analyze_stage(&input(&plan, &record, &[]), false).analysis;
        assert_eq!((stage.faults, stage.stamps), (plan.faults, vec![Stamp::Disturbed]));
    }

    #[test]
    fn an_interrupted_stage_counts_only_its_actual_time() {
        // Stopped at 3 s; one op was then under way, and had all of the grace.
        let cut =
            Sample { outcome: Outcome::Cancelled, ..sample(0, 0, 2_999 * MILLISECOND, 8_000 * MILLISECOND) };
        let samples = [sample(1, 0, 1_500 * MILLISECOND, 2_000 * MILLISECOND), cut];
        let stage = analyzed(StageOutcome::Interrupted, &samples);
        assert_eq!((stage.window_start_ms, stage.window_end_ms, stage.planned_ms), (1000, 3000, 6000));
        assert_eq!((stage.total.count, stage.total.cancelled), (1, 1));
        assert!((stage.total.rate_per_s - 0.5).abs() < 1e-12);
        assert_eq!(stage.stamps, [Stamp::CoLocated, Stamp::Incomplete]);

        let early = analyzed(StageOutcome::Interrupted, &[sample(1, 0, 0, 400 * MILLISECOND)]);
        assert_eq!((early.window_start_ms, early.window_end_ms, early.total.count), (1, 1, 0));
        assert_eq!(early.total.rate_interval, None, "no time, no rate");
    }
}
