//! The baseline of a comparison is one of the threads.

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "compare", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let Some(baseline) = &context.experiment.compare else { return };
    let names: Vec<String> =
        (0..context.experiment.threads.len()).map(|thread| context.thread_name(thread)).collect();
    if names.iter().any(|name| name == baseline) {
        return;
    }
    let place = Place::value(EXPERIMENT, "/compare");
    let found = report.error(place, format!("no thread is called {}", words::quoted(baseline)));
    match words::meant(baseline, names.iter().map(String::as_str)) {
        Some(meant) => found.hint(words::did_you_mean(meant)),
        None => found.hint(format!("threads are {}", words::choices(&names))),
    }
}
