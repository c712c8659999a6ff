//! Capacity searches in words: what each found, and how each of its probes came out.

use e3_model::{
    Analysis, ProbePoint, ProbeVerdict, SearchAnalysis, StageAnalysis, Statistic, ThresholdState, quantity,
};
use serde::Serialize;

use crate::figure::{Figure, thread_mark};
use crate::figures::capacity;
use crate::thresholds::StateWords;

/// One search.
#[derive(Debug, Serialize)]
pub(crate) struct SearchWords {
    pub(crate) thread: String,
    pub(crate) mark: String,
    pub(crate) sentence: String,
    /// One per condition.
    pub(crate) figures: Vec<Figure>,
    /// The conditions, as heads of the rows' values.
    pub(crate) conditions: Vec<String>,
    pub(crate) rows: Vec<ProbeRow>,
}

/// One probe.
#[derive(Debug, Serialize)]
pub(crate) struct ProbeRow {
    pub(crate) number: usize,
    /// The place of its stage on the page.
    pub(crate) stage: String,
    pub(crate) load: String,
    pub(crate) rate: String,
    /// What was seen for each condition.
    pub(crate) seen: Vec<Seen>,
    pub(crate) verdict: StateWords,
    pub(crate) reason: String,
}

/// What was seen for one condition.
#[derive(Debug, Serialize)]
pub(crate) struct Seen {
    pub(crate) text: String,
    /// Whether the condition held.
    pub(crate) state: StateWords,
}

/// Returns every search, in the order in which the analysis has them.
pub(crate) fn searches(analysis: &Analysis) -> Vec<SearchWords> {
    analysis.searches.iter().map(|search| words(analysis, search)).collect()
}

/// Returns the stages that were probes of a search.
pub(crate) fn stages_of<'a>(
    analysis: &'a Analysis,
    search: &'a SearchAnalysis,
) -> impl Iterator<Item = &'a StageAnalysis> {
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    stages.filter(|stage| search.probe(stage.stage).is_some())
}

/// Returns the search that a stage was a probe of, its number among the search's probes, and how it came out.
pub(crate) fn probe_of<'a>(
    analysis: &'a Analysis,
    stage: &StageAnalysis,
) -> Option<(&'a SearchAnalysis, usize, &'a ProbePoint)> {
    analysis.searches.iter().find_map(|search| {
        let (number, probe) = search.probe(stage.stage)?;
        Some((search, number, probe))
    })
}

/// Returns what a stage was for a search, such as `probe 3: held`; none for a stage of the plan.
pub(crate) fn as_probe(analysis: &Analysis, stage: &StageAnalysis) -> Option<String> {
    let (_, number, probe) = probe_of(analysis, stage)?;
    Some(format!("probe {number}: {}", probe_words(probe.verdict).name))
}

/// Returns how a probe came out, as it is shown.
pub(crate) fn probe_words(verdict: Option<ProbeVerdict>) -> StateWords {
    match verdict {
        Some(ProbeVerdict::Held) => StateWords::of(ThresholdState::Held),
        Some(ProbeVerdict::Broken) => StateWords::of(ThresholdState::Broken),
        Some(ProbeVerdict::Undecided) => StateWords::of(ThresholdState::Undecided),
        None => StateWords { class: "no-evidence", sign: "–", name: "did not end" },
    }
}

/// Returns a value of a statistic with its unit.
pub(crate) fn shown(statistic: Statistic, value: f64) -> String {
    match statistic {
        Statistic::Rate => quantity::rate(value),
        Statistic::Errors => quantity::percent(value),
        _ => quantity::latency(value),
    }
}

/// Returns how many ops per second succeeded at a probe; a dash where its stage is not in the analysis.
pub(crate) fn rate_of(analysis: &Analysis, search: &SearchAnalysis, probe: &ProbePoint) -> String {
    let mut stages = stages_of(analysis, search);
    let stage = stages.find(|stage| stage.stage.stage == probe.stage);
    stage.map_or_else(|| "–".to_owned(), |stage| quantity::number(stage.total.rate_per_s))
}

fn words(analysis: &Analysis, search: &SearchAnalysis) -> SearchWords {
    let row = |(number, probe): (usize, &ProbePoint)| ProbeRow {
        number,
        stage: format!("{}-{}", search.stage.thread, probe.stage),
        load: search.level(probe.load).to_string(),
        rate: rate_of(analysis, search, probe),
        seen: seen(search, probe),
        verdict: probe_words(probe.verdict),
        reason: probe.reason.clone(),
    };
    SearchWords {
        thread: search.thread.clone(),
        mark: thread_mark(search.stage.thread.index()),
        sentence: search.sentence.clone(),
        figures: capacity(analysis, search),
        conditions: search.conditions.iter().map(|condition| condition.text.clone()).collect(),
        rows: (1..).zip(&search.probes).map(row).collect(),
    }
}

fn seen(search: &SearchAnalysis, probe: &ProbePoint) -> Vec<Seen> {
    let one = |(index, condition): (usize, &e3_model::Threshold)| {
        let own = probe.conditions.get(index);
        let value = own.and_then(|own| own.value);
        Seen {
            text: value.map_or_else(|| "–".to_owned(), |value| shown(condition.statistic, value)),
            state: StateWords::of(own.map_or(ThresholdState::Undecided, |own| own.state)),
        }
    };
    search.conditions.iter().enumerate().map(one).collect()
}
