//! What is known of a quantity, as draws: the values that it may have, each as likely as the next.

use crate::normal::normal_quantile;
use crate::{Interval, LEVEL, gamma};

/// A positive quantity's estimate, and [`REPLICATES`] values that it may well have in truth, each as likely as the next.
///
/// Kept as logarithms, since what matters of latencies and rates is by which factor they differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    estimate: f64,
    /// Natural logarithms; infinite where nothing that was seen bounds the quantity.
    ascending: Vec<f64>,
}

/// One quantity over another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The estimate over the other's.
    pub value: f64,
    /// The interval around it; none where too little was seen to bound it.
    pub interval: Option<Interval>,
    /// The chance of a ratio at least as far from 1 when nothing but chance is at work, 0 to 1.
    pub p_value: f64,
}

impl Draws {
    /// Returns the draws of that estimate; none unless it is above 0 and finite.
    pub(crate) fn new(estimate: f64, mut logarithms: Vec<f64>) -> Option<Self> {
        logarithms.sort_unstable_by(f64::total_cmp);
        let estimate = Some(estimate.ln()).filter(|ln| ln.is_finite())?;
        (!logarithms.is_empty()).then_some(Self { estimate, ascending: logarithms })
    }

    /// Returns the estimate.
    pub fn estimate(&self) -> f64 {
        self.estimate.exp()
    }

    /// Returns the interval at [`LEVEL`]; none where too little was seen to bound it on both sides.
    ///
    /// Source: A. C. Davison, D. V. Hinkley: Bootstrap Methods and their Application, 1997, section 5.3: the ends are the
    /// (R + 1) × α-th draws.
    pub fn interval(&self) -> Option<Interval> {
        let (low, high) = self.ends()?;
        // The estimate is one of the observed values, a draw may lie between two of them.
        Some(Interval { low: low.min(self.estimate).exp(), high: high.max(self.estimate).exp() })
    }

    /// Returns the variance of the quantity's logarithm, as the width of its interval tells it; none without an interval.
    pub fn log_variance(&self) -> Option<f64> {
        let (low, high) = self.ends()?;
        let width = 2.0 * normal_quantile(f64::midpoint(1.0, LEVEL));
        Some(((high - low) / width).powi(2))
    }

    /// Returns draws that lie so many times as far from the estimate.
    #[must_use]
    pub fn widened(mut self, factor: f64) -> Self {
        for draw in &mut self.ascending {
            *draw = self.estimate + factor * (*draw - self.estimate);
        }
        self
    }

    /// Returns this quantity over another that was observed independently of it: every draw of the one is set against
    /// every draw of the other.
    pub fn over(&self, other: &Self) -> Ratio {
        let share = |ln_ratio: f64, side| self.share(other, ln_ratio, side);
        let tail = (1.0 - LEVEL) / 2.0;
        let centre = self.estimate - other.estimate;
        let low = edge(|ln_ratio| share(ln_ratio, Side::Below) > tail, centre, -REACH);
        let high = edge(|ln_ratio| share(ln_ratio, Side::Above) > tail, centre, REACH);
        let interval = low
            .zip(high)
            .map(|(low, high)| Interval { low: low.min(centre).exp(), high: high.max(centre).exp() });
        let p_value = 2.0 * share(0.0, Side::Below).min(share(0.0, Side::Above));
        let tail = interval.map_or(0.0, |interval| normal_tails(centre, interval));
        Ratio { value: centre.exp(), interval, p_value: p_value.max(tail).min(1.0) }
    }

    fn ends(&self) -> Option<(f64, f64)> {
        let from_end = self.ascending.len().saturating_add(1) / 40;
        let low = self.ascending.get(from_end.checked_sub(1)?)?;
        let high = self.ascending.iter().nth_back(from_end - 1)?;
        (low.is_finite() && high.is_finite()).then_some((*low, *high))
    }

    /// Returns the share of all pairs whose difference lies on that side of `offset`, or on it; pairs of which nothing is
    /// known lie on both sides.
    fn share(&self, other: &Self, offset: f64, side: Side) -> f64 {
        let mut pairs = 0_usize;
        let mut passed = 0;
        for own in &self.ascending {
            // As `own` grows, so does the number of others that it exceeds.
            let rest = other.ascending.get(passed..).unwrap_or(&[]);
            let is_passed = |theirs: &&f64| match side {
                Side::Below => *own > **theirs + offset,
                Side::Above => *own >= **theirs + offset,
            };
            passed += rest.iter().take_while(is_passed).count();
            pairs += match side {
                Side::Below => other.ascending.len() - passed,
                Side::Above => passed,
            };
        }
        let all = self.ascending.len() * other.ascending.len();
        crate::block::as_f64(pairs) / crate::block::as_f64(all)
    }
}

/// Returns the chance that a normal variable, of which the end of the interval towards 0 tells the spread, lies at least as
/// far from 0 as `centre`.
///
/// So far out that hardly a draw lies there, counting draws alone would find differences too easily.
fn normal_tails(centre: f64, interval: Interval) -> f64 {
    let end = if centre > 0.0 { interval.low.ln() } else { interval.high.ln() };
    let z = normal_quantile(f64::midpoint(1.0, LEVEL)) * centre / (centre - end).abs().max(f64::MIN_POSITIVE);
    gamma::upper(0.5, z * z / 2.0)
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Below,
    Above,
}

/// Returns where, on the way from the centre outwards, `is_inside` turns false; none where it does not.
fn edge(is_inside: impl Fn(f64) -> bool, centre: f64, reach: f64) -> Option<f64> {
    let (mut inside, mut outside) = (centre, centre + reach);
    if is_inside(outside) {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(inside, outside);
        if is_inside(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    Some(inside)
}

/// How many draws there are: (R + 1) × 0.025 is a whole number.
pub const REPLICATES: usize = 999;
/// No ratio is larger than e²⁰.
const REACH: f64 = 20.0;
const HALVINGS: u32 = 36;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate_draws;

    fn bounded(logarithms: impl Fn(f64) -> f64) -> Draws {
        Draws::new(1.0, (1..=999).map(|n| logarithms(f64::from(n))).collect()).unwrap()
    }

    #[test]
    fn an_interval_leaves_a_fortieth_of_the_draws_out_on_either_side() {
        let draws = bounded(|n| (n - 500.0) / 500.0);
        let interval = draws.interval().unwrap();
        assert!((interval.low.ln() + 0.95).abs() < 1e-12 && (interval.high.ln() - 0.95).abs() < 1e-12);
        let wide = draws.widened(2.0).interval().unwrap();
        assert!((wide.low.ln() + 1.9).abs() < 1e-12 && (wide.high.ln() - 1.9).abs() < 1e-12);
    }

    #[test]
    fn what_nothing_bounds_has_no_interval() {
        let few = bounded(|n| if n > 980.0 { f64::INFINITY } else { n / 999.0 });
        assert!(few.interval().is_some(), "19 of 999 lie within the fortieth");
        let many = bounded(|n| if n > 970.0 { f64::INFINITY } else { n / 999.0 });
        assert_eq!((many.interval(), many.log_variance()), (None, None));
        assert_eq!(few.over(&many).interval, None);
        assert!(many.over(&many).p_value > 0.9, "nothing is known of two infinities");
        assert_eq!(Draws::new(0.0, vec![1.0]), None);
        assert_eq!(Draws::new(1.0, Vec::new()), None);
    }

    #[test]
    fn a_ratio_of_normal_draws_is_normal() {
        // Source: two independent normal variables: the variance of their difference is the sum of both.
        let normal = |estimate: f64, deviation: f64| {
            let z = |n: u32| estimate.ln() + deviation * normal_quantile(f64::from(n) / 1000.0);
            Draws::new(estimate, (1..=999).map(z).collect()).unwrap()
        };
        let found = normal(12.0, 0.03).over(&normal(10.0, 0.04));
        let (interval, z) = (found.interval.unwrap(), 1.959_963_984_540_054);
        assert!((found.value - 1.2).abs() < 1e-12);
        for (end, expected) in [(interval.low, -0.05 * z), (interval.high, 0.05 * z)] {
            assert!(
                (end.ln() - 1.2_f64.ln() - expected).abs() < 1e-3,
                "{} {expected}",
                end.ln() - 1.2_f64.ln()
            );
        }
        // Source: scipy 1.17.1, `2 * norm.sf(log(1.2) / 0.05)`: 0.000266.
        assert!((found.p_value - 0.000_266).abs() < 0.000_03, "{}", found.p_value);
        assert!((normal(10.0, 0.03).over(&normal(10.0, 0.04)).p_value - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_rate_over_another_is_as_uncertain_as_both() {
        let (own, other) = (rate_draws(400, 1.0, 10.0).unwrap(), rate_draws(1600, 4.0, 40.0).unwrap());
        let found = own.over(&other);
        assert!((found.value - 1.0).abs() < 1e-12);
        // √(1 ÷ 400 + 1 ÷ 400), as 1,600 ops in bursts of four are 400 bursts.
        let half = (found.interval.unwrap().high.ln()) / 1.959_963_984_540_054;
        assert!((half - 0.005_f64.sqrt()).abs() < 1e-3, "{half}");
    }
}
