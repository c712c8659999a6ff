//! Latency of every op that was due: successes as they are, all others by what they took at least.

use e3_model::{Bound, BoundedLatency, Outcome, Span};
use e3_stats::{Quantile, percentile};

use crate::cycle::Counted;
use crate::stage::milliseconds;

/// Returns the percentiles over a whole population, none where every op in it succeeded; and how long the ops had waited
/// that were cut off or never begun, in nanoseconds.
///
/// A failure gave no answer, so it counts as at least the op's time-out, however soon it came.
pub(crate) fn bounded(population: &[Counted<'_>], op_timeout: Span) -> (Option<BoundedLatency>, Vec<u64>) {
    let time_out = op_timeout.as_millis().saturating_mul(1_000_000);
    let (mut exact, mut bounds, mut unfinished) = (Vec::new(), Vec::new(), Vec::new());
    for sample in population.iter().map(|own| own.sample) {
        let waited = sample.latency_ns();
        match sample.outcome {
            Outcome::Ok => exact.push(waited),
            Outcome::Cancelled => unfinished.push(waited),
            _ => bounds.push(waited.max(time_out)),
        }
    }
    bounds.extend(&unfinished);
    if bounds.is_empty() {
        return (None, unfinished);
    }
    let ranked = Ranked::of(exact, &bounds);
    let at = |quantile| ranked.at(quantile).map(|(ns, at_least)| Bound { ms: milliseconds(ns), at_least });
    let percentiles = BoundedLatency {
        p50: at(Quantile::P50),
        p90: at(Quantile::P90),
        p95: at(Quantile::P95),
        p99: at(Quantile::P99),
        p999: at(Quantile::P999),
    };
    (Some(percentiles), unfinished)
}

/// Values of which some are only lower bounds.
pub(crate) struct Ranked {
    /// Values and bounds together, ascending.
    values: Vec<u64>,
    /// The smallest bound; none where every value is known.
    least_bound: Option<u64>,
}

impl Ranked {
    /// Returns values that are known and values that are at least so large, in one order.
    pub(crate) fn of(mut known: Vec<u64>, bounds: &[u64]) -> Self {
        known.extend(bounds);
        known.sort_unstable();
        Self { values: known, least_bound: bounds.iter().copied().min() }
    }

    /// Returns the values, ascending.
    pub(crate) fn values(&self) -> &[u64] {
        &self.values
    }

    /// Returns a percentile, and whether it is only a lower bound; none where too few values speak for it.
    ///
    /// Putting a value's lower bound in its place can only lower a percentile. It lowers none where no bound lies below
    /// it: what is above the percentile by its bound is above it in truth.
    pub(crate) fn at(&self, quantile: Quantile) -> Option<(u64, bool)> {
        let value = percentile(&self.values, quantile)?;
        let is_bound = self.least_bound.is_some_and(|bound| bound <= value);
        Some((value, is_bound))
    }
}

#[cfg(test)]
mod tests {
    use e3_model::Sample;

    use super::*;
    use crate::cycle::Cycles;
    use crate::fixture::{MS, sample, stage_plan};
    use crate::stage::Window;

    /// Percentiles of a thousand ops of 1 to 1,000 ms, of which these ended otherwise.
    fn found(otherwise: impl Fn(u64) -> Option<Outcome>) -> Option<BoundedLatency> {
        let samples: Vec<Sample> = (1..=1000_u64)
            .map(|ms| Sample {
                outcome: otherwise(ms).unwrap_or(Outcome::Ok),
                iteration: u32::try_from(ms).unwrap(),
                ..sample(0, 0, 0, ms * MS)
            })
            .collect();
        let window = Window { start_ms: 0, end_ms: 1000 };
        let cycles = Cycles::of(&stage_plan(1), window, &samples);
        bounded(&cycles.population(window, &samples), Span::from_secs(60)).0
    }

    fn of(ms: f64, at_least: bool) -> Option<Bound> {
        Some(Bound { ms, at_least })
    }

    #[test]
    fn a_percentile_below_every_bound_is_exact() {
        assert_eq!(found(|_| None), None, "all succeeded: the latency of successes says it");
        let cut_off = found(|ms| (ms > 960).then_some(Outcome::Cancelled)).unwrap();
        assert_eq!((cut_off.p50, cut_off.p95), (of(500.0, false), of(950.0, false)));
        assert_eq!(cut_off.p99, of(990.0, true), "it may have taken any longer");
        assert_eq!(cut_off.p999, None, "too few of a thousand");
        let early = found(|ms| (ms == 100).then_some(Outcome::Cancelled)).unwrap();
        assert_eq!(early.p50, of(500.0, true), "one that had waited 100 ms may belong above");
    }

    #[test]
    fn a_failure_counts_as_its_time_out_however_soon_it_came() {
        let failed = found(|ms| (ms <= 100).then_some(Outcome::Http5xx)).unwrap();
        assert_eq!(failed.p50, of(600.0, false));
        assert_eq!(failed.p90, of(1000.0, false));
        assert_eq!(failed.p95, of(60_000.0, true));
    }
}
