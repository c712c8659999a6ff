//! Stages with the thread they belong to.

use e3_model::{Analysis, LoadLevel, StageAnalysis};

/// A stage, its thread's place, and its thread's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'a> {
    pub(crate) thread: usize,
    pub(crate) name: &'a str,
    pub(crate) stage: &'a StageAnalysis,
}

impl Own<'_> {
    /// Returns the beginning of the names of the stage's figures, such as `thread-001-stage-000`.
    pub(crate) fn stem(&self) -> String {
        format!("{}-{}", self.stage.stage.thread, self.stage.stage.stage)
    }
}

/// Returns every stage, by thread, each thread's in its order.
pub(crate) fn all_stages(analysis: &Analysis) -> Vec<Own<'_>> {
    let threads = analysis.threads.iter().enumerate();
    threads
        .flat_map(|(index, thread)| {
            thread.stages.iter().map(move |stage| Own { thread: index, name: &thread.name, stage })
        })
        .collect()
}

/// Returns the stages of each load, loads ascending; the threads in their order, a thread's stages in order of execution.
pub(crate) fn by_load(analysis: &Analysis) -> Vec<(LoadLevel, Vec<Own<'_>>)> {
    let mut loads: Vec<(LoadLevel, Vec<Own<'_>>)> = Vec::new();
    for own in all_stages(analysis) {
        let load = own.stage.load();
        match loads.iter_mut().find(|(known, _)| *known == load) {
            Some((_, stages)) => stages.push(own),
            None => loads.push((load, vec![own])),
        }
    }
    loads.sort_by_key(|(load, _)| *load);
    for (_, stages) in &mut loads {
        stages.sort_by_key(|own| (own.thread, own.stage.position));
    }
    loads
}

/// Returns the stages of each load as [`by_load`] does, without the probes of searches: what is shown load by load, thread
/// beside thread, are the loads that the plan gave to all of them.
pub(crate) fn planned_by_load(analysis: &Analysis) -> Vec<(LoadLevel, Vec<Own<'_>>)> {
    let mut loads = by_load(analysis);
    loads.iter_mut().for_each(|(_, own)| own.retain(|own| own.stage.probed_load.is_none()));
    loads.retain(|(_, own)| !own.is_empty());
    loads
}

/// Returns a stage's name among others of its load: its thread's, with its own where the thread has several.
pub(crate) fn name_among(own: Own<'_>, others: &[Own<'_>]) -> String {
    let repeated = others.iter().filter(|other| other.thread == own.thread).count() > 1;
    if repeated { format!("{} ({})", own.name, own.stage.stage.stage) } else { own.name.to_owned() }
}
