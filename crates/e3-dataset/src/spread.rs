//! Sizes, spread evenly or as a log-normal distribution has them.
//!
//! Sums, products, quotients and halving only: a library's `exp` or `powf` may round differently elsewhere, and every
//! commit id depends on these numbers.

use e3_model::Sizes;

/// Returns `count` sizes from `smallest` to `largest`, ascending; a single one is the smallest.
pub(crate) fn sizes(spread: Sizes, smallest: u32, largest: u32, count: u32) -> Vec<u32> {
    match spread {
        Sizes::Even => even(smallest, largest, count),
        Sizes::LogNormal => log_normal_sizes(smallest, largest, count),
    }
}

/// Returns the size that a share `chance` of all is smaller than, where half are smaller than `median`; `sigma` is the
/// standard deviation of the natural logarithm.
pub(crate) fn log_normal(median: f64, sigma: f64, chance: f64) -> f64 {
    median * exp(sigma * quantile(chance))
}

/// Sizes with the same ratio between neighbours, which is found by halving.
fn even(smallest: u32, largest: u32, count: u32) -> Vec<u32> {
    let steps = count.saturating_sub(1);
    let (low, high) = (f64::from(smallest), f64::from(largest));
    let power = |ratio: f64| (0..steps).fold(low, |size, _| size * ratio);
    let (mut below, mut above) = (1.0, high / low);
    for _ in 0..64 {
        let middle = (below + above) / 2.0;
        if power(middle) <= high { below = middle } else { above = middle }
    }
    let mut size = low;
    let mut sizes = Vec::with_capacity(count as usize);
    for step in 0..count {
        // The largest repository is as large as asked, whatever the ratio's last bit says.
        sizes.push(if step > 0 && step == steps { largest } else { rounded(size).clamp(smallest, largest) });
        size *= below;
    }
    sizes
}

/// The quantiles at (i + 1/2) / n of the log-normal distribution whose first and last of them are the two ends.
fn log_normal_sizes(smallest: u32, largest: u32, count: u32) -> Vec<u32> {
    if count == 1 {
        return vec![smallest];
    }
    let (low, high) = (f64::from(smallest), f64::from(largest));
    let at = |step: u32| quantile((f64::from(step) + 0.5) / f64::from(count));
    let last = count.saturating_sub(1);
    let (middle, reach) = ((ln(low) + ln(high)) / 2.0, (ln(high) - ln(low)) / 2.0 / at(last));
    let size = |step: u32| match step {
        0 => smallest,
        _ if step == last => largest,
        _ => rounded(exp(middle + reach * at(step))).clamp(smallest, largest),
    };
    (0..count).map(size).collect()
}

/// Returns the nearest whole number; 0 for negative ones.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is rounded here lies far within u32, and `as` saturates"
)]
pub(crate) fn rounded(size: f64) -> u32 {
    size.round() as u32
}

/// Returns e to the power of `x`, for an `x` of some tens at most.
fn exp(x: f64) -> f64 {
    let small = x / 1024.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for order in 1..=12_u32 {
        term = term * small / f64::from(order);
        sum += term;
    }
    (0..10).fold(sum, |power, _| power * power)
}

/// Returns the natural logarithm of a positive `x`, by Halley's method.
fn ln(x: f64) -> f64 {
    let mut y = 0.0;
    for _ in 0..40 {
        let power = exp(y);
        y += 2.0 * (x - power) / (x + power);
    }
    y
}

/// Returns what a share `chance` of the standard normal distribution lies below, from -6 to 6.
fn quantile(chance: f64) -> f64 {
    let (mut below, mut above) = (-6.0, 6.0);
    for _ in 0..60 {
        let middle = (below + above) / 2.0;
        if cumulative(middle) <= chance { below = middle } else { above = middle }
    }
    (below + above) / 2.0
}

/// Returns the share of the standard normal distribution that lies below `z`.
///
/// Source: G. Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11(4), 2004.
fn cumulative(z: f64) -> f64 {
    let (mut term, mut sum) = (z, z);
    for order in 1..100_u32 {
        term = term * z * z / f64::from(2 * order + 1);
        sum += term;
    }
    0.5 + sum * exp(-z * z / 2.0) / SQRT_OF_TAU
}

/// The square root of 2 pi.
const SQRT_OF_TAU: f64 = 2.506_628_274_631_000_5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_sizes_have_the_same_ratio() {
        let even = |smallest, largest, count| sizes(Sizes::Even, smallest, largest, count);
        assert_eq!(even(50, 1000, 8), [50, 77, 118, 181, 277, 425, 652, 1000]);
        assert_eq!(even(10, 10, 3), [10, 10, 10]);
        assert_eq!(even(7, 900, 1), [7], "one repository is the smallest");
        assert_eq!(even(1, 1_000_000, 3), [1, 1000, 1_000_000]);
    }

    #[test]
    fn log_normal_sizes_are_most_near_the_middle() {
        let log_normal = |smallest, largest, count| sizes(Sizes::LogNormal, smallest, largest, count);
        let team = log_normal(50, 3000, 16);
        // Source: Python 3.12, exp(middle + reach * statistics.NormalDist().inv_cdf((i + 0.5) / 16)).
        assert_eq!(team, [50, 91, 128, 165, 205, 249, 298, 355, 422, 503, 603, 732, 909, 1175, 1649, 3000]);
        assert_eq!(log_normal(10, 10, 3), [10, 10, 10]);
        assert_eq!(log_normal(7, 900, 1), [7]);
        assert_eq!(log_normal(1, 1_000_000, 3), [1, 1000, 1_000_000]);
    }

    #[test]
    fn functions_agree_with_published_values() {
        // Source: Abramowitz and Stegun, tables 4.4 and 26.1, and Python 3.12's statistics.NormalDist.
        let cases = [
            (exp(1.0), std::f64::consts::E, "e"),
            (exp(-10.0), 4.539_992_976_248_485e-5, "exp -10"),
            (ln(2.0), std::f64::consts::LN_2, "ln 2"),
            (ln(3e6), 14.914_122_846_632_385, "ln 3,000,000"),
            (cumulative(1.96), 0.975_002_104_851_779_7, "P(1.96)"),
            (quantile(0.975), 1.959_963_984_540_054, "the quantile of 97.5 %"),
            (quantile(0.5), 0.0, "the median"),
            (log_normal(1000.0, 1.0, 0.841_344_746_068_542_9), 2_718.281_828_459_045, "one deviation above"),
        ];
        for (found, expected, what) in cases {
            assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{what}: {found} {expected}");
        }
    }
}
