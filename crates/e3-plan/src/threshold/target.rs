//! The ops that a threshold judges: a script among those that the experiment runs, and perhaps one of its ops.

use std::collections::{BTreeMap, BTreeSet};

use e3_model::ThresholdTarget;

use super::Fault;
use super::grammar::Target;
use crate::context::Context;
use crate::words;

/// Returns the ops that a threshold means.
pub(super) fn resolve(context: &Context<'_>, target: &Target<'_>) -> Result<ThresholdTarget, Fault> {
    let run = scripts_that_run(context);
    let typed = target.script.strip_prefix("bitbucket.").unwrap_or(target.script);
    let matching: Vec<(&&str, &BTreeSet<&str>)> =
        run.iter().filter(|(name, _)| **name == typed || bare(name) == typed).collect();
    let (script, ops) = match matching.as_slice() {
        [(script, ops)] => (**script, *ops),
        [] => return Err(unknown(&run, typed, target)),
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| **name).collect();
            let message = format!("the name {} fits several scripts", words::quoted(typed));
            return Err(Fault::new(target.script_at, message)
                .hint(format!("say which of them: {}", words::choices(&names))));
        }
    };
    let only = if ops.len() == 1 { ops.first().copied() } else { None };
    let op = match target.op {
        None => only.unwrap_or_default(),
        Some(op) if ops.contains(op) => op,
        Some(op) => {
            let message = format!("{script} has no op {}", words::quoted(op));
            let fault = Fault::new(target.op_at, message);
            let all: Vec<&str> = ops.iter().copied().collect();
            return Err(match words::meant(op, all.iter().copied()) {
                Some(meant) => fault.hint(words::did_you_mean(meant)),
                None => fault.hint(format!("its ops are {}", all.join(", "))),
            });
        }
    };
    Ok(ThresholdTarget { script: script.to_owned(), op: op.to_owned() })
}

/// Returns every script that some stage runs, with the names of its ops over all jobs.
fn scripts_that_run<'a>(context: &'a Context<'_>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut scripts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (document, workload) in context.ready_workloads() {
        for (position, job) in workload.0.iter().enumerate().filter(|(_, job)| job.weight > 0.0) {
            if let (Some(script), Some(prepared)) = (context.script(job), context.job(document, position)) {
                let ops = prepared.ops.iter().map(|op| op.name.as_str());
                scripts.entry(script.name.as_str()).or_default().extend(ops);
            }
        }
    }
    scripts
}

fn unknown(run: &BTreeMap<&str, BTreeSet<&str>>, typed: &str, target: &Target<'_>) -> Fault {
    let message =
        format!("no job of this experiment's workloads runs a script {}", words::quoted(target.script));
    let fault = Fault::new(target.script_at, message);
    let names = || run.keys().copied();
    // The op is often taken for the script, as in p99(Push).
    let of_op = names().find(|name| run.get(name).is_some_and(|ops| ops.contains(typed)));
    let meant = words::meant(typed, names()).or_else(|| {
        let meant = words::meant(bare(typed), names().map(bare))?;
        names().find(|name| bare(name) == meant)
    });
    match (meant, of_op) {
        (Some(meant), _) => fault.hint(words::did_you_mean(meant)),
        (None, Some(script)) => fault.hint(words::did_you_mean(&format!("{script}/{typed}"))),
        (None, None) if run.is_empty() => fault,
        (None, None) => fault.hint(format!("they run {}", names().collect::<Vec<_>>().join(", "))),
    }
}

/// Returns a script's name without its group.
fn bare(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, bare)| bare)
}
