//! What limits the numbers, in words.

use e3_model::{Honesty, OpStatistics, StageAnalysis, Stamp};

/// Returns what limits a stage's numbers, each with whether they are worth nothing then.
pub(super) fn notes(stage: &StageAnalysis) -> Vec<(String, bool)> {
    let mut notes: Vec<_> = stage.stamps.iter().filter_map(|stamp| note(*stamp, &stage.honesty)).collect();
    let lacks = |op: &OpStatistics| op.latency.as_ref().is_some_and(|latency| latency.p99_ms.is_none());
    if stage.ops.iter().any(lacks) {
        notes.push(("– stands where too few ops speak for a percentile.".to_owned(), false));
    }
    notes
}

fn note(stamp: Stamp, honesty: &Honesty) -> Option<(String, bool)> {
    match stamp {
        Stamp::CoLocated => Some((
            "The load and the system share this machine and slow each other down: compare these numbers, but do not take \
             them for what the system can do."
                .to_owned(),
            false,
        )),
        Stamp::ClientBound => {
            let reasons: Vec<String> = honesty.client_bound().iter().map(ToString::to_string).collect();
            let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
            Some((
                format!(
                    "This machine could not make the load in time{why}, so the numbers say nothing about the system: ask \
                     for less or use a larger machine."
                ),
                true,
            ))
        }
        Stamp::SamplesLost => Some(("Samples are missing, so the numbers are wrong.".to_owned(), true)),
        Stamp::ConcurrencyBound => Some((
            "Every client was busy at times, so that what was due then began late or not at all. Latency counts from when it \
             was due, so the wait is in it; --max-clients allows more at a time."
                .to_owned(),
            false,
        )),
        // The line above says so, and flags disturb nothing.
        Stamp::Incomplete | Stamp::Disturbed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_that_was_passed_is_named_with_what_was_measured() {
        let honesty = Honesty {
            scheduling_lag_p99_ms: 23.46,
            event_loop_delay_p99_ms: 1_200.0,
            worker_cpus: 1.95,
            cpus: 2,
            steal: Some(0.3),
            file_descriptors: 1_000,
            descriptor_limit: 1_024,
            segments_sent: Some(1_000),
            segments_retransmitted: Some(100),
            ..Honesty::default()
        };
        let (note, is_grave) = note(Stamp::ClientBound, &honesty).unwrap();
        assert!(is_grave);
        let reasons = honesty.client_bound();
        assert_eq!(reasons.len(), 6);
        for part in reasons.iter().map(ToString::to_string) {
            assert!(note.contains(&part), "{part} in {note}");
        }
    }
}
