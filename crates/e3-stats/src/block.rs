//! Blocks of time: how long they must be so that one says little of the next, and how much a sum varies over them.

use crate::LEVEL;
use crate::normal::{normal_quantile, student_quantile};

/// Into how many slots of equal length a measured window is cut; a block is a run of neighbouring slots.
///
/// Enough for the rule of [`block_length`] to see what follows on what, few enough for a bootstrap in no time.
pub const SLOTS: usize = 160;

/// Returns the slot of an instant in a window, 0 to [`SLOTS`] − 1; what lies outside counts in the first or last.
pub fn slot_of(at: u64, window: std::ops::Range<u64>) -> u16 {
    let length = u128::from(window.end.saturating_sub(window.start).max(1));
    let into = u128::from(at.saturating_sub(window.start));
    u16::try_from(into * SLOTS as u128 / length).map_or(LAST, |slot| slot.min(LAST))
}

/// Returns how long the blocks of a circular block bootstrap of this series should be, in values of the series; at least
/// 1, and 1 where nothing varies.
///
/// Source: D. N. Politis, H. White: Automatic Block-Length Selection for the Dependent Bootstrap, Econometric Reviews 23
/// (2004), with the correction by A. Patton, D. N. Politis, H. White, ibid. 28 (2009); as in Python's `arch`.
pub fn block_length(series: &[f64]) -> f64 {
    let count = as_f64(series.len());
    let mean = series.iter().sum::<f64>() / count;
    let deviations: Vec<f64> = series.iter().map(|value| value - mean).collect();
    let Some(bandwidth) = bandwidth(&deviations) else { return 1.0 };
    let mut spectrum = covariance(&deviations, 0);
    let mut slope = 0.0;
    for lag in 1..=bandwidth {
        let share = as_f64(lag) / as_f64(bandwidth);
        // The flat-top window: whole up to half the bandwidth, then falling to nothing.
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        let covariance = covariance(&deviations, lag);
        slope += 2.0 * weight * as_f64(lag) * covariance;
        spectrum += 2.0 * weight * covariance;
    }
    let longest = (3.0 * count.sqrt()).min(count / 3.0).ceil();
    let length = (1.5 * (slope / spectrum).powi(2) * count).cbrt();
    if length.is_finite() { length.clamp(1.0, longest.max(1.0)) } else { longest.max(1.0) }
}

/// Returns up to which lag covariances count: twice the lag after which five in a row are too small to be told from
/// none; nothing where the series does not vary.
fn bandwidth(deviations: &[f64]) -> Option<usize> {
    let count = deviations.len();
    let most = ceil_sqrt(count) + IN_A_ROW;
    if count <= most + 1 || deviations.iter().all(|value| value.abs() < f64::MIN_POSITIVE) {
        return None;
    }
    let small = 2.0 * (as_f64(count).log10() / as_f64(count)).sqrt();
    let is_small = |lag: usize| correlation(deviations, lag).abs() < small;
    let mut run = 0;
    for lag in 1..most {
        run = if is_small(lag) { run + 1 } else { 0 };
        if run == IN_A_ROW {
            return Some((2 * (lag + 1 - IN_A_ROW)).min(most));
        }
    }
    Some(most)
}

fn covariance(deviations: &[f64], lag: usize) -> f64 {
    products(deviations, lag) / as_f64(deviations.len())
}

fn products(deviations: &[f64], lag: usize) -> f64 {
    deviations.iter().zip(deviations.iter().skip(lag)).map(|(early, late)| early * late).sum()
}

/// As `arch` has it: scaled by the parts of the series that lie `lag` + 1 apart.
fn correlation(deviations: &[f64], lag: usize) -> f64 {
    let squares = |part: &[f64]| part.iter().map(|value| value * value).sum::<f64>();
    let early = deviations.len().saturating_sub(lag + 1);
    let scale =
        squares(deviations.get(lag + 1..).unwrap_or(&[])) * squares(deviations.get(..early).unwrap_or(&[]));
    products(deviations, lag) / scale.sqrt()
}

/// Returns the variance of the sum of a series over that of a circular block bootstrap with blocks of that length: what
/// infinitely many of its draws would show.
///
/// Source: D. N. Politis, J. P. Romano: A Circular Block-Resampling Procedure for Stationary Data, in: Exploring the
/// Limits of Bootstrap, 1992.
pub(crate) fn sum_variance(series: &[f64], length: usize) -> f64 {
    let length = length.clamp(1, series.len().max(1));
    let mean = series.iter().sum::<f64>() / as_f64(series.len());
    let mut block: f64 = series.iter().take(length).map(|value| value - mean).sum();
    let mut squares = 0.0;
    for (leaves, enters) in series.iter().zip(series.iter().cycle().skip(length)) {
        squares += block * block;
        block += enters - leaves;
    }
    squares / as_f64(length)
}

/// Returns how much wider a 95 % interval must be that rests on this many degrees of freedom, and on blocks whose
/// spread is taken around their own mean.
///
/// Source: T. C. Hesterberg: What Teachers Should Know About the Bootstrap, The American Statistician 69 (2015), on the
/// expanded percentile interval.
pub(crate) fn expansion(blocks: f64) -> f64 {
    let degrees = (blocks - 1.0).max(1.0);
    let share = f64::midpoint(1.0, LEVEL);
    (blocks.max(2.0) / degrees).sqrt() * student_quantile(share, degrees) / normal_quantile(share)
}

/// Returns how many times larger the variance of the sum of these counts, one per slot, is than that of as many independent
/// events; at least 1, and allowing for how few blocks speak for it.
pub fn block_dispersion(counts: &[u64]) -> f64 {
    let series: Vec<f64> = counts.iter().map(|count| crate::interval::as_f64(*count)).collect();
    let total: f64 = series.iter().sum();
    if total <= 0.0 {
        return 1.0;
    }
    let length = whole(block_length(&series)).min(longest(series.len()));
    let blocks = as_f64(series.len()) / as_f64(length);
    (sum_variance(&series, length) / total * expansion(blocks).powi(2)).max(1.0)
}

/// Returns the longest block that leaves [`FEWEST`] of them in so many slots.
pub(crate) fn longest(slots: usize) -> usize {
    (slots / FEWEST).max(1)
}

/// Returns a block's length in whole slots.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, at most the slots")]
pub(crate) fn whole(length: f64) -> usize {
    length.round().max(1.0) as usize
}

fn ceil_sqrt(count: usize) -> usize {
    (0..count).find(|root| root * root >= count).unwrap_or(count)
}

pub(crate) fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// With fewer blocks, their spread is too uncertain to build on.
const FEWEST: usize = 10;
/// Source: as for [`block_length`]: K of the rule, for fewer than 10⁵ values.
const IN_A_ROW: usize = 5;
const LAST: u16 = 159;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn uniform(count: usize) -> Vec<f64> {
        let mut random = Random::new(1);
        (0..count).map(|_| (random.next() >> 11) as f64 / (1_u64 << 53) as f64).collect()
    }

    #[test]
    fn block_lengths_agree_with_arch() {
        // Source: arch 8.0.0, `optimal_block_length(series)["circular"]`, of 160 values that each keep a share of the last.
        for (kept, expected) in [(0.0, 1.326_157_52), (0.5, 5.490_719_96), (0.9, 17.115_084_88)] {
            let mut last = 0.0;
            let series: Vec<f64> = uniform(160)
                .into_iter()
                .map(|drawn| {
                    last = kept * last + drawn;
                    last
                })
                .collect();
            let found = block_length(&series);
            assert!((found - expected).abs() < 1e-6, "{kept}: {found}");
        }
        let rising: Vec<f64> = (0..160).map(f64::from).collect();
        assert!((block_length(&rising) - 21.845_272_1).abs() < 1e-6);
    }

    #[test]
    fn what_does_not_vary_needs_no_blocks() {
        assert!((block_length(&[3.0; 160]) - 1.0).abs() < 1e-12);
        assert!((block_length(&[]) - 1.0).abs() < 1e-12);
        assert!((block_dispersion(&[3; 160]) - 1.0).abs() < 1e-12);
        assert!((block_dispersion(&[0; 160]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_variance_is_that_of_all_circular_blocks() {
        // Source: numpy 2.4.6: the eight sums of three neighbours, less their mean, squared, added up and divided by three.
        let series = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        assert!((sum_variance(&series, 3) - 36.625).abs() < 1e-9);
    }

    #[test]
    fn counts_that_come_together_are_dispersed() {
        // Ten slots at a time have four ops each, ten have none: a sum varies as if ops came by the forty.
        let counts: Vec<u64> =
            uniform(16).iter().flat_map(|drawn| [if *drawn < 0.5 { 4 } else { 0 }; 10]).collect();
        assert!(block_dispersion(&counts) > 10.0, "{}", block_dispersion(&counts));
    }

    #[test]
    fn instants_outside_belong_to_the_first_or_last_slot() {
        for (at, slot) in [(0, 0), (100, 0), (101, 1), (259, 159), (260, 159), (u64::MAX, 159)] {
            assert_eq!(slot_of(at, 100..260), slot, "{at}");
        }
        assert_eq!(slot_of(7, 7..7), 0);
    }
}
