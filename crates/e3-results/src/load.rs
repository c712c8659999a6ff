//! Loading: a run's documents and samples, checked, and every stage analysed.

use std::fs;
use std::path::Path;

use e3_home::RunDir;
use e3_model::{
    Plan, Reading, Results, Run, Sample, Seed, StageRecord, StageRef, StageResults, ThreadId, sha256_hex,
};
use e3_samples::Names;

use crate::ResultsError;
use crate::evidence::AnalyzedStage;
use crate::stage::{StageInput, analyze_stage};

/// A run whose stages are analysed.
pub(crate) struct Loaded {
    /// With the probes of its searches as stages.
    pub(crate) plan: Plan,
    pub(crate) record: Run,
    /// In the order of execution; a stage that was begun twice counts as it was last.
    pub(crate) stages: Vec<AnalyzedStage>,
}

impl Loaded {
    /// Reads a run and analyses every stage that run.json knows.
    ///
    /// # Errors
    /// When a document or file of measurements cannot be read, or is not the one that was gathered.
    pub(crate) fn read(run: &RunDir) -> Result<Self, ResultsError> {
        let record: Run = run.read()?;
        let plan = e3_plan::with_probes(&run.read::<Plan>()?, &record);
        let results: Results = run.read()?;
        if results.header.parent != Some(run.parent_of::<Run>()?) {
            return Err(ResultsError::Stale);
        }
        let mut stages = Vec::new();
        for (position, stage) in (0..).zip(&record.stages) {
            if is_latest(&record, position, stage.stage) {
                stages.push(one_stage(run, &plan, &results, position, stage)?);
            }
        }
        Ok(Self { plan, record, stages })
    }

    /// Returns a thread's stages, in the thread's order.
    pub(crate) fn stages_of(&self, thread: ThreadId) -> Vec<&AnalyzedStage> {
        let mut own: Vec<_> = self.stages.iter().filter(|own| own.analysis.stage.thread == thread).collect();
        own.sort_by_key(|own| own.analysis.stage);
        own
    }

    /// Returns those of a thread's stages that the plan has, without the probes of searches.
    pub(crate) fn planned_of(&self, thread: ThreadId) -> Vec<&AnalyzedStage> {
        self.stages_of(thread).into_iter().filter(|own| own.analysis.probed_load.is_none()).collect()
    }
}

fn is_latest(record: &Run, position: u32, stage: StageRef) -> bool {
    !(0..).zip(&record.stages).any(|(later, other): (u32, _)| later > position && other.stage == stage)
}

fn one_stage(
    run: &RunDir,
    plan: &Plan,
    results: &Results,
    position: u32,
    record: &StageRecord,
) -> Result<AnalyzedStage, ResultsError> {
    let stage = record.stage;
    let (_, stage_plan) = plan.stage(stage).ok_or(ResultsError::UnknownStage(stage))?;
    let gathered = results.stages.iter().find(|gathered| gathered.stage == stage);
    let (samples, readings) = match gathered {
        Some(gathered) => {
            (read_samples(run, gathered, &Names::of(stage_plan))?, read_readings(run, gathered)?)
        }
        // Nothing was gathered of it, so there is nothing.
        None => (Vec::new(), Vec::new()),
    };
    analyzed(plan, (position, record), &samples, &readings)
}

/// Returns what a stage's samples and readings say.
///
/// # Errors
/// When the plan does not have the stage.
pub(crate) fn analyzed(
    plan: &Plan,
    (position, record): (u32, &StageRecord),
    samples: &[Sample],
    readings: &[Reading],
) -> Result<AnalyzedStage, ResultsError> {
    let stage = record.stage;
    let (thread, stage_plan) = plan.stage(stage).ok_or(ResultsError::UnknownStage(stage))?;
    let seed = seed_of(plan, stage);
    let input = StageInput { plan: stage_plan, record, position, samples, readings, seed };
    Ok(analyze_stage(&input, thread.co_located))
}

/// Draws of the analysis begin apart from those that the plan made for the load.
fn seed_of(plan: &Plan, stage: StageRef) -> Seed {
    plan.seed.fork(ANALYSIS).fork(stage.thread.0.into()).fork(stage.stage.0.into())
}

fn read_samples(run: &RunDir, gathered: &StageResults, names: &Names) -> Result<Vec<Sample>, ResultsError> {
    let directory = run.stage_directory(gathered.stage);
    check(&e3_samples::samples_file(&directory), &gathered.sha256)?;
    e3_samples::read(&directory, names).map_err(ResultsError::samples(gathered.stage))
}

fn read_readings(run: &RunDir, gathered: &StageResults) -> Result<Vec<Reading>, ResultsError> {
    let Some(sha256) = &gathered.metrics_sha256 else { return Ok(Vec::new()) };
    let directory = run.stage_directory(gathered.stage);
    check(&e3_samples::metrics_file(&directory), sha256)?;
    e3_samples::read_metrics(&directory).map_err(ResultsError::samples(gathered.stage))
}

/// A file that is another than was gathered is an error.
fn check(file: &Path, sha256: &str) -> Result<(), ResultsError> {
    match fs::read(file) {
        Ok(bytes) if sha256_hex(&bytes) == *sha256 => Ok(()),
        _ => Err(ResultsError::Changed(file.to_owned())),
    }
}

/// The lane of the analysis among the plan's seeds: "analysis" in ASCII.
const ANALYSIS: u64 = 0x616e_616c_7973_6973;
