//! The tables of jobs: what share each has of a workload, and how that is kept.

use std::collections::BTreeSet;

use e3_model::{Mix, Plan, StagePlan};

use crate::table;
use crate::words::decimal;

/// Returns a table for each workload and each way in which its shares are kept, in the order of the plan.
pub(super) fn tables(plan: &Plan) -> String {
    let mut seen = BTreeSet::new();
    let stages = plan.threads.iter().flat_map(|thread| &thread.stages);
    let distinct = stages.filter(|stage| seen.insert((&stage.workload, Keeping::of(stage))));
    distinct.map(|stage| table(plan, stage)).collect()
}

/// How the shares of a workload are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Keeping {
    /// Clients are divided among the jobs.
    Clients,
    /// Each client draws.
    Draws,
    /// Each arrival draws.
    Arrivals,
}

impl Keeping {
    fn of(stage: &StagePlan) -> Self {
        match (&stage.arrivals, stage.mix) {
            (Some(_), _) => Self::Arrivals,
            (None, Mix::Clients) => Self::Clients,
            (None, Mix::Ops) => Self::Draws,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Clients => "every client keeps its job for the stage",
            Self::Draws => "every client draws its next job by its share",
            Self::Arrivals => "every iteration that is due draws its job by its share",
        }
    }
}

fn table(plan: &Plan, like: &StagePlan) -> String {
    let mut header = vec!["job".to_owned(), "share".to_owned()];
    let keeping = Keeping::of(like);
    let mut rows: Vec<Vec<String>> = like
        .jobs
        .iter()
        .map(|job| vec![job.script.clone(), format!("{} %", decimal(job.weight * 100.0))])
        .collect();
    if keeping == Keeping::Clients {
        for (clients, stage) in client_counts(plan, like) {
            header.push(format!("of {clients}"));
            for (row, job) in rows.iter_mut().zip(&stage.jobs) {
                row.push(job.clients.to_string());
            }
        }
    }
    format!(
        "Jobs of the workload {}: {}\n{}",
        like.workload,
        keeping.in_words(),
        table::lines(&header, &rows)
    )
}

/// Returns one stage for each number of clients that get this workload in shares of them, in the order of the plan.
fn client_counts<'a>(plan: &'a Plan, like: &StagePlan) -> Vec<(usize, &'a StagePlan)> {
    let mut seen = BTreeSet::new();
    let stages = plan.threads.iter().flat_map(|thread| &thread.stages);
    stages
        .filter(|stage| stage.workload == like.workload && Keeping::of(stage) == Keeping::Clients)
        .map(|stage| (stage.clients.len(), stage))
        .filter(|(clients, _)| seen.insert(*clients))
        .collect()
}
