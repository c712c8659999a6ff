//! Metrics over a stage: readings, averaged in steps that a chart can show.

use std::collections::BTreeMap;

use e3_model::{MetricSeries, Reading, Span};

use crate::stage::Window;

/// Returns every metric that was read during the stage, by subject, then by name: the mean of every step from the stage's
/// start on, and mean and largest of the measured window.
///
/// A step is a second, or as many as it takes to have 300 at most. Readings after the grace, and values that are no
/// numbers, are left out.
pub(crate) fn series(readings: &[Reading], window: Window, grace: Span) -> Vec<MetricSeries> {
    let latest_ns = window.end_ms.saturating_add(grace.as_millis()).saturating_mul(1_000_000);
    let readings = || readings.iter().filter(|own| own.at_ns < latest_ns && own.value.is_finite());
    let last = readings().map(|own| own.at_ns / SECOND + 1).max().unwrap_or(0);
    let seconds = window.end_ms.div_ceil(1000).max(last);
    let step = seconds.div_ceil(MOST_STEPS).max(1);
    let mut metrics: BTreeMap<(&str, &str, &str), Vec<&Reading>> = BTreeMap::new();
    for reading in readings() {
        metrics.entry((&reading.subject, &reading.name, &reading.source)).or_default().push(reading);
    }
    metrics.into_values().filter_map(|own| one(&own, window, seconds.div_ceil(step), step)).collect()
}

fn one(readings: &[&Reading], window: Window, steps: u64, step: u64) -> Option<MetricSeries> {
    let first = readings.first()?;
    let mut means = vec![Mean::default(); usize::try_from(steps).ok()?];
    let (mut inside, mut max) = (Mean::default(), None);
    for reading in readings {
        let position = usize::try_from(reading.at_ns / SECOND / step).ok();
        if let Some(mean) = position.and_then(|position| means.get_mut(position)) {
            mean.add(reading.value);
        }
        if window.contains(reading.at_ns) {
            inside.add(reading.value);
            max = Some(max.map_or(reading.value, |max: f64| max.max(reading.value)));
        }
    }
    Some(MetricSeries {
        source: first.source.to_string(),
        subject: first.subject.to_string(),
        name: first.name.to_string(),
        unit: first.unit.to_string(),
        step_s: f64::from(u32::try_from(step).unwrap_or(u32::MAX)),
        values: means.into_iter().map(Mean::value).collect(),
        mean: inside.value(),
        max,
    })
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

const SECOND: u64 = 1_000_000_000;
const MOST_STEPS: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { start_ms: 1000, end_ms: 4000 };

    fn reading(at_ms: u64, subject: &str, name: &str, value: f64) -> Reading {
        Reading {
            at_ns: at_ms * 1_000_000,
            source: "proc".into(),
            subject: subject.into(),
            name: name.into(),
            unit: "%".into(),
            value,
        }
    }

    #[test]
    fn steps_are_means_and_the_window_has_its_own() {
        let readings = [
            reading(500, "machine", "cpu/user", 90.0), // in the warm-up
            reading(1200, "machine", "cpu/user", 10.0),
            reading(1700, "machine", "cpu/user", 20.0),
            reading(1800, "machine", "cpu/user", f64::NAN), // no number
            reading(3000, "machine", "cpu/user", 60.0),
            reading(4500, "machine", "cpu/user", 80.0), // in the grace
            reading(9000, "machine", "cpu/user", 99.0), // after it
            reading(1000, "machine", "cpu/system", 1.0),
            reading(1000, "1 node", "cpu/user", 2.0),
        ];
        let found = series(&readings, WINDOW, Span::from_secs(2));
        let names: Vec<_> = found.iter().map(|own| (own.subject.as_str(), own.name.as_str())).collect();
        assert_eq!(names, [("1 node", "cpu/user"), ("machine", "cpu/system"), ("machine", "cpu/user")]);
        let user = &found[2];
        assert_eq!(user.values, [Some(90.0), Some(15.0), None, Some(60.0), Some(80.0)]);
        assert_eq!((user.mean, user.max, user.step_s), (Some(30.0), Some(60.0), 1.0));
        assert_eq!(series(&[], WINDOW, Span::ZERO), []);
    }

    #[test]
    fn a_long_stage_has_longer_steps() {
        let window = Window { start_ms: 0, end_ms: 1_000_000 };
        let readings: Vec<Reading> =
            (0..1000).map(|n| reading(n * 1000, "machine", "cpu/user", 1.0)).collect();
        let found = series(&readings, window, Span::ZERO);
        assert_eq!((found[0].values.len(), found[0].step_s), (250, 4.0));
        assert!(found[0].values.iter().all(|value| *value == Some(1.0)));
    }
}
