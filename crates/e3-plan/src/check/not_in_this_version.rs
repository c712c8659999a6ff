//! What the format has, but this version cannot execute yet, is said plainly instead of being left out.

use e3_model::{ExperimentThread, HttpVersion, ProviderName};

use super::Rule;
use crate::context::{Context, EXPERIMENT, Stage};
use crate::placement::{Chosen, Placement};
use crate::report::{Found, Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "not-in-this-version", check };

fn check(context: &Context<'_>, report: &mut Report) {
    for (position, (thread, placement)) in
        context.experiment.threads.iter().zip(&context.placements).enumerate()
    {
        check_thread(&format!("/threads/{position}"), thread, placement, report);
    }
    for provider in [ProviderName::Ssh, ProviderName::Aws] {
        check_provider(context, provider, report);
    }
    for stage in &context.stages {
        check_stage(context, stage, report);
    }
}

fn check_thread(pointer: &str, thread: &ExperimentThread, placement: &Placement, report: &mut Report) {
    let (instance, worker) = (&thread.instance, &thread.worker);
    // What other machines can do is their provider's, which has a word of its own.
    let (is_githost, is_here) = (is_local(&placement.instance), is_local(&placement.worker));
    let is_many = is_here && placement.workers > 1;
    let settings = [
        (
            is_githost && instance.mirrors.is_some_and(|mirrors| mirrors > 0),
            "instance/mirrors",
            "set up mirrors (\"mirrors\")",
        ),
        (
            is_githost && instance.database.as_deref() == Some("postgresql"),
            "instance/database",
            "use PostgreSQL for a githost (\"database\")",
        ),
        (is_githost && instance.lease.is_some(), "instance/lease", "keep a lease on machines (\"lease\")"),
        (is_githost && instance.budget.is_some(), "instance/budget", "keep to a budget (\"budget\")"),
        (is_here && worker.lease.is_some(), "worker/lease", "keep a lease on machines (\"lease\")"),
        (is_here && worker.budget.is_some(), "worker/budget", "keep to a budget (\"budget\")"),
        (is_many, "worker/nodes", "run more than one worker (\"nodes\")"),
    ];
    for (_, key, what) in settings.iter().filter(|(is_set, ..)| *is_set) {
        refuse(report, Place::key(EXPERIMENT, format!("{pointer}/{key}")), what);
    }
}

/// Warns once of machines that cannot be set up: the file may be right, and only setting up refuses it.
fn check_provider(context: &Context<'_>, provider: ProviderName, report: &mut Report) {
    let (what, hint) = match provider {
        ProviderName::Local | ProviderName::Existing => return,
        ProviderName::Ssh => ("use machines over SSH", OVER_SSH),
        ProviderName::Aws => ("set up machines on AWS", ON_AWS),
    };
    let parts = context.placements.iter().enumerate().flat_map(|(position, placement)| {
        [(position, "instance", &placement.instance), (position, "worker", &placement.worker)]
    });
    let mut chosen = parts.filter(|(.., chosen)| chosen.provider == provider);
    let Some((position, part, first)) = chosen.next() else { return };
    let more = match u32::try_from(chosen.count()).unwrap_or(u32::MAX) {
        0 => String::new(),
        more => format!(", and {}", words::counted(more, "more place")),
    };
    let key = first.key.unwrap_or("provider");
    let place = Place::key(EXPERIMENT, format!("/threads/{position}/{part}/{key}"));
    let message = format!("this version of e3 cannot {what} yet (the {part}'s {key:?}{more})");
    report.warning(place, message).hint(hint);
}

fn is_local(chosen: &Chosen) -> bool {
    chosen.provider == ProviderName::Local
}

fn check_stage(context: &Context<'_>, stage: &Stage<'_>, report: &mut Report) {
    let is_githost = context.placements.get(stage.thread).map(|placement| placement.instance.provider)
        == Some(ProviderName::Local);
    if let Some(http) = stage.http().filter(|http| is_githost && http.value == HttpVersion::Http2) {
        refuse(report, http.place, "speak HTTP/2 with a githost (\"http\")")
            .hint("take it out; `e3 load --http 2` speaks it with a system that is there already");
    }
}

fn refuse<'r>(report: &'r mut Report, place: Place, what: &str) -> &'r mut Found {
    report.error(place, format!("this version of e3 cannot {what} yet"))
}

const OVER_SSH: &str = "all else was checked, but `e3 provision` will refuse it; whether the machines answer only they can \
                        tell; \"provider\": \"local\" sets up a githost on this machine";
const ON_AWS: &str = "all else was checked, but `e3 provision` will refuse it; templates, parameters and properties only AWS and \
                      the product can confirm; \"provider\": \"local\" sets up a githost on this machine";
