//! A stage that ends by a count has enough ops for its clients, and some that are measured.

use e3_model::Span;

use super::Rule;
use crate::context::Context;
use crate::report::Report;
use crate::words;

pub(super) const RULE: Rule = Rule { name: "operations", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for stage in &context.stages {
        let Some(operations) = stage.spec.operations else { continue };
        if let Some(clients) = stage.spec.clients.filter(|clients| u64::from(*clients) > operations) {
            let message = format!(
                "\"operations\" is {operations}, so that most of {} never do anything",
                words::counted(clients, "client")
            );
            report
                .warning(stage.own("operations"), message)
                .hint("give at least as many operations as there are clients, better many times as many");
        }
        if let Some(warm_up) = stage.warm_up().filter(|warm_up| warm_up.value > Span::ZERO) {
            let message = format!(
                "the ops of the warm-up, {}, count toward \"operations\" and are left out of the results",
                warm_up.value
            );
            report
                .warning(stage.own("operations"), message)
                .hint("leave the warm-up out, \"warmUp\": 0, or give it a stage of its own");
        }
    }
}
