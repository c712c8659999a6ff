//! Repeats: how much stages that should be alike differ, and what that costs a comparison.

use e3_stats::{Draws, student_factor};

use crate::estimate::Estimate;

/// Returns what is known of both arms' values, with the stages' differences in it: where either arm has several stages, what
/// they differ by beyond chance within them is chance as well, which no bootstrap within stages can see.
///
/// The variance of an arm's logarithm is the larger of that within its stages, and of s² ÷ R with R stages and the
/// variance s² between stages, pooled over both arms; where that decides for either arm, both are as uncertain as so few
/// stages make s², by Student's distribution. None where either arm has no draws.
///
/// Source: R. A. Fisher: Statistical Methods for Research Workers, 1925, chapter VII, for the pooled variance between
/// groups.
pub(crate) fn with_repeats(own: &Estimate, other: &Estimate) -> Option<(Draws, Draws)> {
    let arms = [own, other];
    let [Some(draws), Some(other_draws)] = arms.map(|arm| arm.draws.clone()) else { return None };
    let Some((between, degrees)) = between(&arms) else { return Some((draws, other_draws)) };
    let within = [draws.log_variance()?, other_draws.log_variance()?];
    let of_stages = arms.map(|arm| between / to_f64(arm.by_stage.len().max(1)));
    let decides = within.iter().zip(&of_stages).any(|(within, of_stages)| of_stages > within);
    let student = if decides { student_factor(degrees) } else { 1.0 };
    let factor = |within: f64, of_stages: f64| {
        // Values that do not vary at all within a stage have nothing to widen.
        let wider = if within > 0.0 { (within.max(of_stages) / within).sqrt() } else { 1.0 };
        student * wider
    };
    let [(own, others), (other, other_others)] = [(within[0], of_stages[0]), (within[1], of_stages[1])];
    Some((draws.widened(factor(own, others)), other_draws.widened(factor(other, other_others))))
}

/// Returns the variance between like stages, pooled over the arms, and its degrees of freedom; none without repeats.
fn between(arms: &[&Estimate]) -> Option<(f64, u32)> {
    let (mut squares, mut degrees) = (0.0, 0);
    for arm in arms.iter().filter(|arm| arm.by_stage.len() > 1) {
        let count = to_f64(arm.by_stage.len());
        let mean = arm.by_stage.iter().sum::<f64>() / count;
        squares += arm.by_stage.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        degrees += u32::try_from(arm.by_stage.len() - 1).ok()?;
    }
    (degrees > 0).then(|| (squares / f64::from(degrees), degrees))
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use e3_stats::rate_draws;

    use super::*;

    fn arm(rates: &[f64]) -> Estimate {
        Estimate {
            value: Some(100.0),
            compared: Some(100.0),
            draws: rate_draws(10_000, 1.0, 100.0),
            by_stage: rates.iter().map(|rate| rate.ln()).collect(),
        }
    }

    fn width(own: &Estimate, other: &Estimate) -> f64 {
        let (own, other) = with_repeats(own, other).unwrap();
        let interval = own.over(&other).interval.unwrap();
        (interval.high / interval.low).ln()
    }

    #[test]
    fn stages_that_differ_widen_the_interval_by_what_they_differ() {
        let single = width(&arm(&[100.0]), &arm(&[100.0]));
        // Both counts are of 10,000: 2 × 1.96 × √(2 ÷ 10,000).
        assert!((single - 0.0554).abs() < 0.001, "{single}");
        let alike = width(&arm(&[100.0, 100.1]), &arm(&[100.0, 99.9]));
        assert!((alike - single).abs() < 1e-9, "stages differ by less than chance within them");
        let apart = width(&arm(&[90.0, 110.0]), &arm(&[90.0, 110.0]));
        // s = 0.1419 in logarithms, so 2 × 4.303 × s × √(1 ÷ 2 + 1 ÷ 2), with two degrees of freedom.
        assert!((apart - 1.221).abs() < 0.03, "{apart}");
        let one_sided = width(&arm(&[90.0, 110.0]), &arm(&[100.0]));
        assert!(
            one_sided > apart,
            "an arm with one stage may be as far off as its like, and one degree is less"
        );
        let many = width(&arm(&[90.0, 110.0, 90.0, 110.0]), &arm(&[90.0, 110.0, 90.0, 110.0]));
        assert!(many < apart / 2.0, "{many}");
    }

    #[test]
    fn without_draws_there_is_nothing_to_widen() {
        let none = Estimate { draws: None, ..arm(&[100.0]) };
        assert!(with_repeats(&none, &arm(&[100.0, 90.0])).is_none());
    }

    /// Of pairs of arms that do not differ, with two stages each, the interval must hold 1 in nine of ten: whether stages
    /// differ by chance within them alone, or by as much again, or mostly by themselves.
    #[test]
    fn intervals_hold_the_truth_however_much_stages_differ() {
        let mut lanes = 0..;
        let mut normal = |deviation: f64| {
            #[expect(clippy::cast_precision_loss, reason = "53 bits")]
            let mut uniform =
                || (e3_model::Seed(5).fork(lanes.next().unwrap()).0 as f64 + 0.5) / (1_u64 << 53) as f64;
            // Source: G. E. P. Box, M. E. Muller: A Note on the Generation of Random Normal Deviates (1958).
            deviation * (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
        };
        for between in [0.0, 0.014, 0.05] {
            // Two stages of 5,000 each: √(1 ÷ 5,000) within either.
            let mut arm = || {
                let by_stage: Vec<f64> =
                    (0..2).map(|_| normal(0.000_2_f64.sqrt()) + normal(between)).collect();
                let mean = by_stage.iter().sum::<f64>() / 2.0;
                let draws = rate_draws(10_000, 1.0, 100.0 * (-mean).exp());
                Estimate { value: None, compared: None, draws, by_stage }
            };
            let holds = (0..400).filter(|_| {
                let (own, other) = with_repeats(&arm(), &arm()).unwrap();
                own.over(&other).interval.is_some_and(|ends| ends.low <= 1.0 && ends.high >= 1.0)
            });
            let held = holds.count();
            assert!(held >= 360, "{between}: {held} of 400");
        }
    }
}
