//! An experiment has threads.

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};

pub(super) const RULE: Rule = Rule { name: "no-threads", check };

fn check(context: &Context<'_>, report: &mut Report) {
    if context.experiment.threads.is_empty() {
        report
            .error(Place::missing(EXPERIMENT, "", &["threads"]), "the experiment has no \"threads\"")
            .hint("a thread is a system under test with its stages of load; give at least one");
    }
}
