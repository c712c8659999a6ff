//! The whole experiment is of a size that someone can have meant.

use e3_model::{Order, quantity};

use super::Rule;
use crate::context::{Context, EXPERIMENT, Stage};
use crate::report::{Place, Report};

pub(super) const RULE: Rule = Rule { name: "size", check };

fn check(context: &Context<'_>, report: &mut Report) {
    let place = || Place::value(EXPERIMENT, "/threads");
    let stages: u64 = context.stages.iter().map(|stage| u64::from(stage.most_runs())).sum();
    if stages > MOST_STAGES {
        report.error(place(), format!("the experiment has {stages} stages, repetitions included; at most {MOST_STAGES} can be planned"));
    }
    let clients: u64 = context
        .stages
        .iter()
        .map(|stage| u64::from(stage.repeat()) * u64::from(stage.clients().unwrap_or(0)))
        .sum();
    if clients > MOST_CLIENTS {
        report.error(place(), format!("all stages together have {clients} clients, repetitions included; at most {MOST_CLIENTS} can be planned"));
    }
    let arrivals: f64 = context.stages.iter().filter_map(due).sum();
    if arrivals > MOST_ARRIVALS {
        let message = format!(
            "all stages with a \"rate\" together have about {} iterations due, repetitions included; at most {} can be planned",
            quantity::short(arrivals),
            quantity::short(MOST_ARRIVALS)
        );
        report.error(place(), message);
    }
    let hours = load_ms(context) / 3_600_000;
    if hours >= MANY_HOURS {
        report.warning(place(), format!("holding all stages takes about {hours} hours"));
    }
}

/// Returns about how many iterations are due in all repetitions of a stage, or fewer where a count ends it.
fn due(stage: &Stage<'_>) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate; counts are at most 2^53")]
    let operations = stage.spec.operations.map_or(f64::INFINITY, |operations| operations as f64);
    Some(stage.expected_arrivals()?.min(operations) * f64::from(stage.most_runs()))
}

/// Returns how long all stages take, in milliseconds: one after another, or the longest thread when all run at once.
fn load_ms(context: &Context<'_>) -> u64 {
    let mut threads = vec![0_u64; context.experiment.threads.len()];
    for stage in &context.stages {
        let length = stage.duration().map_or(0, |duration| duration.value.as_millis());
        if let Some(thread) = threads.get_mut(stage.thread) {
            *thread = thread.saturating_add(length.saturating_mul(u64::from(stage.most_runs())));
        }
    }
    match context.order() {
        Order::Interleaved => threads.iter().fold(0, |sum, thread| sum.saturating_add(*thread)),
        Order::Parallel => threads.into_iter().max().unwrap_or(0),
    }
}

const MOST_STAGES: u64 = 10_000;
/// A plan has a line for each.
const MOST_CLIENTS: u64 = 1_000_000;
/// Each is a sample of about a hundred bytes.
const MOST_ARRIVALS: f64 = 1e9;
const MANY_HOURS: u64 = 24;
