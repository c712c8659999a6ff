//! From samples to readings: what was counted becomes a rate, sums become means.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::exposition::Sample;
use super::meaning::Meaning;
use crate::Readout;
use crate::counter::Counter;

/// The series of one server, as they were when they were last read.
#[derive(Default)]
pub(super) struct AllSeries {
    counted: BTreeMap<Key, Counter>,
    means: BTreeMap<Key, Mean>,
    states: BTreeSet<Key>,
}

/// A name, `group/part`.
type Key = String;

/// A sum and a count, which grow together.
#[derive(Default)]
struct Mean {
    sum: Counter,
    count: Counter,
}

/// The parts of a mean in one look, in whichever order they come.
#[derive(Default)]
struct Parts {
    sum: Option<(f64, f64, &'static str)>,
    count: Option<f64>,
}

impl AllSeries {
    /// Adds what the samples of one look mean; returns whether some were left out because there are too many.
    pub(super) fn read(
        &mut self,
        place: (Instant, &Arc<str>),
        samples: &[Sample],
        readout: &mut Readout,
    ) -> bool {
        let mut left_out = false;
        let mut means: BTreeMap<Key, Parts> = BTreeMap::new();
        for sample in samples {
            let part = part_of(sample);
            let key = format!("{}/{part}", sample.name);
            let meaning = Meaning::of(sample);
            let is_of_mean = matches!(meaning, Meaning::Sum(..) | Meaning::Count);
            let mean = if is_of_mean { format!("{}_mean/{part}", sample.family) } else { String::new() };
            match meaning {
                Meaning::Nothing => {}
                _ if !self.has_room_for(if is_of_mean { &mean } else { &key }) => left_out = true,
                Meaning::State(factor, unit) => {
                    self.states.insert(key.clone());
                    readout.add(place, &key, unit, Some(sample.value * factor));
                }
                Meaning::Growth(factor, unit) => {
                    let rate = self.rate(&key, place.0, sample.value);
                    readout.add(place, &key, unit, rate.map(|rate| rate * factor));
                }
                Meaning::Sum(factor, unit) => {
                    means.entry(mean).or_default().sum = Some((sample.value, factor, unit));
                }
                Meaning::Count => {
                    readout.add(place, &key, "1/s", self.rate(&key, place.0, sample.value));
                    means.entry(mean).or_default().count = Some(sample.value);
                }
            }
        }
        for (key, parts) in means {
            if let Some(((sum, factor, unit), count)) = parts.sum.zip(parts.count) {
                let mean = self.mean(&key, place.0, (sum, count));
                readout.add(place, &key, unit, mean.map(|mean| mean * factor));
            }
        }
        left_out
    }

    /// Only finite counts go on: after one that is not, nothing could be told from the next.
    fn rate(&mut self, key: &str, at: Instant, value: f64) -> Option<f64> {
        self.counted.entry(key.to_owned()).or_default().rate(at, finite(value)?)
    }

    /// Returns the mean of what happened since the last look; none if nothing did.
    fn mean(&mut self, key: &str, at: Instant, (sum, count): (f64, f64)) -> Option<f64> {
        let mean = self.means.entry(key.to_owned()).or_default();
        let grown = (mean.sum.growth(at, finite(sum)?), mean.count.growth(at, finite(count)?));
        match grown {
            (Some((sum, _)), Some((count, _))) if count > 0.0 => Some(sum / count),
            _ => None,
        }
    }

    /// Returns whether a series may be added, or is known.
    fn has_room_for(&self, key: &str) -> bool {
        let known = self.counted.len() + self.means.len() + self.states.len();
        let is_known =
            self.counted.contains_key(key) || self.means.contains_key(key) || self.states.contains(key);
        is_known || known < MOST_SERIES
    }
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// Returns a sample's labels as one text, `value` if it has none.
fn part_of(sample: &Sample) -> String {
    if sample.labels.is_empty() {
        return "value".to_owned();
    }
    sample.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

/// How many series of one server are kept.
pub(super) const MOST_SERIES: usize = 500;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::exposition::parse;
    use super::*;

    /// Reads the texts a second apart; returns what the last one yields, as name, unit and value.
    fn last_of(texts: &[&str]) -> Vec<(String, String, f64)> {
        let (mut series, begun, subject) = (AllSeries::default(), Instant::now(), Arc::from("node"));
        let mut last = Readout::default();
        for (seconds, text) in (0..).zip(texts) {
            last = Readout::default();
            let exposition = parse(&format!("{text}\n"));
            assert_eq!(exposition.mistakes, [], "{text}");
            let at = begun + Duration::from_secs(seconds);
            assert!(!series.read((at, &subject), &exposition.samples, &mut last));
        }
        let plain = |observation: crate::Observation| {
            (observation.name.to_string(), observation.unit.to_string(), observation.value)
        };
        last.observations.into_iter().map(plain).collect()
    }

    fn shown(name: &str, unit: &str, value: f64) -> (String, String, f64) {
        (name.to_owned(), unit.to_owned(), value)
    }

    #[test]
    fn counters_become_rates_and_begin_anew_with_their_server() {
        let counter = "# TYPE a_total counter\na_total";
        let at = |value: u32| format!("{counter} {value}");
        assert_eq!(last_of(&[&at(5)]), [], "nothing before it");
        assert_eq!(last_of(&[&at(5), &at(8)]), [shown("a_total/value", "1/s", 3.0)]);
        assert_eq!(last_of(&[&at(5), &at(8), &at(2)]), [], "its server began anew");
        assert_eq!(last_of(&[&at(8), &at(2), &at(6)]), [shown("a_total/value", "1/s", 4.0)]);
        let none = format!("{counter} NaN");
        assert_eq!(last_of(&[&at(5), &none]), [], "no number, no reading");
        assert_eq!(
            last_of(&[&at(5), "b 1", &at(9)]),
            [shown("a_total/value", "1/s", 2.0)],
            "over both seconds"
        );
    }

    #[test]
    fn sums_and_counts_become_means_of_the_interval() {
        let at = |sum: f64, count: u32| {
            format!(
                "# TYPE a_seconds summary\na_seconds_sum{{m=\"x\"}} {sum}\na_seconds_count{{m=\"x\"}} {count}"
            )
        };
        let (count, mean) = ("a_seconds_count/m=x", "a_seconds_mean/m=x");
        assert_eq!(
            last_of(&[&at(10.0, 100), &at(10.5, 110)]),
            [shown(count, "1/s", 10.0), shown(mean, "ms", 50.0)]
        );
        // Source: Prometheus' client for Python writes the count first.
        let reversed = |text: String| {
            text.lines()
                .take(1)
                .chain(text.lines().skip(1).collect::<Vec<_>>().into_iter().rev())
                .collect::<Vec<_>>()
                .join("\n")
        };
        let (first, second) = (reversed(at(10.0, 100)), reversed(at(10.5, 110)));
        assert_eq!(last_of(&[&first, &second]).len(), 2);
        assert_eq!(
            last_of(&[&at(10.0, 100), &at(10.0, 100)]),
            [shown(count, "1/s", 0.0)],
            "a mean of nothing"
        );
        assert_eq!(last_of(&[&at(10.0, 100), &at(1.0, 10)]), [], "begun anew");
    }

    #[test]
    fn labels_are_the_part_of_a_name() {
        let text = "# TYPE a_bytes gauge\na_bytes{state=\"idle\",pool=\"r/w\"} 5\na_bytes 7";
        let expected =
            [shown("a_bytes/pool=r/w,state=idle", "bytes", 5.0), shown("a_bytes/value", "bytes", 7.0)];
        assert_eq!(last_of(&[text]), expected);
    }

    #[test]
    fn what_is_too_much_is_left_out_and_the_same_each_time() {
        let text: String = (0..700).map(|number| format!("a{{n=\"{number}\"}} {number}\n")).collect();
        let samples = parse(&text).samples;
        let (mut series, subject) = (AllSeries::default(), Arc::from("node"));
        for _ in 0..2 {
            let mut readout = Readout::default();
            assert!(series.read((Instant::now(), &subject), &samples, &mut readout));
            assert_eq!(readout.observations.len(), MOST_SERIES);
            assert_eq!(&*readout.observations[499].name, "a/n=499");
        }
    }
}
