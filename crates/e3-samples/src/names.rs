//! The names behind a sample's numbers.

use e3_model::StagePlan;

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

    /// Returns each job's script and ops, by position.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.jobs.iter().map(|job| (job.script.as_str(), job.ops.as_slice()))
    }

    /// Returns the position of a named op in a job, if that job is of that script.
    pub(crate) fn op(&self, job: u16, script: &str, op: &str) -> Option<u16> {
        let job = self.jobs.get(usize::from(job)).filter(|job| job.script == script)?;
        u16::try_from(job.ops.iter().position(|name| name == op)?).ok()
    }
}
