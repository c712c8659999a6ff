//! A distribution of waiting times, for think time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Span;

/// A waiting time: either one span for always, or a shape with its mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Distribution {
    /// The same span every time.
    Constant(Span),
    /// A random span with the given mean.
    Shaped(Shape),
}

/// A random span's shape and mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "distribution", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// Every span equals the mean.
    Constant {
        /// The mean.
        mean: Span,
    },
    /// Memoryless: the usual model of people who act independently.
    Exponential {
        /// The mean.
        mean: Span,
    },
    /// Log-normal: most short, a few long.
    LogNormal {
        /// The mean of the span itself, not of its logarithm.
        mean: Span,
        /// The standard deviation of the span's natural logarithm, 0 to 3.
        #[schemars(range(min = 0.0, max = 3.0))]
        sigma: f64,
    },
}

impl Distribution {
    /// No waiting at all.
    pub const NONE: Self = Self::Constant(Span::ZERO);

    /// Returns the mean span.
    pub fn mean(&self) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Shaped(
                Shape::Constant { mean } | Shape::Exponential { mean } | Shape::LogNormal { mean, .. },
            ) => *mean,
        }
    }
}

impl std::fmt::Display for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Constant(span) | Self::Shaped(Shape::Constant { mean: span }) => write!(f, "{span}"),
            Self::Shaped(Shape::Exponential { mean }) => write!(f, "exponential, mean {mean}"),
            Self::Shaped(Shape::LogNormal { mean, sigma }) => {
                write!(f, "log-normal, mean {mean}, sigma {sigma}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        assert_eq!(serde_json::from_str::<Distribution>("\"2s\"").unwrap().mean(), Span::from_secs(2));
        let shaped: Distribution =
            serde_json::from_str(r#"{"distribution": "exponential", "mean": "500ms"}"#).unwrap();
        assert_eq!(shaped, Distribution::Shaped(Shape::Exponential { mean: Span::from_millis(500) }));
        assert!(serde_json::from_str::<Distribution>(r#"{"distribution": "normal", "mean": 1}"#).is_err());
    }
}
