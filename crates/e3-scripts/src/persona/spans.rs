//! Arguments that are spans of time.

use std::time::Duration;

use e3_model::{ArgumentFault, Arguments, Span};

/// Returns an argument that is a span above 0, or its default.
///
/// # Errors
/// What is written instead.
pub(super) fn span(arguments: &Arguments, name: &str, default: Span) -> Result<Duration, ArgumentFault> {
    let fault = |reason: String| {
        let message = format!("the argument {name:?} is no span of time: {reason}");
        ArgumentFault::new(format!("/{name}"), message).hint("such as \"5s\" or \"500ms\"")
    };
    let Some(given) = arguments.get(name) else { return Ok(default.to_duration()) };
    let span: Span = serde_json::from_value(given.clone()).map_err(|error| fault(error.to_string()))?;
    if span == Span::ZERO { Err(fault("it must be above 0".to_owned())) } else { Ok(span.to_duration()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_are_written_as_everywhere() {
        for (given, expected) in [
            (json!({}), Some(5_000)),
            (json!({"poll": "250ms"}), Some(250)),
            (json!({"poll": "2m"}), Some(120_000)),
            (json!({"poll": 1500}), Some(1_500)),
            (json!({"poll": "0s"}), None),
            (json!({"poll": "soon"}), None),
            (json!({"poll": true}), None),
        ] {
            let arguments: Arguments = serde_json::from_value(given.clone()).unwrap();
            let span = span(&arguments, "poll", Span::from_secs(5));
            assert_eq!(span.ok(), expected.map(Duration::from_millis), "{given}");
        }
    }
}
