//! Exact percentiles and means of whole numbers.

/// A quantile as a whole number of millionths, so that ranks are computed without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantile(u32);

impl Quantile {
    /// The median.
    pub const P50: Self = Self(500_000);
    /// The 90th percentile.
    pub const P90: Self = Self(900_000);
    /// The 95th percentile.
    pub const P95: Self = Self(950_000);
    /// The 99th percentile.
    pub const P99: Self = Self(990_000);
    /// The 99.9th percentile.
    pub const P999: Self = Self(999_000);

    /// Returns the quantile of so many millionths; none unless 0 < `millionths` < 1,000,000.
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths == 0 || millionths >= WHOLE { None } else { Some(Self(millionths)) }
    }

    /// Returns the 1-based rank of the quantile among `count` ordered values: ⌈count × p⌉; none without values.
    pub fn rank(self, count: u64) -> Option<u64> {
        if count == 0 {
            return None;
        }
        let rank = (u128::from(count) * u128::from(self.0)).div_ceil(u128::from(WHOLE));
        u64::try_from(rank).ok()
    }

    /// Returns whether `count` values say enough about the quantile: count × (1 − p) ≥ 5.
    ///
    /// Below that, fewer than five values lie beyond it, and one straggler more or less moves it at will.
    pub fn is_supported(self, count: u64) -> bool {
        u128::from(count) * u128::from(WHOLE - self.0) >= BEYOND * u128::from(WHOLE)
    }

    /// Returns the share of values beyond the quantile, between 0 and 1.
    pub fn beyond(self) -> f64 {
        f64::from(WHOLE - self.0) / f64::from(WHOLE)
    }

    /// Returns the share of values at or below the quantile, between 0 and 1.
    pub(crate) fn share(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// Returns how many values the quantile needs: ⌈5 ÷ (1 − p)⌉.
    pub fn needed(self) -> u64 {
        u64::try_from((BEYOND * u128::from(WHOLE)).div_ceil(u128::from(WHOLE - self.0))).unwrap_or(u64::MAX)
    }
}

/// Returns the quantile of ascending values by nearest rank: a value that was observed; none without values.
///
/// Source: R. J. Hyndman, Y. Fan: Sample Quantiles in Statistical Packages, The American Statistician 50 (1996),
/// definition 1; numpy's `inverted_cdf`.
pub fn nearest_rank(ascending: &[u64], quantile: Quantile) -> Option<u64> {
    let rank = quantile.rank(u64::try_from(ascending.len()).ok()?)?;
    ascending.get(usize::try_from(rank.checked_sub(1)?).ok()?).copied()
}

/// Returns the quantile of ascending values as [`nearest_rank`] does, but none where [`Quantile::is_supported`] says
/// that there are too few.
pub fn percentile(ascending: &[u64], quantile: Quantile) -> Option<u64> {
    if quantile.is_supported(u64::try_from(ascending.len()).ok()?) {
        nearest_rank(ascending, quantile)
    } else {
        None
    }
}

/// Returns the arithmetic mean, from an exact sum; none without values.
#[expect(clippy::cast_precision_loss, reason = "the quotient is rounded to a double anyway")]
pub fn mean(values: &[u64]) -> Option<f64> {
    let sum: u128 = values.iter().copied().map(u128::from).sum();
    (!values.is_empty()).then(|| sum as f64 / values.len() as f64)
}

const WHOLE: u32 = 1_000_000;
const BEYOND: u128 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranks_are_the_textbooks() {
        // Source: numpy 2, `np.percentile(values, p, method="inverted_cdf")` on [15, 20, 35, 40, 50].
        let values = [15, 20, 35, 40, 50];
        for (millionths, expected) in
            [(50_000, 15), (300_000, 20), (400_000, 20), (500_000, 35), (999_999, 50)]
        {
            let quantile = Quantile::from_millionths(millionths).unwrap();
            assert_eq!(nearest_rank(&values, quantile), Some(expected), "{millionths} millionths");
        }
        // 0.07 × 100 is 7.000000000000001 in doubles; the rank is 7 all the same.
        assert_eq!(Quantile::from_millionths(70_000).unwrap().rank(100), Some(7));
    }

    #[test]
    fn a_percentile_needs_five_values_beyond_it() {
        for (quantile, needed) in [
            (Quantile::P50, 10),
            (Quantile::P90, 50),
            (Quantile::P95, 100),
            (Quantile::P99, 500),
            (Quantile::P999, 5000),
        ] {
            assert_eq!(quantile.needed(), needed);
            let values: Vec<u64> = (1..=needed).collect();
            assert!(percentile(&values, quantile).is_some());
            assert_eq!(percentile(&values[1..], quantile), None);
        }
    }

    #[test]
    fn nothing_has_no_percentile_and_no_mean() {
        assert_eq!(nearest_rank(&[], Quantile::P50), None);
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[u64::MAX, u64::MAX]), Some(18_446_744_073_709_551_615.0));
        assert_eq!(Quantile::from_millionths(0), None);
        assert_eq!(Quantile::from_millionths(1_000_000), None);
    }

    proptest! {
        /// The definition itself: the smallest value with at least a share p of all values at or below it.
        #[test]
        fn nearest_rank_is_the_smallest_value_that_covers_its_share(
            mut values in prop::collection::vec(0_u64..1000, 1..300),
            millionths in 1_u32..1_000_000,
        ) {
            values.sort_unstable();
            let quantile = Quantile::from_millionths(millionths).unwrap();
            let found = nearest_rank(&values, quantile).unwrap();
            let covered = |value: u64| {
                let at_or_below = values.iter().filter(|&&v| v <= value).count() as u128;
                at_or_below * 1_000_000 >= u128::from(millionths) * values.len() as u128
            };
            prop_assert!(covered(found));
            if let Some(&smaller) = values.iter().rev().find(|&&v| v < found) {
                prop_assert!(!covered(smaller));
            }
        }
    }
}
