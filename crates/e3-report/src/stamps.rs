//! Stamps in plain words: what may be concluded from the numbers, and what may not.

use e3_model::{Analysis, Order, StageAnalysis, StageOutcome, Stamp, quantity};
use serde::Serialize;

use crate::figure::stage_name;
use crate::honesty::passed;

/// One limit, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StampWords {
    /// `note`, `warning` or `invalid`: how it is coloured.
    pub(crate) weight: &'static str,
    pub(crate) name: &'static str,
    pub(crate) title: String,
    /// One paragraph each.
    pub(crate) paragraphs: Vec<String>,
    /// The stages it applies to; empty when it applies to all.
    pub(crate) stages: Vec<String>,
}

/// Returns the limits of an analysis, the weightiest first.
pub(crate) fn stamps(analysis: &Analysis) -> Vec<StampWords> {
    let mut stamps: Vec<StampWords> = analysis.stamps.iter().map(|stamp| words(analysis, *stamp)).collect();
    stamps.sort_by_key(|stamp| {
        ["invalid", "warning", "note"].iter().position(|weight| *weight == stamp.weight)
    });
    stamps
}

/// A stamp beside a chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StampTag {
    /// `note`, `warning` or `invalid`: how it is coloured.
    pub(crate) weight: &'static str,
    /// Its name and, where not every stage shown has it, in how many.
    pub(crate) text: String,
}

/// Returns the stamps of some stages, the weightiest first.
pub(crate) fn tags(stages: &[&StageAnalysis]) -> Vec<StampTag> {
    let tag = |(stamp, weight): (Stamp, &'static str)| {
        let stamped = stages.iter().filter(|stage| stage.stamps.contains(&stamp)).count();
        let text = match stamped {
            0 => return None,
            all if all == stages.len() => name(stamp).to_owned(),
            some => format!("{} ({some} of {} stages)", name(stamp), stages.len()),
        };
        Some(StampTag { weight, text })
    };
    WEIGHTS.into_iter().filter_map(tag).collect()
}

/// Returns a stamp's name in documents and tables.
pub(crate) fn name(stamp: Stamp) -> &'static str {
    match stamp {
        Stamp::CoLocated => "co-located",
        Stamp::ClientBound => "client-bound",
        Stamp::Incomplete => "incomplete",
        Stamp::SamplesLost => "samples-lost",
        Stamp::ConcurrencyBound => "concurrency-bound",
        Stamp::Disturbed => "disturbed",
    }
}

fn words(analysis: &Analysis, stamp: Stamp) -> StampWords {
    let (stages, all) = stamped(analysis, stamp);
    match stamp {
        Stamp::CoLocated => co_located(analysis, stages),
        Stamp::ClientBound => StampWords {
            weight: "invalid",
            name: name(stamp),
            title: format!("The load generator was the bottleneck in {} of {all} stages", stages.len()),
            paragraphs: vec![
                "The worker passed a limit of its honesty meter: what was measured says as much about it as about the system under test. These stages say nothing about the system.".to_owned(),
            ],
            stages,
        },
        Stamp::SamplesLost => StampWords {
            weight: "invalid",
            name: name(stamp),
            title: format!("Samples were lost in {} of {all} stages", stages.len()),
            paragraphs: vec![
                "Not every op that ran was recorded, so these stages’ counts are too low.".to_owned(),
            ],
            stages,
        },
        Stamp::ConcurrencyBound => concurrency_bound(analysis, stages, all),
        Stamp::Disturbed => StampWords {
            weight: "warning",
            name: name(stamp),
            title: format!("Rehearsal: the system was disturbed on purpose in {} of {all} stages", stages.len()),
            paragraphs: vec![
                "Faults slowed these stages’ requests down or made them fail, as the experiment asks for. Their numbers show whether the experiment would see that; they say nothing about the product.".to_owned(),
            ],
            stages,
        },
        Stamp::Incomplete => StampWords {
            weight: "warning",
            name: name(stamp),
            title: format!("{} of {all} stages did not run to their end", stages.len()),
            paragraphs: vec![
                "Their numbers cover the time for which they ran, and are less certain for it.".to_owned(),
            ],
            stages,
        },
    }
}

fn concurrency_bound(analysis: &Analysis, stages: Vec<String>, all: usize) -> StampWords {
    let mut arrivals =
        analysis.threads.iter().flat_map(|thread| &thread.stages).filter_map(|stage| stage.honesty.arrivals);
    let mut paragraphs = vec![
        "As many ops were under way as the experiment allows at a time, so what came due began late. Latency counts from when it was due: the wait is in the numbers, and so is a system that cannot keep up. A larger bound (maxClients) tells that from a bound that is too small.".to_owned(),
    ];
    if arrivals.any(|own| own.unstarted > 0) {
        paragraphs.push(
            "Arrivals that had not begun when their stage ended have no latency, so the percentiles of the successes are too low there. “All due” counts them with what they had waited, at least.".to_owned(),
        );
    }
    StampWords {
        weight: "warning",
        name: name(Stamp::ConcurrencyBound),
        title: format!("Every client was busy at times in {} of {all} stages", stages.len()),
        paragraphs,
        stages,
    }
}

fn co_located(analysis: &Analysis, stages: Vec<String>) -> StampWords {
    let (_, all) = stamped(analysis, Stamp::CoLocated);
    let compared = match (analysis.threads.len(), analysis.order) {
        (0 | 1, _) => "You may compare the stages with each other: they ran under the same conditions.",
        (_, Order::Interleaved) => {
            "You may compare the threads with each other. They took turns on the same machine, under the same conditions."
        }
        (_, Order::Parallel) => {
            "The threads ran at the same time on the same machine and disturbed each other: none gets a verdict."
        }
    };
    StampWords {
        weight: "note",
        name: name(Stamp::CoLocated),
        title: "Load and system shared a machine".to_owned(),
        paragraphs: vec![
            compared.to_owned(),
            "You may not read these numbers as capacity. The clients took CPU, memory and disk from the system they measured; on a machine of its own it would reach others.".to_owned(),
        ],
        stages: if stages.len() == all { Vec::new() } else { stages },
    }
}

/// Returns the stages with that stamp in words, and how many stages there are.
fn stamped(analysis: &Analysis, stamp: Stamp) -> (Vec<String>, usize) {
    let stages =
        || analysis.threads.iter().flat_map(|thread| thread.stages.iter().map(move |stage| (thread, stage)));
    let stamped = stages()
        .filter(|(_, stage)| stage.stamps.contains(&stamp))
        .map(|(thread, stage)| format!("{}{}", stage_name(&thread.name, stage), reason(stage, stamp)));
    (stamped.collect(), stages().count())
}

fn reason(stage: &StageAnalysis, stamp: Stamp) -> String {
    let honesty = &stage.honesty;
    match stamp {
        Stamp::Incomplete => match &stage.outcome {
            StageOutcome::Failed { reason } => format!(": {reason}"),
            StageOutcome::Interrupted => ": interrupted".to_owned(),
            StageOutcome::Completed => String::new(),
        },
        Stamp::ClientBound => match passed(honesty) {
            passed if passed.is_empty() => String::new(),
            passed => format!(": {passed}"),
        },
        Stamp::SamplesLost if honesty.lost_samples > 0 => {
            format!(": {} lost", quantity::count(honesty.lost_samples))
        }
        Stamp::ConcurrencyBound => honesty.arrivals.map_or_else(String::new, |arrivals| {
            format!(
                ": {} of {} arrivals late, {} never begun, the longest wait {}; at most {} at a time",
                quantity::count(arrivals.late),
                quantity::count(arrivals.due),
                quantity::count(arrivals.unstarted),
                quantity::latency(arrivals.longest_wait_ms),
                quantity::count(stage.clients.into())
            )
        }),
        Stamp::Disturbed => {
            let faults: Vec<String> = stage.faults.iter().map(ToString::to_string).collect();
            format!(": {}", faults.join("; "))
        }
        Stamp::SamplesLost | Stamp::CoLocated => String::new(),
    }
}

/// How much a stamp weighs, the weightiest first.
const WEIGHTS: [(Stamp, &str); 6] = [
    (Stamp::ClientBound, "invalid"),
    (Stamp::SamplesLost, "invalid"),
    (Stamp::Incomplete, "warning"),
    (Stamp::Disturbed, "warning"),
    (Stamp::ConcurrencyBound, "warning"),
    (Stamp::CoLocated, "note"),
];
