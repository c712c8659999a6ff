//! Rates as draws, and what few repetitions cost.

use crate::interval::as_f64;
use crate::normal::{normal_quantile, student_quantile};
use crate::{Draws, LEVEL, REPLICATES};

/// Returns what is known of the rate of `count` events in `seconds`, in events per second; none unless the numbers are as
/// [`crate::poisson_rate`] wants them, and at least five bursts were seen.
///
/// `dispersion` is what it is there. The draws are the evenly spaced quantiles of what count ÷ dispersion independent
/// bursts say of their mean.
///
/// Source: P. J. Garwood's limits in the middle between their two sides (mid-P), by the approximation of E. B. Wilson and
/// M. M. Hilferty: The Distribution of Chi-Square, Proceedings of the National Academy of Sciences 17 (1931).
pub fn rate_draws(count: u64, dispersion: f64, seconds: f64) -> Option<Draws> {
    if !(seconds.is_finite() && seconds > 0.0 && dispersion.is_finite() && dispersion >= 1.0) {
        return None;
    }
    let bursts = as_f64(count) / dispersion;
    if bursts < FEWEST {
        return None;
    }
    // The gamma distributions of the two sides have the shapes `bursts` and `bursts` + 1.
    let shape = bursts + 0.5;
    let draws = (1_u32..).take(REPLICATES).map(|position| {
        let z = normal_quantile(f64::from(position) / (crate::block::as_f64(REPLICATES) + 1.0));
        let root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt());
        (shape * root.powi(3) * dispersion / seconds).ln()
    });
    Draws::new(as_f64(count) / seconds, draws.collect())
}

/// Returns how much wider an interval must be whose spread was taken from repetitions with so many degrees of freedom.
///
/// Source: Student (W. S. Gosset): The Probable Error of a Mean, Biometrika 6 (1908).
pub fn student_factor(degrees: u32) -> f64 {
    let share = f64::midpoint(1.0, LEVEL);
    student_quantile(share, f64::from(degrees.max(1))) / normal_quantile(share)
}

/// Below, the approximation is rough, and a ratio would say nothing anyway.
const FEWEST: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_of_a_rate_lie_between_the_two_sides_of_garwood() {
        // Source: scipy 1.17.1, `gamma.ppf([.025, .975], 42.5)`.
        let interval = rate_draws(42, 1.0, 1.0).unwrap().interval().unwrap();
        assert!(
            (interval.low - 30.694_4).abs() < 0.02 && (interval.high - 56.196_7).abs() < 0.02,
            "{interval:?}"
        );
        let bursts = rate_draws(420, 10.0, 5.0).unwrap().interval().unwrap();
        assert!(
            (bursts.low - 2.0 * interval.low).abs() < 1e-9
                && (bursts.high - 2.0 * interval.high).abs() < 1e-9
        );
    }

    #[test]
    fn too_few_bursts_have_no_draws() {
        assert_eq!(rate_draws(4, 1.0, 1.0), None);
        assert_eq!(rate_draws(40, 10.0, 1.0), None);
        assert_eq!(rate_draws(40, 1.0, 0.0), None);
        assert_eq!(rate_draws(40, f64::NAN, 1.0), None);
    }

    #[test]
    fn few_repetitions_cost_what_student_says() {
        assert!((student_factor(2) - 4.302_652_729_749_462 / 1.959_963_984_540_054).abs() < 1e-9);
        assert!((student_factor(0) - student_factor(1)).abs() < 1e-12);
    }
}
