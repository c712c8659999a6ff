//! Threads are told apart by their names.

use std::collections::BTreeMap;

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "thread-name", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = BTreeMap::new();
    for thread in 0..context.experiment.threads.len() {
        let name = context.thread_name(thread);
        if let Some(first) = seen.get(&name) {
            let message = format!(
                "two threads are called {}: this one and thread number {first}",
                words::quoted(&name)
            );
            report
                .error(Place::value(EXPERIMENT, format!("/threads/{thread}/name")), message)
                .hint("charts and tables need a name of its own for each thread");
        } else {
            seen.insert(name, thread + 1);
        }
    }
}
