//! Every job tells its script what the script can use.

use super::Rule;
use crate::context::Context;
use crate::report::Report;
use crate::words;

pub(super) const RULE: Rule = Rule { name: "argument", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (place, fault) in context.jobs().flat_map(|job| &job.faults) {
        let found = report.error(place.clone(), fault.message.clone());
        let meant = words::meant(&fault.typed, fault.choices.iter().map(String::as_str));
        match (meant, &fault.hint) {
            (Some(meant), _) => found.hint(words::did_you_mean(meant)),
            (None, Some(hint)) => found.hint(hint.as_str()),
            (None, None) if !fault.choices.is_empty() => {
                found.hint(format!("known are {}", fault.choices.join(", ")));
            }
            (None, None) => {}
        }
    }
}
