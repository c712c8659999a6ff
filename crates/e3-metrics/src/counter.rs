//! From what is counted to rates.

use std::collections::BTreeMap;

use tokio::time::Instant;

/// A number that only grows, as it was when it was last read.
///
/// A smaller number than before means that counting began anew (a restart, a wrap): there is no rate for that time,
/// and counting goes on from the new number.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counter {
    before: Option<(Instant, f64)>,
}

impl Counter {
    /// Returns by how much it grew since the last reading, and in how many seconds.
    pub(crate) fn growth(&mut self, at: Instant, value: f64) -> Option<(f64, f64)> {
        let (since, before) = self.before.replace((at, value))?;
        let seconds = at.saturating_duration_since(since).as_secs_f64();
        (value >= before && seconds > 0.0).then_some((value - before, seconds))
    }

    /// Returns by how much it grew per second since the last reading.
    pub(crate) fn rate(&mut self, at: Instant, value: f64) -> Option<f64> {
        self.growth(at, value).map(|(growth, seconds)| growth / seconds)
    }
}

/// The same numbers of each of several devices, which may come and go.
#[derive(Debug)]
pub(crate) struct Counters<const N: usize> {
    each: BTreeMap<String, [Counter; N]>,
}

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Self { each: BTreeMap::new() }
    }
}

impl<const N: usize> Counters<N> {
    /// Returns by how much each number grew per second, summed over the devices; one that is new adds nothing yet.
    pub(crate) fn rates<'a>(
        &mut self,
        at: Instant,
        devices: impl Iterator<Item = (&'a str, [f64; N])>,
    ) -> [Option<f64>; N] {
        let mut sums = [None; N];
        for (name, values) in devices {
            let counters = self.each.entry(name.to_owned()).or_insert_with(|| [Counter::default(); N]);
            for ((counter, value), sum) in counters.iter_mut().zip(values).zip(&mut sums) {
                if let Some(rate) = counter.rate(at, value) {
                    *sum = Some(sum.unwrap_or(0.0) + rate);
                }
            }
        }
        sums
    }
}

/// A sum over many processes, which cannot all be read at one moment.
///
/// What moves from one process to another while they are read may be missed and is back at the next reading. So a sum
/// that shrinks is first a gap, and the next rate is over both intervals; only one that stays smaller counts from there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    before: Option<(Instant, f64)>,
    shrunk: bool,
}

impl Sum {
    /// Returns by how much it grew per second since the last reading that counts.
    pub(crate) fn rate(&mut self, at: Instant, value: f64) -> Option<f64> {
        let Some((since, before)) = self.before else {
            self.before = Some((at, value));
            return None;
        };
        if value < before && !self.shrunk {
            self.shrunk = true;
            return None;
        }
        self.shrunk = false;
        self.before = Some((at, value));
        let seconds = at.saturating_duration_since(since).as_secs_f64();
        (value >= before && seconds > 0.0).then(|| (value - before) / seconds)
    }
}

/// Returns a count as a number to reckon with; exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "bytes and ticks stay below 2^53, and a metric is no account book"
)]
pub(crate) fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rates_are_over_the_time_that_passed() {
        let begun = Instant::now();
        let mut counter = Counter::default();
        for (seconds, value, rate, why) in [
            (0, 100.0, None, "the first has nothing before it"),
            (1, 150.0, Some(50.0), "growth"),
            (3, 150.0, Some(0.0), "nothing happened, which is a zero"),
            (5, 350.0, Some(100.0), "over the two seconds that passed"),
            (6, 10.0, None, "begun anew"),
            (7, 30.0, Some(20.0), "and goes on"),
            (7, 40.0, None, "no time has passed"),
        ] {
            assert_eq!(counter.rate(begun + Duration::from_secs(seconds), value), rate, "{why}");
        }
    }

    #[test]
    fn a_device_that_appears_is_no_burst() {
        let begun = Instant::now();
        let mut counters = Counters::default();
        let mut rates = |seconds, devices: &[(&'static str, [f64; 1])]| {
            let at = begun + Duration::from_secs(seconds);
            counters.rates(at, devices.iter().copied())
        };
        assert_eq!(rates(0, &[("a", [10.0])]), [None]);
        assert_eq!(rates(1, &[("a", [15.0]), ("b", [9_000.0])]), [Some(5.0)]);
        assert_eq!(rates(2, &[("a", [20.0]), ("b", [9_001.0])]), [Some(6.0)]);
        assert_eq!(rates(3, &[]), [None]);
    }

    #[test]
    fn a_sum_that_shrinks_for_a_moment_loses_nothing() {
        let begun = Instant::now();
        let mut sum = Sum::default();
        for (seconds, value, rate, why) in [
            (0, 10.0, None, "the first has nothing before it"),
            (1, 11.0, Some(1.0), "growth"),
            (2, 10.5, None, "a child was missed"),
            (3, 14.0, Some(1.5), "it is back: three in two seconds"),
            (4, 6.0, None, "a child that outlived its parent is gone"),
            (5, 7.0, None, "for good: counted from here"),
            (6, 9.0, Some(2.0), "and on"),
        ] {
            assert_eq!(sum.rate(begun + Duration::from_secs(seconds), value), rate, "{why}");
        }
    }
}
