//! A stack names an instance file that exists.

use e3_model::{Kind, Stack};

use super::Rule;
use crate::context::{Context, EXPERIMENT, Loaded};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "instance-file", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, thread) in context.experiment.threads.iter().enumerate() {
        for (part, stack) in [("instance", &thread.instance.stack), ("worker", &thread.worker.stack)] {
            if let Some(stack) = stack {
                check_stack(context, &format!("/threads/{position}/{part}/stack"), stack, report);
            }
        }
    }
}

fn check_stack(context: &Context<'_>, pointer: &str, stack: &Stack, report: &mut Report) {
    let Some(name) = &stack.name else {
        report
            .error(Place::missing(EXPERIMENT, pointer, &["Name"]), "the stack has no \"Name\"")
            .hint("name an instance file, which says where the machines are");
        return;
    };
    let place = Place::value(EXPERIMENT, format!("{pointer}/Name"));
    let quoted = words::quoted(name);
    match context.instance(name) {
        Loaded::Absent => {
            let names = context.library.names(Kind::Instance);
            report.error(place, format!("there is no instance file {quoted}")).hint(super::known(
                Kind::Instance,
                name,
                &names,
            ));
        }
        Loaded::Unreadable(reason) => {
            report.error(place, format!("the instance file {quoted} cannot be read: {reason}"));
        }
        Loaded::Broken | Loaded::Ready { .. } => {}
    }
}
