//! The names behind a sample's numbers.

use e3_model::{Sample, StagePlan};

use crate::SamplesError;

/// The names of a stage's scripts and ops, by the positions that samples carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    jobs: Vec<Job>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    script: String,
    ops: Vec<String>,
}

impl Names {
    /// Returns the names of a stage's jobs and their ops.
    pub fn of(stage: &StagePlan) -> Self {
        let jobs = stage
            .jobs
            .iter()
            .map(|job| Job {
                script: job.script.clone(),
                ops: job.ops.iter().map(|op| op.name.clone()).collect(),
            })
            .collect();
        Self { jobs }
    }

    /// Returns the script's and the op's name of a sample.
    pub(crate) fn name(&self, sample: &Sample) -> Result<(&str, &str), SamplesError> {
        let job = self.jobs.get(usize::from(sample.job));
        job.and_then(|job| Some((job.script.as_str(), job.ops.get(usize::from(sample.op))?.as_str())))
            .ok_or_else(|| SamplesError::UnknownOp { job: sample.job, op: sample.op.to_string() })
    }

    /// Returns the position of a named op in a job, if that job is of that script.
    pub(crate) fn op(&self, job: u16, script: &str, op: &str) -> Option<u16> {
        let job = self.jobs.get(usize::from(job)).filter(|job| job.script == script)?;
        u16::try_from(job.ops.iter().position(|name| name == op)?).ok()
    }
}
