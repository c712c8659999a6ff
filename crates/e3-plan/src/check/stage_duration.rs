//! Every stage has a duration, of its own or from the top.

use super::Rule;
use crate::context::{Context, EXPERIMENT, Stage};
use crate::report::{Place, Report};

pub(super) const RULE: Rule = Rule { name: "duration", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let lacking: Vec<_> = context.stages.iter().filter(|stage| stage.duration().is_none()).collect();
    if !lacking.is_empty() && lacking.len() == context.stages.len() {
        report
            .error(
                Place::missing(EXPERIMENT, "", KEYS),
                "neither the experiment nor any stage has a \"duration\"",
            )
            .hint("put one at the top, such as \"duration\": \"5m\"; every stage inherits it");
    } else {
        for stage in lacking {
            report
                .error(
                    stage.lacks(KEYS),
                    "the stage has no \"duration\", and the experiment has none to inherit",
                )
                .hint("give it one, such as \"duration\": \"5m\"");
        }
    }
    for duration in context.stages.iter().filter_map(Stage::duration) {
        if duration.value.as_millis() == 0 {
            report
                .error(duration.place, "\"duration\" is 0, so that no load would be held")
                .hint("such as \"5m\"");
        }
    }
}

const KEYS: &[&str] = &["duration"];
