//! Every job runs a script that exists.

use super::Rule;
use crate::context::Context;
use crate::report::{Place, Report};
use crate::{pointer, words};

pub(super) const RULE: Rule = Rule { name: "script", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let names: Vec<&str> = context.library.scripts().iter().map(|script| script.name.as_str()).collect();
    for (document, workload) in context.ready_workloads() {
        for (position, job) in workload.0.iter().enumerate() {
            if context.script(job).is_some() {
                continue;
            }
            let place = Place::value(document, pointer::join(&format!("/{position}"), "script"));
            let found = report.error(place, format!("there is no script {}", words::quoted(&job.script)));
            match words::meant(job.script_name(), names.iter().copied())
                .or_else(|| of_that_name(job.script_name(), &names))
            {
                Some(meant) => found.hint(words::did_you_mean(meant)),
                None => found.hint(format!("scripts are {}", names.join(", "))),
            }
        }
    }
}

/// Returns the script whose name without its group was probably meant, such as `scm.GitClone` for `GitClone`.
fn of_that_name<'a>(typed: &str, names: &[&'a str]) -> Option<&'a str> {
    let bare = |name: &'a str| name.rsplit_once('.').map_or(name, |(_, bare)| bare);
    let typed = typed.rsplit_once('.').map_or(typed, |(_, bare)| bare);
    let meant = words::meant(typed, names.iter().map(|name| bare(name)))?;
    names.iter().copied().find(|name| bare(name) == meant)
}
