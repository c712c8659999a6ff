//! Every stage has a workload, of its own or from the top, that exists.

use e3_model::Kind;

use super::Rule;
use crate::context::{Context, EXPERIMENT, Loaded, Stage};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "workload", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let lacking: Vec<_> = context.stages.iter().filter(|stage| stage.workload().is_none()).collect();
    if !lacking.is_empty() && lacking.len() == context.stages.len() {
        report
            .error(
                Place::missing(EXPERIMENT, "", KEYS),
                "neither the experiment nor any stage has a \"workload\"",
            )
            .hint("name one at the top; every stage inherits it");
    } else {
        for stage in lacking {
            report.error(
                stage.lacks(KEYS),
                "the stage has no \"workload\", and the experiment has none to inherit",
            );
        }
    }
    for workload in context.stages.iter().filter_map(Stage::workload) {
        let quoted = words::quoted(&workload.value);
        match context.workload(&workload.value) {
            Loaded::Absent => {
                let names = context.library.names(Kind::Workload);
                let found = report.error(workload.place, format!("there is no workload {quoted}"));
                found.hint(super::known(Kind::Workload, &workload.value, &names));
            }
            Loaded::Unreadable(reason) => {
                report.error(workload.place, format!("the workload {quoted} cannot be read: {reason}"));
            }
            Loaded::Broken | Loaded::Ready { .. } => {}
        }
    }
}

const KEYS: &[&str] = &["workload"];
