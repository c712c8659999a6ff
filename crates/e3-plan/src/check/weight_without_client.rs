//! Where weights are shares of clients, every job gets a client.

use e3_model::{Mix, Workload};

use super::Rule;
use crate::assign;
use crate::context::Context;
use crate::report::Report;
use crate::words;

pub(super) const RULE: Rule = Rule { name: "weight-without-client", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for stage in context.stages.iter().filter(|stage| stage.effective_mix() == Mix::Clients) {
        let Some(clients) = stage.spec.clients else { continue };
        let Some(name) = stage.workload() else { continue };
        let Some((_, workload)) = context.workload(&name.value).ready() else { continue };
        let idle = idle_jobs(workload, clients);
        if idle.is_empty() {
            continue;
        }
        let message = format!(
            "with {} of the workload {}, no client is left for {}",
            words::counted(clients, "client"),
            words::quoted(&name.value),
            idle.join(", ")
        );
        let smallest =
            workload.0.iter().map(|job| job.weight).filter(|weight| *weight > 0.0).fold(1.0, f64::min);
        let enough = (1.0 / smallest - 1e-9).ceil();
        report.warning(stage.own("clients"), message).hint(format!(
            "use {enough} clients or more, or \"mix\": \"ops\", which draws each client's next job by weight"
        ));
    }
}

fn idle_jobs(workload: &Workload, clients: u32) -> Vec<String> {
    let weights: Vec<f64> = workload.0.iter().map(|job| job.weight).collect();
    let shares = assign::shares(&weights, clients);
    let idle = workload.0.iter().zip(shares).filter(|(job, share)| job.weight > 0.0 && *share == 0);
    idle.map(|(job, _)| format!("{} (weight {})", words::quoted(&job.script), words::decimal(job.weight)))
        .collect()
}
