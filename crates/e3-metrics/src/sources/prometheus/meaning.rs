//! What a sample is shown as.

use super::exposition::{Kind, Sample};

/// What becomes of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// It is shown as it is, times a factor.
    State(f64, &'static str),
    /// It is counted: how fast it grows is shown, times a factor.
    Growth(f64, &'static str),
    /// It is the sum of a mean, which is shown times a factor.
    Sum(f64, &'static str),
    /// It is the count of a mean, and is shown as a rate, too.
    Count,
    /// It is left out.
    Nothing,
}

impl Meaning {
    /// Returns what becomes of a sample, by its kind and the unit at the end of its name.
    ///
    /// Source: Prometheus' "Metric and label naming": base units, `_total` behind them for what is counted.
    pub(super) fn of(sample: &Sample) -> Self {
        let name = sample.name.as_str();
        let part = name.strip_prefix(sample.family.as_str()).unwrap_or_default();
        match (sample.kind, part) {
            (Kind::Histogram | Kind::Summary, "_sum") => {
                let (factor, unit) = state_unit(&sample.family);
                Self::Sum(factor, unit)
            }
            (Kind::Histogram | Kind::Summary, "_count") => Self::Count,
            (Kind::Histogram, _) => Self::Nothing,
            (Kind::Counter, _) => Self::growth(name),
            (Kind::Untyped, _) if name.ends_with("_total") => Self::growth(name),
            (Kind::Gauge | Kind::Untyped | Kind::Summary, _) => {
                let (factor, unit) = state_unit(&sample.family);
                Self::State(factor, unit)
            }
        }
    }

    fn growth(name: &str) -> Self {
        let name = name.strip_suffix("_total").unwrap_or(name);
        if name.ends_with("_bytes") {
            Self::Growth(1.0, "bytes/s")
        } else if name.ends_with("cpu_seconds") {
            // Of one CPU.
            Self::Growth(100.0, "%")
        } else if name.ends_with("_seconds") {
            // Seconds per second: how many of it there were at once, on average.
            Self::Growth(1.0, "")
        } else {
            Self::Growth(1.0, "1/s")
        }
    }
}

/// A point in time is left as it is: only its name tells it from a length.
fn state_unit(family: &str) -> (f64, &'static str) {
    if family.ends_with("_bytes") {
        (1.0, "bytes")
    } else if family.ends_with("_milliseconds") {
        (1.0, "ms")
    } else if family.ends_with("_seconds")
        && !family.ends_with("_time_seconds")
        && !family.contains("timestamp")
    {
        (1_000.0, "ms")
    } else {
        (1.0, "")
    }
}

#[cfg(test)]
mod tests {
    use super::super::exposition::parse;
    use super::*;

    #[test]
    fn units_come_from_names() {
        for (text, expected) in [
            ("# TYPE a_total counter\na_total 1", Meaning::Growth(1.0, "1/s")),
            ("a_total 1", Meaning::Growth(1.0, "1/s")),
            ("# TYPE a_bytes_total counter\na_bytes_total 1", Meaning::Growth(1.0, "bytes/s")),
            (
                "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1",
                Meaning::Growth(100.0, "%"),
            ),
            ("# TYPE busy_seconds_total counter\nbusy_seconds_total 1", Meaning::Growth(1.0, "")),
            ("# TYPE a gauge\na 1", Meaning::State(1.0, "")),
            ("# TYPE a_bytes gauge\na_bytes 1", Meaning::State(1.0, "bytes")),
            ("# TYPE a_seconds gauge\na_seconds 1", Meaning::State(1_000.0, "ms")),
            (
                "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1",
                Meaning::State(1.0, ""),
            ),
            ("# TYPE a_seconds summary\na_seconds_sum 1", Meaning::Sum(1_000.0, "ms")),
            ("# TYPE a_bytes histogram\na_bytes_sum 1", Meaning::Sum(1.0, "bytes")),
            ("# TYPE a_seconds histogram\na_seconds_count 1", Meaning::Count),
            ("# TYPE a_seconds histogram\na_seconds_bucket{le=\"1\"} 1", Meaning::Nothing),
            ("# TYPE a_seconds summary\na_seconds{quantile=\"0.9\"} 1", Meaning::State(1_000.0, "ms")),
        ] {
            let exposition = parse(&format!("{text}\n"));
            assert_eq!(Meaning::of(&exposition.samples[0]), expected, "{text}");
        }
    }
}
