//! Scales, and ticks where people expect them.

/// A mapping of values to places, linear or logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    is_log: bool,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Returns the linear scale of `low` to `high` over the places `from` to `to`.
    pub(crate) fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { is_log: false, low, high, from, to }
    }

    /// Returns the linear scale from 0 to a round number at or above `most`.
    pub(crate) fn from_zero(most: f64, places: (f64, f64)) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        let step = round_step(most / LINEAR_TICKS);
        Self::linear((0.0, (most / step).ceil() * step), places)
    }

    /// Returns the scale for latencies: linear from 0 where the largest is up to thirty times the smallest, else
    /// logarithmic, so that neither end is squashed. Without a value above 0, it is linear.
    pub(crate) fn latency(values: impl Iterator<Item = f64>, places: (f64, f64)) -> Self {
        let (least, most) = values
            .filter(|value| value.is_finite() && *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        if most <= least * LINEAR_REACH || most == 0.0 {
            return Self::from_zero(most, places);
        }
        Self::logarithmic((least, most), places)
    }

    /// Returns the logarithmic scale from a round number at or below `least` to one at or above `most`; both have to be
    /// above 0, and where they are not, it runs from 1 to 10.
    pub(crate) fn logarithmic((least, most): (f64, f64), places: (f64, f64)) -> Self {
        let sound = least > 0.0 && most >= least && most.is_finite();
        let (least, most) = if sound { (least, most) } else { (1.0, 10.0) };
        let low = LOG_STEPS.iter().rev().map(|step| step * decade(least)).find(|tick| *tick <= least);
        let high = LOG_STEPS.iter().map(|step| step * decade(most)).find(|tick| *tick >= most);
        let (low, high) = (low.unwrap_or(decade(least)), high.unwrap_or(10.0 * decade(most)));
        let high = if high > low { high } else { 2.0 * low };
        Self { is_log: true, low, high, from: places.0, to: places.1 }
    }

    /// Returns the highest value that has a place of its own.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }

    /// Returns whether the scale is logarithmic.
    pub(crate) fn is_log(&self) -> bool {
        self.is_log
    }

    /// Returns the place of a value, within the scale's places.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let part = if self.is_log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part * (self.to - self.from)
    }

    /// Returns the values at which to draw ticks, ascending.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        if self.is_log { self.log_ticks() } else { self.linear_ticks() }
    }

    fn linear_ticks(&self) -> Vec<f64> {
        let step = round_step((self.high - self.low) / LINEAR_TICKS);
        let first = (self.low / step).ceil();
        (0_u8..=20)
            .map(|number| (first + f64::from(number)) * step)
            .take_while(|tick| *tick <= self.high + step * 1e-9)
            .collect()
    }

    /// 1, 2, 5 of each decade; over many decades only each, or each second, power of ten.
    fn log_ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let (steps, every): (&[f64], i32) = match decades {
            few if few <= 2.5 => (&LOG_STEPS, 1),
            some if some <= 7.0 => (&[1.0], 1),
            _ => (&[1.0], 2),
        };
        let first = self.low.log10().floor();
        (0_i32..40)
            .filter(|decade| decade % every == 0)
            .flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powf(first + f64::from(decade))))
            .filter(|tick| (self.low * (1.0 - 1e-9)..=self.high * (1.0 + 1e-9)).contains(tick))
            .collect()
    }
}

/// Returns the power of ten at or below a value.
fn decade(value: f64) -> f64 {
    10_f64.powf(value.log10().floor())
}

/// Returns 1, 2, 2.5 or 5 times a power of ten, the next one at or above a step.
fn round_step(step: f64) -> f64 {
    let power = decade(step);
    let round = [1.0, 2.0, 2.5, 5.0].into_iter().find(|round| round * power >= step * (1.0 - 1e-9));
    round.unwrap_or(10.0) * power
}

const LINEAR_TICKS: f64 = 5.0;
const LINEAR_REACH: f64 = 30.0;
const LOG_STEPS: [f64; 3] = [1.0, 2.0, 5.0];

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(ticks: &[f64]) -> Vec<f64> {
        ticks.iter().map(|tick| (tick * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        for (most, expected) in [
            (59.4, vec![0.0, 20.0, 40.0, 60.0]),
            (10.0, vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
            (0.7, vec![0.0, 0.2, 0.4, 0.6, 0.8]),
            (0.0, vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ] {
            assert_eq!(rounded(&Scale::from_zero(most, (0.0, 1.0)).ticks()), expected, "{most}");
        }
        let near = Scale::latency([30.0, 600.0].into_iter(), (0.0, 1.0));
        assert!(!near.is_log());
        let far = Scale::latency([3.0, 600.0].into_iter(), (0.0, 1.0));
        assert!(far.is_log());
        assert_eq!(rounded(&far.ticks()), [10.0, 100.0, 1000.0]);
        let between = Scale::latency([5.5, 180.0].into_iter(), (0.0, 1.0));
        assert_eq!(rounded(&between.ticks()), [5.0, 10.0, 20.0, 50.0, 100.0, 200.0]);
        let farther = Scale::latency([0.3, 90_000.0].into_iter(), (0.0, 1.0));
        assert_eq!(rounded(&farther.ticks()), [1.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0]);
    }

    #[test]
    fn places_lie_within_the_scale_whatever_the_value() {
        for scale in [
            Scale::from_zero(50.0, (100.0, 0.0)),
            Scale::latency([1.0, 1000.0].into_iter(), (100.0, 0.0)),
            Scale::latency([].into_iter(), (100.0, 0.0)),
            Scale::linear((5.0, 5.0), (100.0, 0.0)),
        ] {
            for value in [-1.0, 0.0, 1.0, 5.0, 1e9, f64::INFINITY] {
                assert!((0.0..=100.0).contains(&scale.at(value)), "{value} on {scale:?}");
            }
        }
        for (least, most) in [(0.0, 5.0), (5.0, f64::INFINITY), (3.0, 3.0), (1.0, 1.0), (7.0, 2.0)] {
            let scale = Scale::logarithmic((least, most), (0.0, 100.0));
            assert!((0.0..=100.0).contains(&scale.at(3.0)), "{least} to {most}: {scale:?}");
        }
        let log = Scale::latency([1.0, 100.0].into_iter(), (0.0, 100.0));
        assert!((log.at(10.0) - 50.0).abs() < 1e-9, "a decade in the middle");
    }
}
