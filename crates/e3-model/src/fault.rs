//! Faults: what an experiment does to its own githost, to prove a file before it costs money.

mod problem;
mod route;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Distribution, Span, quantity};

pub use problem::FaultProblem;
pub use route::FaultRoute;

/// A disturbance of some of the requests to a githost; those that match several suffer all of them, in their order.
///
/// `git` and its parts mean requests for a repository that the user may use; one that is refused, such as git's first
/// without a password, is not worked on and not disturbed. One command over SSH is one request to `git`, and as many to
/// `refs`, `fetch` and `push` as it has of these parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Fault {
    /// Which requests: `rest`, `web`, `git`, `fetch` (clones included), `push`, `refs` (ref advertisements and questions for
    /// refs), or a path that begins with `/` and matches all below it, whatever its case; left out, every request but those
    /// to `/status`, `/metrics` and the switch, which are never disturbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// How much longer each takes, before it is answered; no draw is longer than an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Distribution>,
    /// Times in which none is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<Stall>,
    /// The share that fails, 0 to 1, drawn for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub error_rate: Option<f64>,
    /// The HTTP status of those that fail; the default is 500. Over SSH they end with exit status 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 400, max = 599))]
    pub status: Option<u16>,
    /// The share whose connection is cut without an answer, 0 to 1, drawn for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub drop_rate: Option<f64>,
    /// How many bytes of a pack or an answer leave per second at most, each request by itself: a slow disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024))]
    pub bytes_per_second: Option<u64>,
    /// How many are worked on at once, `latency` included; more wait for their turn, the first to come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub slots: Option<u32>,
}

/// Times in which no request is answered: one that arrives then, or would be answered then, waits for their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Stall {
    /// When the first begins, from the moment at which the fault is switched on.
    #[serde(default)]
    pub after: Span,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub length: Span,
    /// From one start to the next; left out, it happens once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
}

impl fmt::Display for Fault {
    /// Writes it in words, such as `fetch: +200 ms, 10 % fail with 503`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.route.as_deref().unwrap_or("every request"))?;
        let percent = |share: f64| quantity::short(share * 100.0);
        let effects = [
            self.latency.map(|latency| format!("+{latency}")),
            self.stall.map(|stall| stall.to_string()),
            self.error_rate.map(|rate| format!("{} % fail with {}", percent(rate), self.failing_status())),
            self.drop_rate.map(|rate| format!("{} % cut off", percent(rate))),
            self.bytes_per_second.map(|bytes| format!("at most {}/s each", quantity::bytes(bytes))),
            self.slots.map(|slots| format!("at most {slots} at once")),
        ];
        let effects: Vec<String> = effects.into_iter().flatten().collect();
        f.write_str(if effects.is_empty() { "nothing" } else { "" })?;
        f.write_str(&effects.join(", "))
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stalls for {}", self.length)?;
        match self.every {
            Some(every) => write!(f, " every {every}")?,
            None => f.write_str(" once")?,
        }
        if self.after > Span::ZERO { write!(f, ", first after {}", self.after) } else { Ok(()) }
    }
}

impl Fault {
    /// Returns the HTTP status of those that fail.
    pub fn failing_status(&self) -> u16 {
        self.status.unwrap_or(500)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_in_words() {
        for (json, words) in [
            (r#"{"route": "fetch", "latency": "200ms"}"#, "fetch: +200 ms"),
            (
                r#"{"errorRate": 0.125, "status": 503, "dropRate": 1}"#,
                "every request: 12.5 % fail with 503, 100 % cut off",
            ),
            (
                r#"{"route": "/scm/a", "stall": {"for": "2s", "every": "1m", "after": 500}, "slots": 4}"#,
                "/scm/a: stalls for 2 s every 1 min, first after 500 ms, at most 4 at once",
            ),
            (
                r#"{"route": "git", "latency": {"distribution": "exponential", "mean": 20}, "bytesPerSecond": 1500000}"#,
                "git: +exponential, mean 20 ms, at most 1.50 MB/s each",
            ),
            (
                r#"{"errorRate": 1, "stall": {"for": 50}}"#,
                "every request: stalls for 50 ms once, 100 % fail with 500",
            ),
            ("{}", "every request: nothing"),
        ] {
            let fault: Fault = serde_json::from_str(json).unwrap();
            assert_eq!(fault.to_string(), words);
            let again: Fault = serde_json::from_value(serde_json::to_value(&fault).unwrap()).unwrap();
            assert_eq!(again, fault);
        }
        assert!(serde_json::from_str::<Fault>(r#"{"rout": "git"}"#).is_err());
    }
}
