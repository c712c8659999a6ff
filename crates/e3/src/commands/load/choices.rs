//! The words and numbers that flags of `e3 load` take.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use e3_model::{Arrival, Connections, GitClient, HttpVersion, Rate, RateRamp, Verify};

/// Words, and what each stands for.
pub(super) type Choices<T> = &'static [(&'static str, T)];

pub(super) const ARRIVALS: Choices<Arrival> =
    &[("constant", Arrival::Constant), ("poisson", Arrival::Poisson)];
pub(super) const CONNECTIONS: Choices<Connections> =
    &[("keep-alive", Connections::KeepAlive), ("per-op", Connections::PerOp)];
pub(super) const VERSIONS: Choices<HttpVersion> = &[("1.1", HttpVersion::Http1), ("2", HttpVersion::Http2)];
pub(super) const VERIFICATIONS: Choices<Verify> = &[("always", Verify::Always), ("sampled", Verify::Sampled)];
pub(super) const GIT_CLIENTS: Choices<GitClient> = &[("native", GitClient::Native), ("git", GitClient::Git)];

/// Returns what reads one of these words.
pub(super) fn one_of<T: Copy + Send + Sync>(choices: Choices<T>) -> impl TypedValueParser<Value = T> {
    let words = PossibleValuesParser::new(choices.iter().map(|(word, _)| *word));
    let choice = |typed: &str| choices.iter().find(|(word, _)| *word == typed).map(|(_, value)| *value);
    words.try_map(move |typed: String| choice(&typed).ok_or("it is none of them"))
}

/// Reads a rate: `20`, `20/s`, or `10..200` for a ramp.
///
/// # Errors
/// When a number is none, or out of range.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    match text.split_once("..") {
        Some((from, to)) => {
            let end = |text| number(text).and_then(|rate| within(rate, 0.0));
            Ok(Rate::Ramp(RateRamp { from: end(from)?, to: end(to)? }))
        }
        None => Ok(Rate::Held(number(text).and_then(|rate| within(rate, LEAST))?)),
    }
}

fn number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number =
        text.strip_suffix("/s").unwrap_or(text).parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| {
        format!("{text:?} is no number of starts per second, such as 20, or 10..200 for a ramp")
    })
}

fn within(rate: f64, least: f64) -> Result<f64, String> {
    if (least..=MOST).contains(&rate) {
        Ok(rate)
    } else {
        Err(format!("{rate} is not from {least} to {MOST}"))
    }
}

/// As in an experiment's file.
const LEAST: f64 = 0.000_001;
const MOST: f64 = 1_000_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_numbers_or_ramps() {
        let ramp = |from, to| Ok(Rate::Ramp(RateRamp { from, to }));
        for (text, expected) in [
            ("20", Ok(Rate::Held(20.0))),
            ("0.5", Ok(Rate::Held(0.5))),
            ("20/s", Ok(Rate::Held(20.0))),
            ("10..200", ramp(10.0, 200.0)),
            ("0 .. 1.5/s", ramp(0.0, 1.5)),
            ("200..0", ramp(200.0, 0.0)),
        ] {
            assert_eq!(rate(text), expected, "{text}");
        }
        for (text, said) in [
            ("fast", "\"fast\" is no number of starts per second"),
            ("", "\"\" is no number"),
            ("10..", "\"\" is no number"),
            ("NaN", "\"NaN\" is no number"),
            ("inf", "\"inf\" is no number"),
            ("0", "0 is not from 0.000001 to 1000000"),
            ("-5", "-5 is not from"),
            ("1e7", "10000000 is not from"),
            ("-1..5", "-1 is not from 0 to"),
            ("10-200", "\"10-200\" is no number"),
        ] {
            let read = rate(text);
            assert!(read.as_ref().is_err_and(|error| error.contains(said)), "{text}: {read:?}");
        }
    }

    #[test]
    fn words_are_those_of_the_documents() {
        fn same<T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(choices: Choices<T>) {
            for (word, value) in choices {
                let camel = word.replace("-a", "A").replace("-o", "O");
                assert_eq!(&serde_json::from_value::<T>(camel.into()).unwrap(), value, "{word}");
            }
        }
        same(ARRIVALS);
        same(CONNECTIONS);
        same(VERSIONS);
        same(VERIFICATIONS);
        same(GIT_CLIENTS);
    }
}
