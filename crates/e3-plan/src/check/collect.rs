//! Metrics are gathered from sources that there are, not too often and not too rarely.

use e3_model::{CollectPlan, Span};

use super::Rule;
use crate::context::{Context, EXPERIMENT};
use crate::report::{Place, Report};
use crate::words;

pub(super) const RULE: Rule = Rule { name: "collect", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let Some(collect) = &context.experiment.collect else { return };
    if let Some(interval) = collect.interval.filter(|interval| !(SHORTEST..=LONGEST).contains(interval)) {
        let message = format!("\"interval\" is {interval}; it must be from {SHORTEST} to {LONGEST}");
        report
            .error(Place::value(EXPERIMENT, "/collect/interval"), message)
            .hint("more often disturbs what is measured; more rarely misses it");
    }
    for (position, source) in collect.sources.iter().flatten().enumerate() {
        if CollectPlan::SOURCES.contains(&source.as_str()) {
            continue;
        }
        let place = Place::value(EXPERIMENT, format!("/collect/sources/{position}"));
        let found = report.error(place, format!("there is no source of metrics {}", words::quoted(source)));
        match words::meant(source, CollectPlan::SOURCES) {
            Some(meant) => found.hint(words::did_you_mean(meant)),
            None => found.hint(format!("sources are {}", words::choices(&CollectPlan::SOURCES))),
        }
    }
}

const SHORTEST: Span = Span::from_millis(100);
const LONGEST: Span = Span::from_secs(60);
