//! A stage's last seconds, for the live display.

use std::collections::VecDeque;

use e3_load::Batch;
use e3_stats::{LatencyHistogram, Quantile};

use crate::Recent;

/// What batches of the last seconds held.
#[derive(Debug, Default)]
pub(crate) struct LastSeconds {
    batches: VecDeque<(f64, u64, u64, LatencyHistogram)>,
}

impl LastSeconds {
    /// Adds a batch that arrived so many seconds after the stage's start, and returns how it has gone lately.
    pub(crate) fn add(&mut self, elapsed_s: f64, batch: &Batch) -> Recent {
        self.batches.push_back((elapsed_s, batch.ok, batch.errors, batch.latencies.clone()));
        while self.batches.front().is_some_and(|(at, ..)| *at < elapsed_s - SPAN_S) {
            self.batches.pop_front();
        }
        let (mut ok, mut errors, mut latencies) = (0, 0, LatencyHistogram::default());
        for (_, batch_ok, batch_errors, seen) in &self.batches {
            ok += batch_ok;
            errors += batch_errors;
            latencies.merge(seen);
        }
        let percentile = |quantile| latencies.quantile_ns(quantile).map(|ns| to_f64(ns) / 1e6);
        Recent {
            rate_per_s: to_f64(ok) / elapsed_s.clamp(0.1, SPAN_S),
            error_rate: (ok + errors > 0).then(|| to_f64(errors) / to_f64(ok + errors)),
            p50_ms: percentile(Quantile::P50),
            p99_ms: percentile(Quantile::P99),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for the display")]
fn to_f64(value: u64) -> f64 {
    value as f64
}

/// How much of the past counts as lately, in seconds.
const SPAN_S: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(ok: u64, errors: u64) -> Batch {
        let mut latencies = LatencyHistogram::default();
        (0..ok).for_each(|_| latencies.record(2_000_000));
        let segment = Default::default();
        Batch { sequence: 0, segment, samples: ok + errors, ok, errors, max_latency_ns: 2_000_000, latencies }
    }

    #[test]
    fn only_the_last_seconds_count() {
        let mut last = LastSeconds::default();
        last.add(1.0, &batch(1_000, 0));
        let recent = last.add(2.0, &batch(1_000, 0));
        assert!((recent.rate_per_s - 1_000.0).abs() < 1e-9, "{recent:?}");
        let later = last.add(9.0, &batch(40, 10));
        assert!((later.rate_per_s - 8.0).abs() < 1e-9, "{later:?}");
        assert_eq!(later.error_rate, Some(0.2));
        assert!((later.p50_ms.unwrap() - 2.0).abs() < 0.03);
        assert_eq!(later.p99_ms, None, "40 successes say nothing about it");
    }
}
