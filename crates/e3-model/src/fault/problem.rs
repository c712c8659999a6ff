//! What can be wrong with a fault, told before it is switched on.

use crate::{Distribution, Fault, FaultRoute, Shape, Span, Stall};

/// What is wrong with a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultProblem {
    /// The key in question; empty for the fault as a whole.
    pub key: &'static str,
    /// What was found and what is allowed, as one sentence.
    pub message: String,
}

impl Fault {
    /// The most faults that can be on at a time.
    pub const MOST: usize = 32;
    /// The longest that a fault may hold up a request, but for its turn.
    pub const LONGEST: Span = Span::from_secs(3600);

    /// The keys by which a fault does something.
    pub const EFFECTS: [&'static str; 6] =
        ["latency", "stall", "errorRate", "dropRate", "bytesPerSecond", "slots"];

    /// Returns everything that is wrong with it, in the order of its keys; nothing for one that can be switched on.
    pub fn problems(&self) -> Vec<FaultProblem> {
        let mut problems: Vec<FaultProblem> = Vec::new();
        let mut add = |key, message: String| problems.push(FaultProblem { key, message });
        if let Some(written) = &self.route {
            match FaultRoute::parse(Some(written)) {
                None => add("route", format!("there is no route {written:?}")),
                Some(_) if FaultRoute::is_spared(written) => {
                    add("route", format!("requests to {written:?} are never disturbed"));
                }
                Some(_) => {}
            }
        }
        if let Some(why) = self.latency.as_ref().and_then(wrong_latency) {
            add("latency", why);
        }
        if let Some(why) = self.stall.and_then(wrong_stall) {
            add("stall", why);
        }
        for (key, rate) in [("errorRate", self.error_rate), ("dropRate", self.drop_rate)] {
            if let Some(rate) = rate.filter(|rate| !(0.0..=1.0).contains(rate)) {
                add(key, format!("{key:?} is {rate}; it is a share, from 0 to 1"));
            }
        }
        match self.status {
            Some(status) if !(400..=599).contains(&status) => {
                add("status", format!("\"status\" is {status}; a failure's is from 400 to 599"));
            }
            Some(_) if self.error_rate.is_none() => {
                add("status", "\"status\" has no effect without \"errorRate\"".to_owned());
            }
            _ => {}
        }
        if let Some(bytes) = self.bytes_per_second.filter(|bytes| *bytes < SLOWEST) {
            add("bytesPerSecond", format!("\"bytesPerSecond\" is {bytes}; it is at least {SLOWEST}"));
        }
        if self.slots == Some(0) {
            add("slots", "\"slots\" is 0, so that no request would ever get its turn".to_owned());
        }
        if (Self { route: None, status: None, ..self.clone() }) == Self::default() {
            add(
                "",
                format!("a fault without any effect; it has one or more of {}", Self::EFFECTS.join(", ")),
            );
        }
        problems
    }
}

fn wrong_latency(latency: &Distribution) -> Option<String> {
    if let Distribution::Shaped(Shape::LogNormal { sigma, .. }) = latency
        && !(0.0..=3.0).contains(sigma)
    {
        return Some(format!("\"sigma\" is {sigma}; it is from 0 to 3"));
    }
    too_long("\"latency\"", latency.mean())
}

fn wrong_stall(stall: Stall) -> Option<String> {
    let Stall { after, length, every } = stall;
    if length == Span::ZERO {
        return Some("a stall \"for\" no time is none".to_owned());
    }
    if every.is_some_and(|every| every <= length) {
        return Some(format!("a stall for {length} that begins again before it has ended never ends"));
    }
    too_long("a stall's \"for\"", length).or_else(|| too_long("a stall's \"after\"", after))
}

fn too_long(what: &str, span: Span) -> Option<String> {
    (span > Fault::LONGEST).then(|| format!("{what} is {span}; it is at most {}", Fault::LONGEST))
}

/// Slower, githost itself would give up an answer that its client does not take.
const SLOWEST: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_be_wrong_is_told_and_what_is_right_is_not() {
        for (json, expected) in [
            (r#"{"route": "fetch", "latency": "200ms"}"#, ""),
            (r#"{"errorRate": 0, "status": 429}"#, ""),
            (r#"{"stall": {"for": "2s", "every": "3s"}, "slots": 1, "bytesPerSecond": 1024}"#, ""),
            (r#"{"route": "clone", "dropRate": 1}"#, "route: there is no route \"clone\""),
            (r#"{"route": "/status", "slots": 1}"#, "route: requests to \"/status\" are never disturbed"),
            (r#"{"latency": "2h"}"#, "latency: \"latency\" is 2 h; it is at most 1 h"),
            (
                r#"{"latency": {"distribution": "log-normal", "mean": 5, "sigma": 4}}"#,
                "latency: \"sigma\" is 4; it is from 0 to 3",
            ),
            (r#"{"stall": {"for": 0}}"#, "stall: a stall \"for\" no time is none"),
            (
                r#"{"stall": {"for": "2s", "every": "2s"}}"#,
                "stall: a stall for 2 s that begins again before it has ended never ends",
            ),
            (r#"{"stall": {"for": "2h"}}"#, "stall: a stall's \"for\" is 2 h; it is at most 1 h"),
            (r#"{"errorRate": 1.5}"#, "errorRate: \"errorRate\" is 1.5; it is a share, from 0 to 1"),
            (r#"{"dropRate": -0.5}"#, "dropRate: \"dropRate\" is -0.5; it is a share, from 0 to 1"),
            (
                r#"{"errorRate": 1, "status": 200}"#,
                "status: \"status\" is 200; a failure's is from 400 to 599",
            ),
            (r#"{"slots": 1, "status": 503}"#, "status: \"status\" has no effect without \"errorRate\""),
            (r#"{"bytesPerSecond": 10}"#, "bytesPerSecond: \"bytesPerSecond\" is 10; it is at least 1024"),
            (r#"{"slots": 0}"#, "slots: \"slots\" is 0, so that no request would ever get its turn"),
            (
                r#"{"route": "git"}"#,
                ": a fault without any effect; it has one or more of latency, stall, errorRate, dropRate, bytesPerSecond, slots",
            ),
        ] {
            let fault: Fault = serde_json::from_str(json).unwrap();
            let found: Vec<String> = fault
                .problems()
                .iter()
                .map(|problem| format!("{}: {}", problem.key, problem.message))
                .collect();
            assert_eq!(found.join("; "), expected, "{json}");
        }
    }
}
