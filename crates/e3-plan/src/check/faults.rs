//! Faults disturb what E3 can disturb, and do what they say.

use e3_model::{Fault, FaultProblem, FaultRoute, ProviderName, Span};

use super::Rule;
use crate::context::{Context, EXPERIMENT, Stage};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "faults", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for stage in context.stages.iter().filter(|stage| !stage.spec.faults.is_empty()) {
        let provider = context.placements.get(stage.thread).map(|placement| placement.instance.provider);
        if let Some(provider) = provider.filter(|provider| *provider != ProviderName::Local) {
            report
                .error(stage.own("faults"), format!("a system of the provider \"{provider}\" cannot be disturbed"))
                .hint("only a githost can, which the provider \"local\" sets up: rehearse there, then take \"faults\" out");
        }
        if stage.spec.faults.len() > Fault::MOST {
            let message =
                format!("{} faults are too many; there may be {}", stage.spec.faults.len(), Fault::MOST);
            report.error(stage.own("faults"), message);
        }
        for (position, fault) in stage.spec.faults.iter().enumerate() {
            for problem in fault.problems() {
                refuse(&place(stage, position, problem.key), fault, problem, report);
            }
            check_time_out(stage, position, fault, report);
        }
    }
}

fn refuse(place: &Place, fault: &Fault, problem: FaultProblem, report: &mut Report) {
    let found = report.error(place.clone(), problem.message);
    let written = fault.route.as_deref().unwrap_or_default();
    if problem.key == "route" && FaultRoute::parse(Some(written)).is_none() {
        let names = FaultRoute::NAMES;
        found.hint(match words::meant(written, names) {
            Some(meant) => words::did_you_mean(meant),
            None => format!("there are {}, and paths such as \"/scm/project\"", words::choices(&names)),
        });
    }
}

/// An op that is given up before it is answered shows as a time-out, whatever else the fault was to show.
fn check_time_out(stage: &Stage<'_>, position: usize, fault: &Fault, report: &mut Report) {
    let op_timeout = stage.transport().op_timeout;
    let stall = fault.stall.map_or(Span::ZERO, |stall| stall.length);
    let latency = fault.latency.map_or(Span::ZERO, |latency| latency.mean());
    for (key, what, span) in [("stall", "a stall of", stall), ("latency", "a latency of", latency)] {
        if span >= op_timeout && op_timeout > Span::ZERO {
            let message = format!("{what} {span} is not shorter than the time-out of ops, {op_timeout}");
            report.warning(place(stage, position, key), message).hint(
                "whoever meets it times out, and is counted as an error; raise \"opTimeout\" to see latency",
            );
        }
    }
}

/// Returns the place of a key of a fault; of what is missing, where nothing is said if it was given but cannot be used.
fn place(stage: &Stage<'_>, position: usize, key: &str) -> Place {
    let fault = format!("{}/faults/{position}", stage.pointer);
    match key {
        "" => Place::missing(EXPERIMENT, fault, &Fault::EFFECTS),
        "status" => Place::missing(EXPERIMENT, fault, &["errorRate"]),
        key => Place::value(EXPERIMENT, format!("{fault}/{key}")),
    }
}
