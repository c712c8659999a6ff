//! Draws: seeded by the node's name and the fault's place, so that a rehearsal can be repeated.

use std::time::Duration;

use e3_model::{Distribution, Fault, Shape};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp, LogNormal};
use sha2::{Digest as _, Sha256};

/// Returns the draws of the fault at this position of a node's list.
pub(super) fn seeded(node: &str, position: usize) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Sha256::digest(format!("{node}/{position}")).into())
}

/// Draws whether something of this chance happens; never without one.
pub(super) fn happens(chance: Option<f64>, random: &mut ChaCha8Rng) -> bool {
    // From 0, which is in, to 1, which is not: neither end of the scale happens by accident.
    random.random::<f64>() < chance.unwrap_or(0.0)
}

/// Draws a span.
pub(super) fn span(distribution: &Distribution, random: &mut ChaCha8Rng) -> Duration {
    let mean = distribution.mean().to_duration();
    let seconds = mean.as_secs_f64();
    let drawn = match distribution {
        Distribution::Shaped(Shape::Exponential { .. }) if seconds > 0.0 => {
            Exp::new(1.0 / seconds).map_or(seconds, |exp| exp.sample(random))
        }
        // Source: the mean of a log-normal variable is exp(mu + sigma^2 / 2), so mu = ln(mean) - sigma^2 / 2.
        Distribution::Shaped(Shape::LogNormal { sigma, .. }) if seconds > 0.0 => {
            LogNormal::new(seconds.ln() - sigma * sigma / 2.0, *sigma)
                .map_or(seconds, |log_normal| log_normal.sample(random))
        }
        Distribution::Constant(_) | Distribution::Shaped(_) => return mean,
    };
    Duration::from_secs_f64(drawn.clamp(0.0, Fault::LONGEST.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use e3_model::Span;

    use super::*;

    #[test]
    fn shares_are_as_asked_for() {
        for (chance, expected) in [(0.0, 0), (0.2, 4_000), (0.5, 10_000), (1.0, 20_000)] {
            let mut random = seeded("1", 0);
            let drawn = (0..20_000).filter(|_| happens(Some(chance), &mut random)).count();
            // Six standard deviations of the widest binomial are 424.
            let bound = if chance == 0.0 || chance == 1.0 { 0 } else { 424 };
            assert!(drawn.abs_diff(expected) <= bound, "{chance}: {drawn}");
        }
        assert!(!happens(None, &mut seeded("1", 0)));
    }

    #[test]
    fn spans_have_their_mean_and_repeat_by_node_and_place() {
        let mean = Span::from_millis(200);
        let draws = |distribution: Distribution, node: &str, position: usize| -> Vec<Duration> {
            let mut random = seeded(node, position);
            (0..20_000).map(|_| span(&distribution, &mut random)).collect()
        };
        let constant = draws(Distribution::Constant(mean), "1", 0);
        assert!(constant.iter().all(|drawn| *drawn == Duration::from_millis(200)));
        let of = |shape| Distribution::Shaped(shape);
        for (shape, deviation_ms) in [
            (Shape::Exponential { mean }, 200.0),
            // Source: the deviation of a log-normal variable is its mean times sqrt(exp(sigma^2) - 1).
            (Shape::LogNormal { mean, sigma: 0.5 }, 200.0 * (0.25_f64.exp() - 1.0).sqrt()),
        ] {
            let drawn = draws(of(shape), "1", 0);
            let average = drawn.iter().map(Duration::as_secs_f64).sum::<f64>() / 20_000.0 * 1000.0;
            let bound = 5.0 * deviation_ms / 20_000_f64.sqrt();
            assert!((average - 200.0).abs() < bound, "{shape:?}: {average} ms");
            assert_eq!(drawn, draws(of(shape), "1", 0));
            assert_ne!(drawn, draws(of(shape), "2", 0));
            assert_ne!(drawn, draws(of(shape), "1", 1));
        }
        assert_eq!(draws(of(Shape::Exponential { mean: Span::ZERO }), "1", 0)[0], Duration::ZERO);
    }
}
