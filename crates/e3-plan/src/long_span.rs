//! Spans of time that are longer than E3 allows: what a schema cannot say of text.

use e3_model::Span;
use serde_json::Value;

use crate::violation::Violation;
use crate::{pointer, words};

/// Adds spans that have the right form but are too long: a schema cannot say that.
pub(crate) fn report(value: &Value, at: &str, violations: &mut Vec<Violation>) {
    match value {
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                if entry.is_object() || entry.is_array() {
                    report(entry, &pointer::join(at, index), violations);
                }
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text) if SPANS.contains(&key.as_str()) && is_long_span(text) => {
                        let pointer = pointer::join(at, key);
                        let message = format!(
                            "{key:?} is {}; it must be at most 366 days",
                            words::shown(&Value::from(text.as_str()))
                        );
                        violations.push(Violation::of("out-of-range", &pointer, message));
                    }
                    Value::Object(_) | Value::Array(_) if key != "parameters" => {
                        report(member, &pointer::join(at, key), violations);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn is_long_span(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    number.parse::<f64>().is_ok_and(|number| number > 1.0)
        && number.starts_with(|c: char| c.is_ascii_digit())
        && text.parse::<Span>().is_err()
        && format!("1{}", text.get(number.len()..).unwrap_or_default()).parse::<Span>().is_ok()
}

/// The keys whose values are spans of time.
const SPANS: &[&str] = &["duration", "rampUp", "warmUp", "thinkTime", "mean", "lease", "interval"];
