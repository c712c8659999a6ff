//! Many tests at once: which of their findings are more than what chance gives when one only looks often enough.

/// Returns which of the p-values are discoveries, such that of all discoveries no larger share than `rate` is to be
/// expected to be chance; where nothing differs, any discovery at all has no larger chance than `rate`.
///
/// A test counts by its weight, so that what was asked first is not drowned by what is looked at beside it; only the
/// weights' relation matters, and one without a weight is no discovery.
///
/// Source: C. R. Genovese, K. Roeder, L. Wasserman: False Discovery Control with P-Value Weighting, Biometrika 93 (2006);
/// with equal weights Y. Benjamini, Y. Hochberg: Controlling the False Discovery Rate, Journal of the Royal Statistical
/// Society B 57 (1995). Holds for tests that are independent or depend on each other positively.
pub fn discoveries(tests: &[(f64, f64)], rate: f64) -> Vec<bool> {
    let count = crate::block::as_f64(tests.len());
    let mean_weight = tests.iter().map(|(_, weight)| weight).sum::<f64>() / count;
    let weighted: Vec<f64> = tests.iter().map(|(p_value, weight)| p_value * mean_weight / weight).collect();
    let mut ascending = weighted.clone();
    ascending.sort_unstable_by(f64::total_cmp);
    let passing =
        |(rank, p_value): (u32, &f64)| (*p_value <= f64::from(rank) * rate / count).then_some(*p_value);
    let limit = (1..).zip(&ascending).filter_map(passing).last();
    weighted.into_iter().map(|p_value| limit.is_some_and(|limit| p_value <= limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_benjamini_and_hochberg() {
        // Source: Benjamini and Hochberg (1995), section 3.1: fifteen p-values, of which four are discoveries.
        let p_values = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let found = discoveries(&p_values.map(|p_value| (p_value, 2.0)), 0.05);
        assert_eq!(found.iter().filter(|found| **found).count(), 4);
        assert!(found[..4].iter().all(|found| *found));
    }

    #[test]
    fn a_weight_is_a_better_chance() {
        let found = |weight| discoveries(&[(0.02, weight), (0.5, 1.0), (0.6, 1.0), (0.7, 1.0)], 0.05);
        assert_eq!(found(1.0), [false; 4], "0.02 is more than a fourth of 0.05");
        assert_eq!(found(3.0), [true, false, false, false], "0.02 is less than half of it");
        assert_eq!(discoveries(&[], 0.05), Vec::<bool>::new());
        assert_eq!(discoveries(&[(0.0, 0.0), (0.001, 1.0)], 0.05), [false, true]);
    }
}
