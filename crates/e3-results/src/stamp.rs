//! Stamps: what limits a stage's numbers.

use e3_model::{StageOutcome, StageRecord, Stamp};

/// Returns what limits a stage's numbers, given how many samples were gathered of it.
pub(crate) fn stamps(record: &StageRecord, gathered: usize, co_located: bool) -> Vec<Stamp> {
    let gathered = u64::try_from(gathered).unwrap_or(u64::MAX);
    let lost = record.honesty.lost_samples > 0 || gathered < record.samples;
    [
        (Stamp::CoLocated, co_located),
        (Stamp::ClientBound, record.honesty.is_client_bound()),
        (Stamp::Incomplete, record.outcome != StageOutcome::Completed),
        (Stamp::SamplesLost, lost),
        (Stamp::ConcurrencyBound, record.honesty.arrivals.is_some_and(|arrivals| arrivals.late > 0)),
    ]
    .into_iter()
    .filter_map(|(stamp, applies)| applies.then_some(stamp))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{record, stage_ref};

    #[test]
    fn each_limit_has_its_stamp() {
        type Change = fn(&mut StageRecord);
        let cases: [(&str, Change, &[Stamp]); 7] = [
            ("nothing wrong", |_| {}, &[]),
            ("late tasks", |r| r.honesty.scheduling_lag_p99_ms = 10.5, &[Stamp::ClientBound]),
            ("one late task", |r| r.honesty.scheduling_lag_max_ms = 90.0, &[]),
            ("all CPUs busy", |r| r.honesty.worker_cpus = 1.85, &[Stamp::ClientBound]),
            ("CPUs unknown", |r| (r.honesty.cpus, r.honesty.worker_cpus) = (0, 1.0), &[]),
            ("a full channel", |r| r.honesty.lost_samples = 1, &[Stamp::SamplesLost]),
            ("stopped", |r| r.outcome = StageOutcome::Interrupted, &[Stamp::Incomplete]),
        ];
        for (why, change, expected) in cases {
            let mut record = record(stage_ref(0, 0));
            record.samples = 10;
            change(&mut record);
            assert_eq!(stamps(&record, 10, false), expected, "{why}");
        }
    }

    #[test]
    fn fewer_samples_than_were_recorded_are_lost_samples() {
        let mut record = record(stage_ref(0, 0));
        record.samples = 10;
        assert_eq!(stamps(&record, 9, true), [Stamp::CoLocated, Stamp::SamplesLost]);
        assert_eq!(stamps(&record, 11, false), [], "a segment that came after the record was written");
    }
}
