//! The sections of the page that go thread by thread, stage by stage.

use e3_model::{Analysis, Span, StageAnalysis, StageOutcome, quantity};
use serde::Serialize;

use crate::figure::{Figure, between, stamps_of, thread_mark};
use crate::figures::{Own, Panel, distribution_by_op, metrics, panels, timeline, values_json};
use crate::model::Model;
use crate::searches::{as_probe, probe_of};
use crate::stamps::StampTag;
use crate::talk::{talk, talk_of};

/// One thread with its stages.
#[derive(Debug, Serialize)]
pub(crate) struct ThreadSection {
    id: String,
    name: String,
    instance: String,
    mark: String,
    stages: Vec<StageSection>,
}

/// One stage with its charts.
#[derive(Debug, Serialize)]
pub(crate) struct StageSection {
    id: String,
    title: String,
    /// Its load model, and what it was for a search.
    model: String,
    open: bool,
    stamps: Vec<StampTag>,
    /// What happened, in sentences.
    facts: Vec<String>,
    timeline: Figure,
    distribution: Option<Figure>,
    /// Metrics that say something.
    panels: Vec<Figure>,
    /// The other metrics.
    more: Vec<Figure>,
    /// The metrics' values for the page's script, as JSON; empty where there are none.
    values: String,
}

impl ThreadSection {
    /// Returns the figures, in the order of the page.
    pub(crate) fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.stages.iter().flat_map(|stage| {
            std::iter::once(&stage.timeline)
                .chain(&stage.distribution)
                .chain(&stage.panels)
                .chain(&stage.more)
        })
    }
}

/// Returns every thread with its stages; the stage of the plan's highest load is open, all of them where there are few.
pub(crate) fn sections(analysis: &Analysis) -> Vec<ThreadSection> {
    let panels = panels(analysis);
    let count = analysis.threads.iter().map(|thread| thread.stages.len()).sum::<usize>();
    let threads = analysis.threads.iter().enumerate();
    threads
        .map(|(index, thread)| {
            let highest =
                thread.stages.iter().max_by_key(|stage| (stage.probed_load.is_none(), stage.load()));
            let highest = highest.map(|stage| stage.stage);
            let stages = thread.stages.iter().map(|stage| {
                let own = Own { thread: index, name: &thread.name, stage };
                let open = count <= FEW || highest == Some(stage.stage);
                section(analysis, own, &panels, open)
            });
            ThreadSection {
                id: format!("thread-{:03}", index + 1),
                name: thread.name.clone(),
                instance: thread.instance.clone(),
                mark: thread_mark(index),
                stages: stages.collect(),
            }
        })
        .collect()
}

fn section(analysis: &Analysis, own: Own<'_>, panels: &[Panel], open: bool) -> StageSection {
    let drawn: Vec<(&Panel, Figure)> =
        panels.iter().filter_map(|panel| Some((panel, metrics(panel, own)?))).collect();
    let pairs: Vec<(&Panel, &Figure)> = drawn.iter().map(|(panel, figure)| (*panel, figure)).collect();
    let values = if pairs.is_empty() { String::new() } else { values_json(&pairs, own.stage) };
    let (telling, more): (Vec<_>, Vec<_>) = drawn.into_iter().partition(|(panel, _)| panel.is_telling);
    let figures = |panels: Vec<(&Panel, Figure)>| panels.into_iter().map(|(_, figure)| figure).collect();
    StageSection {
        id: own.stem(),
        title: own.stage.load().to_string(),
        model: match as_probe(analysis, own.stage) {
            Some(probe) => format!("{}, {probe}", Model::of(own.stage.load()).name()),
            None => Model::of(own.stage.load()).name().to_owned(),
        },
        open,
        stamps: stamps_of([own.stage]),
        facts: facts(analysis, own.stage),
        timeline: timeline(analysis, own),
        distribution: distribution_by_op(analysis, own),
        panels: figures(telling),
        more: figures(more),
        values,
    }
}

fn facts(analysis: &Analysis, stage: &StageAnalysis) -> Vec<String> {
    let total = &stage.total;
    let window = Span::from_millis(stage.window_end_ms.saturating_sub(stage.window_start_ms));
    let rate = total.rate_interval.map_or_else(String::new, |ends| format!(" ({})", between(Some(ends))));
    let mut facts = vec![format!(
        "{} successes of {} ops that ended, in a measured window of {window}: {}{rate}.",
        quantity::count(total.ok),
        quantity::count(total.count),
        quantity::rate(total.rate_per_s)
    )];
    facts.push(match (total.count, total.errors.is_empty()) {
        (0, _) => "No op ended in the measured window.".to_owned(),
        (_, true) => "None failed.".to_owned(),
        _ => {
            let kinds =
                total.errors.iter().map(|(kind, count)| format!("{} {kind}", quantity::count(*count)));
            let rate = total.error_rate.map_or_else(String::new, quantity::percent);
            format!("{rate} failed: {}.", kinds.collect::<Vec<_>>().join(", "))
        }
    });
    if total.cancelled > 0 && !stage.load().is_open() {
        facts.push(format!("{} were cut off by the stage’s end.", quantity::count(total.cancelled)));
    }
    facts.extend(schedule(stage));
    if let Some((search, number, probe)) = probe_of(analysis, stage) {
        let (count, slo) = (search.probes.len(), search.slo.join(" and "));
        facts.push(format!("Probe {number} of {count} of the search for {slo}. {}", probe.reason));
    }
    match &stage.outcome {
        StageOutcome::Completed => {}
        StageOutcome::Interrupted => facts.push("The stage was interrupted.".to_owned()),
        StageOutcome::Failed { reason } => facts.push(format!("The stage failed: {reason}.")),
    }
    if talk(analysis).is_none() {
        facts.push(talk_of(analysis, stage));
    }
    facts
}

/// Returns how an open stage's schedule came out: what was asked for, what of it was late, what never began.
fn schedule(stage: &StageAnalysis) -> Vec<String> {
    let load = stage.load();
    let (total, count) = (&stage.total, quantity::count);
    if !load.is_open() {
        return Vec::new();
    }
    let mut said = vec![format!(
        "The schedule had {load}: {} ops were due in the window, at most {} under way at a time.",
        count(stage.due()),
        count(stage.clients.into())
    )];
    if total.cancelled > 0 {
        said.push(format!(
            "{} of them had not ended when the stage did, so percentiles of the successes are too low.",
            count(total.cancelled)
        ));
    }
    match stage.honesty.arrivals {
        Some(own) if own.late > 0 => said.push(format!(
            "Of all {} arrivals, warm-up included, {} found every client busy; {} of these never began; the longest wait was {}.",
            count(own.due),
            count(own.late),
            count(own.unstarted),
            quantity::latency(own.longest_wait_ms)
        )),
        Some(own) => said.push(format!("All {} arrivals, warm-up included, found a free client.", count(own.due))),
        None => {}
    }
    said
}

/// Up to so many stages are all open at first.
const FEW: usize = 2;
