//! A span of time as a document writes it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A span of time, whole milliseconds, at most 366 days.
///
/// Read from a bare number (milliseconds, as in the first E3) or from text such as `"250ms"`, `"90s"`, `"10m"`,
/// `"1.5h"`; written as milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    /// The span of no length.
    pub const ZERO: Self = Self(0);
    /// The longest span a document may name: 366 days.
    pub const MAX: Self = Self(366 * 24 * 3_600_000);

    /// Returns the span of so many milliseconds, cut at [`Span::MAX`].
    pub const fn from_millis(milliseconds: u64) -> Self {
        if milliseconds > Self::MAX.0 { Self::MAX } else { Self(milliseconds) }
    }

    /// Returns the span of so many seconds, cut at [`Span::MAX`].
    pub const fn from_secs(seconds: u64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// Returns the length in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the length in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.to_duration().as_secs_f64()
    }

    /// Returns the same length as a [`Duration`].
    pub const fn to_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }

    /// Returns the length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0 * 1_000_000
    }
}

/// Says why a text is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a span of time: write milliseconds as a number, or text such as \"250ms\", \"90s\", \"10m\", \"2h\""
)]
pub struct SpanError(pub String);

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError(text.to_owned());
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(split);
        let factor = match unit.trim() {
            "ms" | "" => 1.0,
            "s" => 1_000.0,
            "m" | "min" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return Err(wrong()),
        };
        let number = number.trim();
        if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return Err(wrong());
        }
        let value: f64 = number.parse().map_err(|_| wrong())?;
        from_f64(value * factor).ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0 s"),
            ms if ms % 3_600_000 == 0 => write!(f, "{} h", ms / 3_600_000),
            ms if ms % 60_000 == 0 => write!(f, "{} min", ms / 60_000),
            ms if ms % 1000 == 0 => write!(f, "{} s", ms / 1000),
            ms if ms > 1000 => write!(f, "{:.1} s", self.as_secs_f64()),
            ms => write!(f, "{ms} ms"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds, or text such as \"90s\" or \"10m\"")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Span, E> {
                if value > Span::MAX.0 {
                    Err(E::custom(SpanError(value.to_string())))
                } else {
                    Ok(Span(value))
                }
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Span, E> {
                u64::try_from(value)
                    .map_err(|_| E::custom(SpanError(value.to_string())))
                    .and_then(|v| self.visit_u64(v))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Span, E> {
                from_f64(value).ok_or_else(|| E::custom(SpanError(value.to_string())))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A span of time: milliseconds as a number, or text such as \"250ms\", \"90s\", \"10m\", \"2h\".",
            "type": ["integer", "string"],
            "minimum": 0,
            "maximum": Span::MAX.0,
            "pattern": "^[0-9]+(\\.[0-9]+)? ?(ms|s|m|min|h|d)?$"
        })
    }
}

fn from_f64(milliseconds: f64) -> Option<Span> {
    let rounded = milliseconds.round();
    #[expect(clippy::cast_precision_loss, reason = "the maximum is far below 2^53")]
    let maximum = Span::MAX.0 as f64;
    if !(0.0..=maximum).contains(&rounded) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "just checked to be within range"
    )]
    let whole = rounded as u64;
    Some(Span(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_documents_write() {
        for (text, milliseconds) in [
            ("300000", 300_000), // the first E3: a bare number is milliseconds
            ("\"90s\"", 90_000),
            ("\"10m\"", 600_000),
            ("\"1.5h\"", 5_400_000),
            ("\"250ms\"", 250),
            ("\"0s\"", 0),
            ("6e3", 6_000),
        ] {
            assert_eq!(
                serde_json::from_str::<Span>(text).unwrap(),
                Span::from_millis(milliseconds),
                "{text}"
            );
        }
        for bad in [
            "-1",
            "\"\"",
            "\"s\"",
            "\"5 parsecs\"",
            "\"-5s\"",
            "\"1e9s\"",
            "\"99999999d\"",
            "1e300",
            "null",
            "\"NaN\"",
        ] {
            assert!(serde_json::from_str::<Span>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn shows_the_largest_whole_unit() {
        for (milliseconds, shown) in [
            (0, "0 s"),
            (250, "250 ms"),
            (1500, "1.5 s"),
            (90_000, "90 s"),
            (600_000, "10 min"),
            (7_200_000, "2 h"),
        ] {
            assert_eq!(Span::from_millis(milliseconds).to_string(), shown);
        }
    }
}
