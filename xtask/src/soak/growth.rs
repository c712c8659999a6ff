//! Whether a process's memory grows: its resident size over time, and the line through it.

use std::fmt;
use std::time::Duration;

/// The resident memory of one process, as it was read.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    whose: &'static str,
    /// Seconds and MB.
    readings: Vec<(f64, f64)>,
}

impl Memory {
    pub(super) fn of(whose: &'static str) -> Self {
        Self { whose, readings: Vec::new() }
    }

    /// Notes a reading.
    pub(super) fn note(&mut self, at: Duration, bytes: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a process has less than 2^53 bytes")]
        self.readings.push((at.as_secs_f64(), bytes as f64 / 1e6));
    }

    /// Says what is wrong: it grows, or it was hardly read.
    pub(super) fn problem(&self) -> Option<String> {
        let Some(growth) = self.growth().filter(|_| self.readings.len() >= FEWEST) else {
            let count = self.readings.len();
            return Some(format!("the memory of {} was read {count} times only", self.whose));
        };
        let allowed = (self.mean() * SHARE).max(SMALL_MB);
        (growth > allowed).then(|| {
            let (whose, span) = (self.whose, self.span());
            format!("the memory of {whose} grows: {growth:.1} MB in {span:.0} s, {allowed:.1} MB are allowed")
        })
    }

    /// Returns by how many MB the line through the readings rises from the first to the last.
    ///
    /// Source: the slope of ordinary least squares.
    fn growth(&self) -> Option<f64> {
        let mean_at = mean(self.readings.iter().map(|(at, _)| *at))?;
        let mean_size = self.mean();
        let covariance: f64 =
            self.readings.iter().map(|(at, size)| (at - mean_at) * (size - mean_size)).sum();
        let variance: f64 = self.readings.iter().map(|(at, _)| (at - mean_at).powi(2)).sum();
        (variance > 0.0).then(|| covariance / variance * self.span())
    }

    fn mean(&self) -> f64 {
        mean(self.readings.iter().map(|(_, size)| *size)).unwrap_or_default()
    }

    fn span(&self) -> f64 {
        match (self.readings.first(), self.readings.last()) {
            (Some((first, _)), Some((last, _))) => last - first,
            _ => 0.0,
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mean, growth, span) = (self.mean(), self.growth().unwrap_or_default(), self.span());
        write!(f, "memory of {}: {mean:.1} MB, {growth:+.1} MB in {span:.0} s", self.whose)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// What counts as flat: so much of the mean, over the second half of the stage,
const SHARE: f64 = 0.05;
/// or so much, where a process is small.
const SMALL_MB: f64 = 4.0;
/// Fewer readings say nothing.
const FEWEST: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(sizes_mb: impl Iterator<Item = u64>) -> Memory {
        let mut memory = Memory::of("the worker");
        for (second, size) in sizes_mb.enumerate() {
            memory.note(Duration::from_secs(u64::try_from(second).unwrap()), size * 1_000_000);
        }
        memory
    }

    #[test]
    fn growth_is_told_from_noise() {
        assert_eq!(memory((0..30).map(|_| 100)).problem(), None);
        assert_eq!(memory((0..30).map(|second| 100 + (second * 7) % 13)).problem(), None, "noise");
        let grows = memory((0..30).map(|second| 100 + second)).problem().unwrap();
        assert_eq!(grows, "the memory of the worker grows: 29.0 MB in 29 s, 5.7 MB are allowed");
        assert_eq!(memory((0..30).map(|second| 100 - second)).problem(), None, "it shrinks");
        let few = memory([100, 200].into_iter()).problem().unwrap();
        assert_eq!(few, "the memory of the worker was read 2 times only");
    }
}
