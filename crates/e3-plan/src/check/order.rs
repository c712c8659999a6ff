//! Threads that share a machine do not run at the same time.

use e3_model::Order;

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::placement;
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "order", check };

fn check(context: &Context<'_>, report: &mut Report) {
    if context.experiment.order != Some(Order::Parallel) {
        return;
    }
    if let Some((first, second)) = placement::sharing(&context.placements) {
        let message = format!(
            "\"order\" is \"parallel\", but the threads {} and {} share a machine and would disturb each other",
            words::quoted(&context.thread_name(first)),
            words::quoted(&context.thread_name(second))
        );
        report
            .error(Place::value(EXPERIMENT, "/order"), message)
            .hint("use \"interleaved\", the default for threads that share a machine");
    }
}
