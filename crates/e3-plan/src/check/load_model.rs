//! A stage has either clients, the closed model, or a rate, the open one.

use super::Rule;
use crate::context::Context;
use crate::report::Report;

pub(super) const RULE: Rule = Rule { name: "load-model", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for stage in &context.stages {
        match (stage.spec.clients, stage.spec.rate) {
            (None, None) => report
                .error(stage.lacks(&["clients", "rate"]), "the stage has neither \"clients\" nor \"rate\"")
                .hint("say how many clients run at once, such as {\"clients\": 10}, or how many iterations begin per second, such as {\"rate\": 5}"),
            (Some(_), Some(_)) => report
                .error(stage.own("rate"), "the stage has both \"clients\" and \"rate\"")
                .hint("keep \"clients\" for the closed model, or \"rate\" for the open one"),
            _ => {}
        }
    }
}
