//! Two-sided intervals around counts and shares.

use crate::gamma;

/// The level of every interval of this crate.
pub const LEVEL: f64 = 0.95;

/// A two-sided interval at [`LEVEL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Returns the interval around the rate of `count` events in `seconds`, in events per second; none unless `seconds` is
/// finite and above 0, and `dispersion` finite and at least 1.
///
/// `dispersion` is how many times larger the variance of the count is than its mean: 1 for independent events, more for
/// events that come in bursts, such as the ops of one iteration. The interval is that of count ÷ dispersion independent
/// bursts, which is as wide as the normal interval with that variance, and not symmetrical where bursts are few.
///
/// Source: F. Garwood: Fiducial Limits for the Poisson Distribution, Biometrika 28 (1936), exact up to 10,000 events;
/// above, Byar's approximation (N. E. Breslow, N. E. Day: Statistical Methods in Cancer Research II, 1987, p. 69),
/// which is then within a millionth of it.
pub fn poisson_rate(count: u64, dispersion: f64, seconds: f64) -> Option<Interval> {
    if !(seconds.is_finite() && seconds > 0.0 && dispersion.is_finite() && dispersion >= 1.0) {
        return None;
    }
    let bursts = as_f64(count) / dispersion;
    let (low, high) = if bursts <= EXACT { garwood(bursts) } else { byar(bursts) };
    Some(Interval { low: dispersion * low / seconds, high: dispersion * high / seconds })
}

/// Returns Wilson's score interval around the share `count` ÷ `total`, within 0 to 1; none without a total.
///
/// Source: E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference, Journal of the American
/// Statistical Association 22 (1927), without continuity correction.
pub fn wilson(count: u64, total: u64) -> Option<Interval> {
    if total == 0 || count > total {
        return None;
    }
    let n = as_f64(total);
    let share = as_f64(count) / n;
    let z2 = Z * Z;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // At 0 and at 1 the formula's own end is exact, but not after rounding.
    let low = if count == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if count == total { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { low, high })
}

/// Returns the interval around the difference of two independent shares, the first less the second, within −1 to 1; none
/// when either has no total.
///
/// Source: R. G. Newcombe: Interval Estimation for the Difference Between Independent Proportions, Statistics in Medicine
/// 17 (1998), method 10: Wilson's intervals, combined.
pub fn share_difference(first: (u64, u64), second: (u64, u64)) -> Option<Interval> {
    let (own, other) = (wilson(first.0, first.1)?, wilson(second.0, second.1)?);
    let (share, other_share) = (as_f64(first.0) / as_f64(first.1), as_f64(second.0) / as_f64(second.1));
    let difference = share - other_share;
    let below = (share - own.low).hypot(other.high - other_share);
    let above = (own.high - share).hypot(other_share - other.low);
    Some(Interval { low: difference - below, high: difference + above })
}

/// The ends are the means at which so few, or so many, events would be seen in one of forty cases.
fn garwood(count: f64) -> (f64, f64) {
    let tail = (1.0 - LEVEL) / 2.0;
    let reach = 10.0 + 6.0 * count.sqrt();
    let low =
        if count == 0.0 { 0.0 } else { bisect(0.0, count, |mean| 1.0 - gamma::upper(count, mean) < tail) };
    let high = bisect(count, count + reach, |mean| gamma::upper(count + 1.0, mean) > tail);
    (low, high)
}

/// Returns where `is_below` turns false, to the last bit or so.
fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = low.midpoint(high);
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.midpoint(high)
}

fn byar(count: f64) -> (f64, f64) {
    let end = |n: f64, sign: f64| n * (1.0 - 1.0 / (9.0 * n) + sign * Z / (3.0 * n.sqrt())).powi(3);
    (end(count, -1.0), end(count + 1.0, 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 have no meaning to the last digit")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// The standard normal quantile of 0.975.
const Z: f64 = 1.959_963_984_540_054;
const EXACT: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_agree_with_scipy() {
        // Source: scipy 1.17.1, `chi2.ppf(.025, 2*k)/2` and `chi2.ppf(.975, 2*k+2)/2`.
        for (count, low, high) in [
            (0, 0.0, 3.688_879_454_113_935_4),
            (1, 0.025_317_807_984_289_876, 5.571_643_390_938_898),
            (5, 1.623_486_390_118_420_7, 11.668_332_079_322_67),
            (42, 30.269_905_732_477_7, 56.771_798_778_490_65),
            (1000, 938.973_018_407_695_2, 1_063.952_136_016_302),
            (10_000, 9_804.952_467_260_184, 10_197.951_624_661_473),
            (10_001, 9_805.942_667_599_955, 10_198.961_423_833_132),
            (250_000, 249_020.965_504_321_24, 250_981.930_760_977_12),
        ] {
            let found = poisson_rate(count, 1.0, 1.0).unwrap();
            assert!((found.low - low).abs() <= 1e-6 * low.max(1e-3), "{count}: {found:?}");
            assert!((found.high - high).abs() <= 1e-6 * high, "{count}: {found:?}");
        }
        let half = poisson_rate(42, 1.0, 5.0).unwrap();
        assert!((half.low * 5.0 - 30.269_905_732_477_7).abs() < 1e-6);
        assert_eq!(poisson_rate(3, 1.0, 0.0), None);
        assert_eq!(poisson_rate(3, 1.0, f64::NAN), None);
        assert_eq!(poisson_rate(3, 0.5, 1.0), None);
    }

    #[test]
    fn bursts_widen_the_interval() {
        // 42 bursts of ten events each: ten times the interval of 42 events.
        let (bursts, single) = (poisson_rate(420, 10.0, 1.0).unwrap(), poisson_rate(42, 1.0, 1.0).unwrap());
        assert!(
            (bursts.low - 10.0 * single.low).abs() < 1e-9 && (bursts.high - 10.0 * single.high).abs() < 1e-9
        );
        // Far from 0 it is the normal interval with that variance: 1.96 times the root of 4 × 250,000.
        let wide = poisson_rate(250_000, 4.0, 1.0).unwrap();
        assert!((wide.high - wide.low - 2.0 * 1_960.0).abs() < 10.0, "{wide:?}");
    }

    #[test]
    fn shares_agree_with_scipy() {
        // Source: scipy 1.17.1, `binomtest(k, n).proportion_ci(method="wilson")`.
        for (count, total, low, high) in [
            (0, 10, 0.0, 0.277_532_799_862_889_26),
            (3, 100, 0.010_254_524_024_038_925, 0.084_519_364_290_527_62),
            (5, 5, 0.565_517_535_216_825_1, 1.0),
            (263, 1000, 0.236_656_859_791_078_37, 0.291_157_023_731_074_7),
        ] {
            let found = wilson(count, total).unwrap();
            assert!(
                (found.low - low).abs() < 1e-12 && (found.high - high).abs() < 1e-12,
                "{count}/{total}: {found:?}"
            );
        }
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(2, 1), None);
    }

    #[test]
    fn differences_of_shares_agree_with_statsmodels() {
        // Source: statsmodels 0.15.0, `confint_proportions_2indep(k1, n1, k2, n2, method="newcomb")`.
        for (first, second, low, high) in [
            ((56, 70), (48, 80), 0.052_431_472_402_364_98, 0.333_872_654_036_906_14),
            ((9, 10), (3, 10), 0.170_522_723_934_502_9, 0.809_017_973_535_488),
            ((0, 500), (7, 500), -0.028_613_069_137_785_295, -0.003_511_797_133_419_808_7),
            ((10, 10), (0, 20), 0.679_086_037_141_914_5, 1.0),
        ] {
            let found = share_difference(first, second).unwrap();
            assert!((found.low - low).abs() < 1e-12 && (found.high - high).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(share_difference((0, 0), (1, 2)), None);
    }
}
