//! A search has conditions that a load can break, and everything else leaves its probes alike.

use e3_model::{Mix, Rate, Relation, Search, Span, Statistic, Threshold};

use super::Rule;
use crate::assign;
use crate::context::{Context, EXPERIMENT, Stage};
use crate::report::{Place, Report};
use crate::search::{most_probes, repeats};
use crate::threshold::{self, Fault};
use crate::{pointer, words};

pub(super) const RULE: Rule = Rule { name: "search", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for stage in &context.stages {
        let Some(search) = &stage.spec.search else { continue };
        check_beside(stage, report);
        check_range(stage, search, report);
        if search.slo.is_empty() {
            report
                .error(
                    within(stage, None),
                    "the search has no condition in \"slo\", so that every load would meet it",
                )
                .hint("such as \"slo\": [\"p95(GitCloneOverHttp) < 2s\", \"errors < 1%\"]");
        }
        for position in 0..search.slo.len() {
            check_condition(context, (stage, search), position, report);
        }
        check_shares(context, stage, report);
    }
}

/// What would make a probe another stage than the one that was searched for.
fn check_beside(stage: &Stage<'_>, report: &mut Report) {
    if stage.repeat() > 1 {
        report.error(stage.own("repeat"), "a stage with a \"search\" cannot be repeated").hint(
            "the search repeats its answer by itself: \"repeats\" says how many of its probes must agree",
        );
    }
    if stage.spec.operations.is_some() {
        report
            .error(
                stage.own("operations"),
                "a stage with a \"search\" cannot end after so many \"operations\"",
            )
            .hint("every probe holds its load for the same time; leave \"operations\" out");
    }
    if let Some(Rate::Ramp(_)) = stage.spec.rate {
        report
            .error(stage.own("rate"), "a stage with a \"search\" cannot have a rate that climbs all the time")
            .hint("say the highest rate that may be probed, such as \"rate\": 200");
    }
}

fn check_range(stage: &Stage<'_>, search: &Search, report: &mut Report) {
    let unit = if stage.is_open() { "\"rate\"" } else { "\"clients\"" };
    if let (Some(from), Some(highest)) = (search.from, stage.highest_load()) {
        let place = || within(stage, Some("from"));
        if from >= highest {
            let message = format!(
                "the search is to begin at {}, and its highest load is the stage's {unit}, {}",
                words::decimal(from),
                words::decimal(highest)
            );
            report
                .error(place(), message)
                .hint("begin below it, or leave \"from\" out: a sixteenth of it is usual");
        } else if from <= 0.0 {
            report
                .error(place(), "a search cannot begin with no load at all")
                .hint("begin with a small one, such as 1");
        } else if !stage.is_open() && from.fract() != 0.0 {
            let message = format!("{} is no number of clients", words::decimal(from));
            report.error(place(), message).hint("give a whole number");
        }
    }
    let (probes, repeats) = (most_probes(search), repeats(search));
    if repeats > probes {
        let key = if search.repeats.is_some() { "repeats" } else { "probes" };
        let message =
            format!("with at most {} none can be confirmed by {repeats}", words::counted(probes, "probe"));
        report
            .error(within(stage, Some(key)), message)
            .hint("allow more \"probes\", or ask for fewer \"repeats\"");
    }
}

fn check_condition(
    context: &Context<'_>,
    (stage, search): (&Stage<'_>, &Search),
    position: usize,
    report: &mut Report,
) {
    let Some(text) = search.slo.get(position) else { return };
    let pointer = pointer::join(&pointer::join(&pointer::join(&stage.pointer, "search"), "slo"), position);
    let place = |fault: &Fault| Place::within(EXPERIMENT, pointer.clone(), fault.at);
    let understood = match threshold::read(context, text) {
        Ok(understood) => understood,
        // Which scripts and ops there are is not known then.
        Err(fault) if fault.of_target && !context.knows_all_jobs() => return,
        Err(fault) => {
            let found = report.error(place(&fault), fault.message.clone());
            if let Some(hint) = fault.hint {
                found.hint(hint);
            }
            return;
        }
    };
    if let Some(concern) = understood.concern {
        let found = report.warning(place(&concern), concern.message.clone());
        if let Some(hint) = concern.hint {
            found.hint(hint);
        }
    }
    let threshold = understood.threshold;
    let place = Place::value(EXPERIMENT, pointer.clone());
    if threshold.statistic == Statistic::Rate
        && matches!(threshold.relation, Relation::Above | Relation::AtLeast)
    {
        report
            .error(place, "a throughput that must be reached is broken by a small load, not by a large one")
            .hint("leave it out: the search finds the load; ask for latency and errors");
    } else if share_of(context, stage, &threshold) == Some(0.0) {
        let script = threshold.target.map(|target| target.script).unwrap_or_default();
        let message =
            format!("the stage's workload never runs {script}, so that no probe could say anything");
        report.error(place, message).hint("name a script that it runs, or leave the parentheses out");
    } else {
        check_population(context, stage, &threshold, (place, report));
    }
}

/// A percentile needs ops; in the open model it is known how many are due.
fn check_population(
    context: &Context<'_>,
    stage: &Stage<'_>,
    threshold: &Threshold,
    (place, report): (Place, &mut Report),
) {
    let needed = match threshold.statistic {
        Statistic::P50 => 10.0,
        Statistic::P90 => 50.0,
        Statistic::P95 => 100.0,
        Statistic::P99 => 500.0,
        Statistic::P999 => 5_000.0,
        Statistic::Mean | Statistic::Max | Statistic::Rate | Statistic::Errors => return,
    };
    let (Some(first), Some(duration), true) = (stage.first_load(), stage.duration(), stage.is_open()) else {
        return;
    };
    let warm_up = stage.warm_up().map_or(Span::ZERO, |warm_up| warm_up.value);
    let seconds = duration.value.as_secs_f64() - warm_up.as_secs_f64();
    let due = first * seconds * share_of(context, stage, threshold).unwrap_or(1.0);
    if seconds > 0.0 && due < needed {
        let message = format!(
            "at {}/s, the first load, about {} iterations are due after the warm-up, and this percentile needs {needed}: \
             such a probe says nothing",
            words::decimal(first),
            words::decimal(due.floor())
        );
        report
            .warning(place, message)
            .hint("hold each probe for longer, begin \"from\" a higher load, or ask for a lower percentile");
    }
}

/// Clients that keep their jobs are few at a small load, and a mix that changes with the load is not what is searched.
fn check_shares(context: &Context<'_>, stage: &Stage<'_>, report: &mut Report) {
    let (Mix::Clients, Some(first)) = (stage.effective_mix(), stage.first_load()) else { return };
    let Some(workload) = stage.workload() else { return };
    let Some((_, jobs)) = context.workload(&workload.value).ready() else { return };
    let weights: Vec<f64> = jobs.0.iter().map(|job| job.weight).filter(|weight| *weight > 0.0).collect();
    let clients = assign::whole(first);
    let idle = assign::shares(&weights, clients).into_iter().filter(|share| *share == 0).count();
    if let Some(idle) = u32::try_from(idle).ok().filter(|idle| *idle > 0) {
        let message = format!(
            "with {}, where the search begins, no client is left for {} of the workload {}: small loads have another mix",
            words::counted(clients, "client"),
            words::counted(idle, "job"),
            words::quoted(&workload.value)
        );
        report
            .warning(within(stage, None), message)
            .hint("say \"mix\": \"ops\", which draws each client's next job by weight, or begin \"from\" more clients");
    }
}

/// Returns the share of a condition's script in the stage's iterations; none where that is not known.
fn share_of(context: &Context<'_>, stage: &Stage<'_>, threshold: &Threshold) -> Option<f64> {
    let Some(target) = &threshold.target else { return Some(1.0) };
    let (_, workload) = context.workload(&stage.workload()?.value).ready()?;
    let weight = |is_own: &dyn Fn(&str) -> bool| {
        let jobs = workload.0.iter().filter(|job| job.weight > 0.0 && is_own(job.script_name()));
        jobs.map(|job| job.weight).sum::<f64>()
    };
    let (own, all) = (weight(&|name| name == target.script), weight(&|_| true));
    (all > 0.0).then(|| own / all)
}

/// Returns the place of the search, or of one of its keys.
fn within(stage: &Stage<'_>, key: Option<&str>) -> Place {
    let search = pointer::join(&stage.pointer, "search");
    match key {
        Some(key) => Place::value(EXPERIMENT, pointer::join(&search, key)),
        None => Place::key(EXPERIMENT, search),
    }
}
