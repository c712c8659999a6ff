//! Pearson's chi-square tests on counts.

use crate::gamma;

/// What a chi-square test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// The sum of (observed − expected)² ÷ expected over all cells.
    pub statistic: f64,
    /// How many cells are free to vary.
    pub degrees_of_freedom: u32,
    /// The chance of a statistic at least as large when nothing but chance is at work, 0 to 1.
    pub p_value: f64,
    /// The smallest expected count; below about 5 the p-value is only rough.
    pub smallest_expected: f64,
}

/// Tests whether all rows of counts were drawn from the same shares: one row per stage, one column per kind.
///
/// Rows and columns without any count are left out. None when fewer than two rows or two columns remain, or when the
/// rows differ in length.
///
/// Source: K. Pearson (1900); A. Agresti: Categorical Data Analysis, 3rd edition, section 3.2.
pub fn homogeneity(rows: &[Vec<u64>]) -> Option<ChiSquare> {
    let width = rows.first()?.len();
    if rows.iter().any(|row| row.len() != width) {
        return None;
    }
    let row_sums: Vec<f64> = rows.iter().map(|row| sum(row)).filter(|total| *total > 0.0).collect();
    let column =
        |index: usize| rows.iter().filter_map(move |row| row.get(index)).copied().map(as_f64).sum::<f64>();
    let column_sums: Vec<f64> = (0..width).map(column).collect();
    let kept: Vec<&Vec<u64>> = rows.iter().filter(|row| sum(row) > 0.0).collect();
    let columns = column_sums.iter().filter(|total| **total > 0.0).count();
    let degrees = row_sums.len().checked_sub(1)?.checked_mul(columns.checked_sub(1)?)?;
    let total: f64 = row_sums.iter().sum();
    let cells = kept.iter().zip(&row_sums).flat_map(|(row, row_sum)| {
        row.iter()
            .zip(&column_sums)
            .filter(|(_, column_sum)| **column_sum > 0.0)
            .map(move |(observed, column_sum)| (as_f64(*observed), row_sum * column_sum / total))
    });
    of_cells(cells, degrees)
}

/// Tests whether counts were drawn with the given shares, which need not add up to 1.
///
/// None when the lengths differ, when a share is negative or not finite, or when fewer than two shares are above 0. A
/// count where the share is 0 cannot be chance: the statistic is then infinite and the p-value 0.
///
/// Source: K. Pearson (1900); A. Agresti: Categorical Data Analysis, 3rd edition, section 1.5.
pub fn fit(observed: &[u64], shares: &[f64]) -> Option<ChiSquare> {
    if observed.len() != shares.len() || shares.iter().any(|share| !share.is_finite() || *share < 0.0) {
        return None;
    }
    let (total, whole) = (sum(observed), shares.iter().sum::<f64>());
    if total <= 0.0 {
        return None;
    }
    let degrees = shares.iter().filter(|share| **share > 0.0).count().checked_sub(1)?;
    let impossible = observed.iter().zip(shares).any(|(count, share)| *share == 0.0 && *count > 0);
    let cells = observed
        .iter()
        .zip(shares)
        .filter(|(_, share)| **share > 0.0)
        .map(|(count, share)| (as_f64(*count), total * share / whole));
    let found = of_cells(cells, degrees)?;
    Some(if impossible { ChiSquare { statistic: f64::INFINITY, p_value: 0.0, ..found } } else { found })
}

fn of_cells(cells: impl Iterator<Item = (f64, f64)>, degrees: usize) -> Option<ChiSquare> {
    let degrees_of_freedom = u32::try_from(degrees).ok().filter(|degrees| *degrees > 0)?;
    let (statistic, smallest_expected) =
        cells.fold((0.0, f64::INFINITY), |(statistic, smallest), (observed, expected)| {
            (statistic + (observed - expected).powi(2) / expected, expected.min(smallest))
        });
    let p_value = gamma::upper(f64::from(degrees_of_freedom) / 2.0, statistic / 2.0);
    Some(ChiSquare { statistic, degrees_of_freedom, p_value, smallest_expected })
}

fn sum(counts: &[u64]) -> f64 {
    counts.iter().copied().map(as_f64).sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 have no meaning to the last digit")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homogeneity_agrees_with_scipy() {
        // Source: scipy 1.17.1, `chi2_contingency(table, correction=False)`.
        for (table, statistic, p_value, degrees) in [
            (vec![vec![10, 20, 30], vec![6, 9, 17]], 0.271_574_651_504_035_04, 0.873_028_283_380_073, 2),
            (
                vec![vec![120, 80, 40], vec![118, 85, 37], vec![60, 130, 50]],
                40.995_255_527_082_55,
                2.693_915_126_569_379_7e-8,
                4,
            ),
        ] {
            let found = homogeneity(&table).unwrap();
            assert!((found.statistic - statistic).abs() < 1e-10, "{found:?}");
            assert!((found.p_value - p_value).abs() < 1e-9 * p_value.max(1e-8), "{found:?}");
            assert_eq!(found.degrees_of_freedom, degrees);
        }
    }

    #[test]
    fn fit_agrees_with_scipy() {
        // Source: scipy 1.17.1, `chisquare([16, 18, 16, 14, 12, 12])` and `chisquare([45, 25, 30], [50, 30, 20])`.
        let even = fit(&[16, 18, 16, 14, 12, 12], &[1.0; 6]).unwrap();
        assert!(
            (even.statistic - 2.0).abs() < 1e-12 && (even.p_value - 0.849_145_036_084_609_6).abs() < 1e-10
        );
        let skewed = fit(&[45, 25, 30], &[0.5, 0.3, 0.2]).unwrap();
        assert!((skewed.statistic - 6.333_333_333_333_334).abs() < 1e-12);
        assert!((skewed.p_value - 0.042_143_843_509_276_4).abs() < 1e-10);
        assert!((skewed.smallest_expected - 20.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_tested_is_not() {
        let padded = homogeneity(&[vec![10, 0, 20, 30], vec![0, 0, 0, 0], vec![6, 0, 9, 17]]).unwrap();
        assert!(
            (padded.statistic - 0.271_574_651_504_035_04).abs() < 1e-10,
            "empty rows and columns do not count"
        );
        for table in
            [vec![], vec![vec![1, 2]], vec![vec![1], vec![2]], vec![vec![1, 2], vec![3]], vec![vec![0, 0]; 2]]
        {
            assert_eq!(homogeneity(&table), None, "{table:?}");
        }
        assert_eq!(fit(&[1, 2], &[1.0]), None);
        assert_eq!(fit(&[1, 2], &[1.0, -1.0]), None);
        assert_eq!(fit(&[0, 0], &[0.5, 0.5]), None);
        let impossible = fit(&[5, 5, 1], &[0.5, 0.5, 0.0]).unwrap();
        assert_eq!((impossible.p_value, impossible.statistic), (0.0, f64::INFINITY));
    }
}
