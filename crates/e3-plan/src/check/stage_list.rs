//! A thread has stages.

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "no-stages", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, thread) in context.experiment.threads.iter().enumerate() {
        if thread.stages.is_empty() {
            let place = Place::missing(EXPERIMENT, format!("/threads/{position}"), &["stages"]);
            let name = words::quoted(&context.thread_name(position));
            report
                .error(place, format!("the thread {name} has no \"stages\""))
                .hint("a stage is a load held for a time, such as {\"clients\": 10}; give at least one");
        }
    }
}
