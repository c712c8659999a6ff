//! Histograms of latencies that can be merged: a hundred buckets to each power of ten.

use std::collections::BTreeMap;

use crate::Quantile;

/// Counts of latencies in buckets that are 2.3 % wide each; for live displays and for merging what workers saw.
///
/// Its quantiles are the middle of a bucket, so within 1.2 % of the exact ones: nothing that a report shows.
///
/// Source: G. Tene's HdrHistogram, for the idea that counts of equal relative width merge without loss.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LatencyHistogram {
    counts: BTreeMap<u16, u64>,
    total: u64,
}

impl LatencyHistogram {
    /// Counts one latency in nanoseconds.
    pub fn record(&mut self, latency_ns: u64) {
        *self.counts.entry(bucket(latency_ns)).or_default() += 1;
        self.total += 1;
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.counts {
            *self.counts.entry(*bucket).or_default() += count;
        }
        self.total += other.total;
    }

    /// Returns how many latencies were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Returns a quantile in nanoseconds; none without enough latencies, see [`Quantile::is_supported`].
    pub fn quantile_ns(&self, quantile: Quantile) -> Option<u64> {
        if !quantile.is_supported(self.total) {
            return None;
        }
        let mut rest = quantile.rank(self.total)?;
        for (bucket, count) in &self.counts {
            if rest <= *count {
                return Some(middle_ns(*bucket));
            }
            rest -= count;
        }
        None
    }
}

/// 64 bits of nanoseconds have fewer than 20 powers of ten.
#[expect(clippy::cast_precision_loss, reason = "a bucket is far wider than the rounding")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1,927")]
fn bucket(latency_ns: u64) -> u16 {
    ((latency_ns.max(1) as f64).log10() * PER_DECADE).floor() as u16
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^64 by construction")]
fn middle_ns(bucket: u16) -> u64 {
    10_f64.powf((f64::from(bucket) + 0.5) / PER_DECADE) as u64
}

const PER_DECADE: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(latencies: impl IntoIterator<Item = u64>) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        latencies.into_iter().for_each(|latency| histogram.record(latency));
        histogram
    }

    #[test]
    fn quantiles_are_near_the_exact_ones() {
        let histogram = of((1..=10_000).map(|n| n * 1_000));
        for (quantile, exact) in
            [(Quantile::P50, 5_000_000.0), (Quantile::P95, 9_500_000.0), (Quantile::P99, 9_900_000.0)]
        {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let found = histogram.quantile_ns(quantile).unwrap() as f64;
            assert!((found / exact - 1.0).abs() < 0.012, "{quantile:?}: {found}");
        }
    }

    #[test]
    fn merging_is_counting_both() {
        let mut merged = of([5, 70, 900, u64::MAX]);
        merged.merge(&of([0, 1, 8_000_000_000]));
        assert_eq!(merged, of([5, 70, 900, u64::MAX, 0, 1, 8_000_000_000]));
        assert_eq!(merged.count(), 7);
    }

    #[test]
    fn too_few_say_nothing() {
        assert_eq!(of([1; 9]).quantile_ns(Quantile::P50), None);
        assert!(of([1_000; 10]).quantile_ns(Quantile::P50).is_some());
        assert_eq!(LatencyHistogram::default().quantile_ns(Quantile::P50), None);
    }
}
