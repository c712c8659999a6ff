//! Thresholds in words: which of them held, at which stages.

use e3_model::{Analysis, LoadLevel, ThresholdResult, ThresholdState};
use serde::Serialize;

use crate::figure::thread_mark;

/// One threshold and how it came out.
#[derive(Debug, Serialize)]
pub(crate) struct ThresholdWords {
    /// As its author wrote it.
    pub(crate) text: String,
    /// How it came out over all stages: `broken` where any is, else `undecided` where any is, else `held`.
    pub(crate) state: StateWords,
    /// How many stages came out how, in words.
    pub(crate) summary: String,
    pub(crate) rows: Vec<ThresholdRow>,
}

/// A threshold at one stage.
#[derive(Debug, Serialize)]
pub(crate) struct ThresholdRow {
    pub(crate) thread: String,
    pub(crate) mark: String,
    pub(crate) load: String,
    pub(crate) state: StateWords,
    pub(crate) detail: String,
}

/// A threshold's state as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct StateWords {
    pub(crate) class: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) name: &'static str,
}

impl StateWords {
    /// Returns the words of a state.
    pub(crate) fn of(state: ThresholdState) -> Self {
        match state {
            ThresholdState::Held => Self { class: "better", sign: "✓", name: "held" },
            ThresholdState::Broken => Self { class: "worse", sign: "✕", name: "broken" },
            ThresholdState::Undecided => Self { class: "no-evidence", sign: "?", name: "undecided" },
        }
    }
}

/// Returns every threshold, in the order in which the analysis has them.
pub(crate) fn thresholds(analysis: &Analysis) -> Vec<ThresholdWords> {
    by_text(analysis).into_iter().map(|(text, results)| words(analysis, text, &results)).collect()
}

/// Returns the results of each threshold, in the order in which the analysis has them.
pub(crate) fn by_text(analysis: &Analysis) -> Vec<(&str, Vec<&ThresholdResult>)> {
    let mut texts: Vec<(&str, Vec<&ThresholdResult>)> = Vec::new();
    for result in &analysis.thresholds {
        match texts.iter_mut().find(|(text, _)| *text == result.threshold) {
            Some((_, results)) => results.push(result),
            None => texts.push((&result.threshold, vec![result])),
        }
    }
    texts
}

/// Returns how many came out how, such as `4 held, 1 broken`.
pub(crate) fn tally(results: &[&ThresholdResult]) -> String {
    let states = [ThresholdState::Held, ThresholdState::Broken, ThresholdState::Undecided];
    let counts = states.into_iter().filter_map(|state| {
        let count = results.iter().filter(|result| result.state == state).count();
        (count > 0).then(|| format!("{count} {}", StateWords::of(state).name))
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// Returns how a threshold came out over all stages: nothing that is broken or undecided may pass as held.
pub(crate) fn overall(results: &[&ThresholdResult]) -> ThresholdState {
    let any = |state| results.iter().any(|result| result.state == state);
    if any(ThresholdState::Broken) {
        ThresholdState::Broken
    } else if any(ThresholdState::Undecided) || results.is_empty() {
        ThresholdState::Undecided
    } else {
        ThresholdState::Held
    }
}

fn words(analysis: &Analysis, text: &str, results: &[&ThresholdResult]) -> ThresholdWords {
    let rows = results.iter().map(|result| ThresholdRow {
        thread: result.thread.clone(),
        mark: place(analysis, result).map_or_else(String::new, thread_mark),
        load: load_of(analysis, result).to_string(),
        state: StateWords::of(result.state),
        detail: result.detail.clone(),
    });
    ThresholdWords {
        text: text.to_owned(),
        state: StateWords::of(overall(results)),
        summary: tally(results),
        rows: rows.collect(),
    }
}

/// Returns the load of the stage that was judged.
pub(crate) fn load_of(analysis: &Analysis, result: &ThresholdResult) -> LoadLevel {
    analysis.load_of(result.stage).unwrap_or(LoadLevel::Clients(result.clients))
}

fn place(analysis: &Analysis, result: &ThresholdResult) -> Option<usize> {
    analysis.threads.iter().position(|thread| thread.name == result.thread)
}
