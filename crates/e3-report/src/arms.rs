//! What was compared: each thread's system under test, the version that answered, and the lines of configuration.

use std::collections::BTreeMap;

use e3_model::{Analysis, ProductVersion, StageAnalysis, ThreadAnalysis};
use serde::Serialize;

use crate::figure::{thread_class, thread_mark};

/// A thread in words.
#[derive(Debug, Serialize)]
pub(crate) struct ThreadWords {
    pub(crate) name: String,
    pub(crate) instance: String,
    pub(crate) colour: String,
    pub(crate) mark: String,
    /// The version that answered, in a sentence; empty where none was said.
    pub(crate) answered: String,
    /// Whether that changed from stage to stage.
    pub(crate) has_changed: bool,
    /// Its properties that are not those of all threads, such as `name = value`; `name is not set` where only others do.
    pub(crate) properties: Vec<String>,
}

/// Returns every thread in words, in the analysis' order.
pub(crate) fn arms(analysis: &Analysis) -> Vec<ThreadWords> {
    analysis.threads.iter().enumerate().map(|(index, thread)| words(analysis, (index, thread))).collect()
}

/// Returns the properties that every one of several threads has, with the same values, such as `name = value`.
pub(crate) fn common_properties(analysis: &Analysis) -> Vec<String> {
    let Some(first) = analysis.threads.first().filter(|_| analysis.threads.len() > 1) else {
        return Vec::new();
    };
    first.properties.iter().filter(|(name, _)| is_common(analysis, name)).map(line).collect()
}

fn words(analysis: &Analysis, (index, thread): (usize, &ThreadAnalysis)) -> ThreadWords {
    let versions = versions(&thread.stages);
    ThreadWords {
        name: thread.name.clone(),
        instance: thread.instance.clone(),
        colour: thread_class(index),
        mark: thread_mark(index),
        answered: answered(&versions),
        has_changed: versions.len() > 1,
        properties: own_properties(analysis, thread),
    }
}

/// Returns the versions that answered, in order of execution, each with the first stage of it; one that is the same as
/// before it is left out, and so are stages that none is known of.
fn versions(stages: &[StageAnalysis]) -> Vec<(ProductVersion, &StageAnalysis)> {
    let mut known: Vec<(ProductVersion, &StageAnalysis)> =
        stages.iter().filter_map(|stage| Some((stage.product?, stage))).collect();
    known.sort_by_key(|(_, stage)| stage.position);
    known.dedup_by_key(|(version, _)| *version);
    known
}

fn answered(versions: &[(ProductVersion, &StageAnalysis)]) -> String {
    let Some(((first, _), later)) = versions.split_first() else { return String::new() };
    let later: String = later
        .iter()
        .map(|(version, stage)| format!(", from {} on as {version}", stage.stage.stage))
        .collect();
    let change = if later.is_empty() { "" } else { ": its version changed between stages" };
    format!("Answered as Bitbucket {first}{later}{change}.")
}

fn own_properties(analysis: &Analysis, thread: &ThreadAnalysis) -> Vec<String> {
    let several = analysis.threads.len() > 1;
    let all: BTreeMap<&String, ()> =
        analysis.threads.iter().flat_map(|thread| thread.properties.keys()).map(|name| (name, ())).collect();
    let differing = all.into_keys().filter(|name| !several || !is_common(analysis, name));
    differing
        .map(|name| match thread.properties.get(name) {
            Some(value) => line((name, value)),
            None => format!("{name} is not set"),
        })
        .collect()
}

fn is_common(analysis: &Analysis, name: &str) -> bool {
    let value = |thread: &ThreadAnalysis| thread.properties.get(name).cloned();
    let first = analysis.threads.first().and_then(value);
    analysis.threads.iter().all(|thread| value(thread) == first)
}

fn line((name, value): (&String, &String)) -> String {
    format!("{name} = {value}")
}
