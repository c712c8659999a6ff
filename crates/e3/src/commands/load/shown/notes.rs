//! What limits the numbers, in words.

use e3_model::{ClientBound, Honesty, OpStatistics, StageAnalysis, Stamp, quantity};

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
            let reasons: Vec<String> = honesty.client_bound().into_iter().map(reason).collect();
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
        // The line above says so.
        Stamp::Incomplete => None,
    }
}

/// Says which limit the worker passed, and by what.
fn reason(bound: ClientBound) -> String {
    let limit = quantity::short;
    match bound {
        ClientBound::SchedulingLag(ms) => format!(
            "99th percentile of the scheduling lag {}, limit {} ms",
            quantity::latency(ms),
            limit(Honesty::SCHEDULING_LAG_LIMIT_MS)
        ),
        ClientBound::EventLoopDelay(ms) => format!(
            "99th percentile of the event-loop delay {}, limit {} ms",
            quantity::latency(ms),
            limit(Honesty::SCHEDULING_LAG_LIMIT_MS)
        ),
        ClientBound::WorkerCpu(used, cpus) => format!(
            "{} of {cpus} CPUs used by the worker, limit {}",
            quantity::number(used),
            quantity::percent(Honesty::WORKER_CPU_LIMIT)
        ),
        ClientBound::Steal(share) => format!(
            "{} of the CPU time taken by the hypervisor, limit {}",
            quantity::percent(share),
            quantity::percent(Honesty::STEAL_LIMIT)
        ),
        ClientBound::Descriptors(open, may) => format!(
            "{} of {} file descriptors open, limit {}",
            quantity::count(open),
            quantity::count(may),
            quantity::percent(Honesty::DESCRIPTOR_LIMIT)
        ),
        ClientBound::Retransmits(share) => format!(
            "{} of the TCP segments sent again, limit {}",
            quantity::percent(share),
            quantity::percent(Honesty::RETRANSMIT_LIMIT)
        ),
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
        for part in [
            "scheduling lag 23.5 ms, limit 10 ms",
            "event-loop delay 1.20 s, limit 10 ms",
            "1.95 of 2 CPUs used by the worker, limit 90.0 %",
            "30.0 % of the CPU time taken by the hypervisor, limit 5.00 %",
            "1,000 of 1,024 file descriptors open, limit 90.0 %",
            "10.0 % of the TCP segments sent again, limit 1.00 %",
        ] {
            assert!(note.contains(part), "{part} in {note}");
        }
    }
}
