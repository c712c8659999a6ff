//! The run's record: run.json, rewritten as a whole whenever it changes.

use std::collections::{BTreeMap, BTreeSet};

use e3_home::RunDir;
use e3_model::{
    Arrivals, Header, Honesty, LagBucket, Probe, ProbeVerdict, ProductVersion, Run, StageOutcome,
    StageRecord, StageRef, Topology,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::FleetError;

/// The run's record while it grows.
pub(crate) struct RunRecord<'a> {
    directory: &'a RunDir,
    run: Run,
}

impl<'a> RunRecord<'a> {
    /// Begins a record without stages.
    pub(crate) fn begin(directory: &'a RunDir) -> Result<Self, FleetError> {
        let parent = directory.parent_of::<Topology>().map_err(FleetError::Record)?;
        let run = Run {
            header: Header::of::<Run>(Some(parent)),
            name: directory.name().to_string(),
            started_at: now(),
            ended_at: None,
            stages: Vec::new(),
        };
        let record = Self { directory, run };
        record.write()?;
        Ok(record)
    }

    /// Adds a stage that starts at that wall-clock time; until it is settled it counts as not finished.
    pub(crate) fn start(
        &mut self,
        stage: StageRef,
        started_unix_ns: u64,
        product: Option<ProductVersion>,
        probe: Option<Probe>,
    ) -> Result<(), FleetError> {
        self.run.stages.push(StageRecord {
            stage,
            started_unix_ns,
            outcome: StageOutcome::Failed { reason: "it did not finish".to_owned() },
            product,
            probe,
            samples: 0,
            honesty: Honesty::default(),
        });
        self.write()
    }

    /// Settles a stage that was started.
    pub(crate) fn settle(
        &mut self,
        stage: StageRef,
        outcome: StageOutcome,
        samples: u64,
        honesty: Honesty,
    ) -> Result<(), FleetError> {
        if let Some(record) = self.run.stages.iter_mut().rev().find(|record| record.stage == stage) {
            record.outcome = outcome;
            record.samples = samples;
            record.honesty = honesty;
        }
        self.write()
    }

    /// Adds how a probe that was settled came out.
    pub(crate) fn judged(
        &mut self,
        stage: StageRef,
        verdict: ProbeVerdict,
        reason: &str,
    ) -> Result<(), FleetError> {
        let mut records = self.run.stages.iter_mut().rev();
        let record = records.find(|record| record.stage == stage);
        if let Some(probe) = record.and_then(|record| record.probe.as_mut()) {
            (probe.verdict, probe.reason) = (Some(verdict), reason.to_owned());
        }
        self.write()
    }

    /// Returns the record as it is now.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Ends the record and returns it.
    pub(crate) fn end(mut self) -> Result<Run, FleetError> {
        self.run.ended_at = Some(now());
        self.write()?;
        Ok(self.run)
    }

    fn write(&self) -> Result<(), FleetError> {
        self.directory.write(&self.run).map_err(FleetError::Record)
    }
}

/// Returns the worst of two workers' words, figure by figure; counts add up.
pub(crate) fn worst(a: &Honesty, b: &Honesty) -> Honesty {
    let larger = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    Honesty {
        scheduling_lag_p99_ms: a.scheduling_lag_p99_ms.max(b.scheduling_lag_p99_ms),
        scheduling_lag_max_ms: a.scheduling_lag_max_ms.max(b.scheduling_lag_max_ms),
        scheduling_lag: lags(&a.scheduling_lag, &b.scheduling_lag),
        event_loop_delay_p99_ms: a.event_loop_delay_p99_ms.max(b.event_loop_delay_p99_ms),
        event_loop_delay_max_ms: a.event_loop_delay_max_ms.max(b.event_loop_delay_max_ms),
        worker_cpus: a.worker_cpus.max(b.worker_cpus),
        machine_cpu: larger(a.machine_cpu, b.machine_cpu),
        steal: larger(a.steal, b.steal),
        cpus: a.cpus.max(b.cpus),
        file_descriptors: a.file_descriptors.max(b.file_descriptors),
        descriptor_limit: smaller(a.descriptor_limit, b.descriptor_limit),
        segments_sent: sum(a.segments_sent, b.segments_sent),
        segments_retransmitted: sum(a.segments_retransmitted, b.segments_retransmitted),
        lost_samples: a.lost_samples + b.lost_samples,
        arrivals: match (a.arrivals, b.arrivals) {
            (Some(a), Some(b)) => Some(arrivals(a, b)),
            (a, b) => a.or(b),
        },
        ssh_ciphers: both(&a.ssh_ciphers, &b.ssh_ciphers),
    }
}

/// Returns the names that either has, each once, in alphabetical order.
fn both(a: &[String], b: &[String]) -> Vec<String> {
    let names: BTreeSet<&String> = a.iter().chain(b).collect();
    names.into_iter().cloned().collect()
}

/// Returns two workers' arrivals together. The most that waited or were busy at once need not have been so at the same
/// time; their sum is the bound that the two shared.
fn arrivals(a: Arrivals, b: Arrivals) -> Arrivals {
    Arrivals {
        due: a.due + b.due,
        late: a.late + b.late,
        unstarted: a.unstarted + b.unstarted,
        most_waiting: a.most_waiting + b.most_waiting,
        longest_wait_ms: a.longest_wait_ms.max(b.longest_wait_ms),
        most_busy: a.most_busy + b.most_busy,
    }
}

fn lags(a: &[LagBucket], b: &[LagBucket]) -> Vec<LagBucket> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for bucket in a.iter().chain(b) {
        *counts.entry(bucket.up_to_us).or_default() += bucket.count;
    }
    counts.into_iter().map(|(up_to_us, count)| LagBucket { up_to_us, count }).collect()
}

fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    }
}

/// Returns the smaller limit of those that are known.
fn smaller(a: u64, b: u64) -> u64 {
    if a == 0 || b == 0 { a.max(b) } else { a.min(b) }
}

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphers_of_two_workers_are_named_once_each() {
        let of = |ciphers: &[&str]| Honesty {
            ssh_ciphers: ciphers.iter().map(|cipher| (*cipher).to_owned()).collect(),
            ..Honesty::default()
        };
        let (a, b) = (of(&["b", "c"]), of(&["a", "c"]));
        assert_eq!(worst(&a, &b).ssh_ciphers, ["a", "b", "c"]);
        assert_eq!(worst(&of(&[]), &b), worst(&b, &of(&[])));
    }
}
