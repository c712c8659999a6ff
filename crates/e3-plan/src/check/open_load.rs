//! The settings of the open model belong to stages with a rate, and those of the closed one do not.

use e3_model::{Distribution, Mix, Rate, RateRamp};

use super::Rule;
use crate::context::{Context, Stage};
use crate::report::Report;
use crate::words;

pub(super) const RULE: Rule = Rule { name: "open-load", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let has_closed = context.stages.iter().any(|stage| stage.spec.clients.is_some());
    for stage in &context.stages {
        if stage.is_open() {
            check_rate(stage, report);
            check_mix(stage, report);
            check_think_time(stage, has_closed, report);
        } else if stage.spec.clients.is_some() {
            check_closed(stage, report);
        }
    }
}

fn check_closed(stage: &Stage<'_>, report: &mut Report) {
    let settings =
        [("maxClients", stage.spec.max_clients.is_some()), ("arrival", stage.spec.arrival.is_some())];
    for (key, _) in settings.iter().filter(|(_, is_set)| *is_set) {
        report
            .error(stage.own(key), format!("{key:?} is for an open load, and this stage has \"clients\""))
            .hint(format!("give the stage a \"rate\" instead of \"clients\", or take {key:?} out"));
    }
}

fn check_rate(stage: &Stage<'_>, report: &mut Report) {
    if let Some(Rate::Ramp(RateRamp { from, to })) = stage.spec.rate
        && from.max(to) <= 0.0
    {
        report
            .error(stage.own("rate"), "\"rate\" goes from 0 to 0, so that nothing would ever start")
            .hint("such as {\"from\": 0, \"to\": 20}");
        return;
    }
    let Some((expected, duration)) = stage.expected_arrivals().zip(stage.duration()) else { return };
    let duration = duration.value;
    if duration.as_millis() > 0 && expected < 1.0 {
        let message = format!(
            "at this \"rate\" only about {} iterations are due in {duration}",
            words::decimal(expected)
        );
        report
            .warning(stage.own("rate"), message)
            .hint("a rate is per second; hold it for longer, or raise it");
    }
}

fn check_mix(stage: &Stage<'_>, report: &mut Report) {
    if let Some(mix) = stage.mix().filter(|mix| mix.value == Mix::Clients) {
        let message = "with a \"rate\", jobs cannot be shares of the clients: whichever client is free does what is due";
        report
            .error(mix.place, message)
            .hint("take \"mix\" out, or say \"mix\": \"ops\": every iteration draws its job by weight");
    }
}

fn check_think_time(stage: &Stage<'_>, has_closed: bool, report: &mut Report) {
    let Some(think_time) = stage.think_time().filter(|think_time| think_time.value != Distribution::NONE)
    else {
        return;
    };
    let is_own = stage.spec.load.think_time.is_some();
    let message = "\"thinkTime\" has no effect with a \"rate\": iterations start when they are due";
    if is_own {
        report
            .error(think_time.place, message)
            .hint("take it out, or give the stage \"clients\" instead of a \"rate\"");
    } else if !has_closed {
        // Beside closed stages, what stands at the top is for these.
        report
            .warning(think_time.place, message)
            .hint("take it out: no stage of this experiment has \"clients\"");
    }
}
