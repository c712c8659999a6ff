//! What is left out of a stage leaves something, and the whole load is there when measuring begins.

use e3_model::{Rate, Span};

use super::Rule;
use crate::context::{Context, Setting, Stage};
use crate::report::Report;

pub(super) const RULE: Rule = Rule { name: "warm-up", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for stage in &context.stages {
        if let Some(duration) = stage.duration().filter(|duration| duration.value > Span::ZERO) {
            check_stage(stage, duration.value, report);
        }
    }
}

fn check_stage(stage: &Stage<'_>, duration: Span, report: &mut Report) {
    let warm_up = stage.warm_up();
    if let Some(Setting { value, place }) = warm_up.clone().filter(|warm_up| warm_up.value >= duration) {
        let message =
            format!("\"warmUp\" is {value}, which leaves nothing of a stage of {duration} to measure");
        report.error(place, message).hint("make the warm-up shorter than the stage");
    }
    let Some(ramp_up) = stage.ramp_up() else { return };
    // A ramp between two rates is what is to be measured, from its first second to its last.
    let is_ramp = matches!(stage.spec.rate, Some(Rate::Ramp(_)));
    let (whole_load, not_yet) = match stage.spec.rate {
        Some(_) => ("the rate is reached", "the rate still climbs"),
        None => ("all clients run", "clients still start"),
    };
    if ramp_up.value > duration || (ramp_up.value == duration && !is_ramp) {
        let message = format!(
            "\"rampUp\" is {}, so that a stage of {duration} ends before {whole_load}",
            ramp_up.value
        );
        report.error(ramp_up.place, message).hint("make the ramp-up shorter than the stage");
        return;
    }
    let warm_up = warm_up.map_or(Span::ZERO, |warm_up| warm_up.value);
    if ramp_up.value > warm_up && !is_ramp {
        let message = format!(
            "\"rampUp\" is {}, longer than \"warmUp\", {warm_up}: {not_yet} while e3 measures",
            ramp_up.value
        );
        report.warning(ramp_up.place, message).hint("make the warm-up at least as long as the ramp-up");
    }
}
