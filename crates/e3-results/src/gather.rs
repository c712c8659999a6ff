//! Gathering: every sample sealed, counted and hashed, metrics beside them, every log listed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use e3_home::RunDir;
use e3_model::{
    Header, Plan, Results, Run, StageId, StagePlan, StageRef, StageResults, ThreadId, sha256_hex,
};
use e3_samples::{Names, SamplesError};

use crate::ResultsError;

/// Seals the samples of every stage that has any, and writes and returns results.json.
///
/// Works on a run that was killed, too: what its stages had recorded is sealed even where run.json does not know of
/// them, and before anything else can fail. Gathering again changes nothing. The caller holds the run's lock, since a
/// stage that is sealed takes no more samples.
///
/// # Errors
/// When the plan or run.json cannot be read, or a file cannot be read or written.
pub fn gather(run: &RunDir) -> Result<Results, ResultsError> {
    let mut plan: Plan = run.read()?;
    let record = run.read::<Run>();
    if let Ok(record) = &record {
        plan = e3_plan::with_probes(&plan, record);
    }
    let mut sealed = Vec::new();
    for (stage, stage_plan) in stages(&plan) {
        if let Some(results) = seal(run, stage, stage_plan)? {
            sealed.push(results);
        }
    }
    let record = record?;
    let position = |stage: StageRef| record.stages.iter().position(|begun| begun.stage == stage);
    sealed.sort_by_key(|results| (position(results.stage).unwrap_or(usize::MAX), results.stage));
    let header = Header::of::<Results>(Some(run.parent_of::<Run>()?));
    let results = Results { header, stages: sealed, logs: logs(run)? };
    run.write(&results)?;
    Ok(results)
}

/// Returns every stage of a plan, thread by thread.
fn stages(plan: &Plan) -> impl Iterator<Item = (StageRef, &StagePlan)> {
    (0..).zip(&plan.threads).flat_map(|(thread, thread_plan)| {
        (0..).zip(&thread_plan.stages).map(move |(stage, stage_plan)| {
            (StageRef { thread: ThreadId(thread), stage: StageId(stage) }, stage_plan)
        })
    })
}

fn seal(run: &RunDir, stage: StageRef, plan: &StagePlan) -> Result<Option<StageResults>, ResultsError> {
    let directory = run.stage_directory(stage);
    if !e3_samples::has_samples(&directory) {
        return Ok(None);
    }
    let samples = e3_samples::seal(&directory, &Names::of(plan)).map_err(ResultsError::samples(stage))?;
    let torn = e3_samples::torn_segments(&directory).map_err(ResultsError::samples(stage))?;
    if torn > 0 {
        tracing::warn!(%stage, torn, "some sample segments cannot be read; they are kept beside the sample file");
    }
    let file = e3_samples::samples_file(&directory);
    let metrics = seal_metrics(&directory).map_err(ResultsError::samples(stage))?;
    Ok(Some(StageResults {
        stage,
        samples_file: within(run, &file),
        samples,
        sha256: sha256(&file)?,
        metrics_file: metrics.as_ref().map(|file| within(run, file)),
        metrics_sha256: metrics.as_ref().map(|file| sha256(file)).transpose()?,
    }))
}

/// Seals what was read of metrics and returns their file; none where nothing was.
fn seal_metrics(directory: &Path) -> Result<Option<PathBuf>, SamplesError> {
    let file = e3_samples::metrics_file(directory);
    if !file.exists() && e3_samples::read_metrics(directory)?.is_empty() {
        return Ok(None);
    }
    e3_samples::seal_metrics(directory)?;
    Ok(Some(file))
}

fn sha256(file: &Path) -> Result<String, ResultsError> {
    Ok(sha256_hex(&fs::read(file).map_err(ResultsError::io(file))?))
}

/// Returns e3's own log and those of its child processes that exist, in alphabetical order.
fn logs(run: &RunDir) -> Result<Vec<String>, ResultsError> {
    let mut logs: Vec<PathBuf> = Some(run.e3_log()).filter(|path| path.is_file()).into_iter().collect();
    let example = run.log_file("any");
    let directory = example.parent().unwrap_or(run.path());
    match fs::read_dir(directory) {
        Ok(entries) => {
            for entry in entries {
                logs.push(entry.map_err(ResultsError::io(directory))?.path());
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(ResultsError::io(directory)(error)),
    }
    logs.sort();
    Ok(logs.iter().map(|path| within(run, path)).collect())
}

/// Returns a path as documents name it: within the run, with forward slashes.
fn within(run: &RunDir, path: &Path) -> String {
    let path = path.strip_prefix(run.path()).unwrap_or(path);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use e3_home::HomeError;

    use super::*;
    use crate::fixture::{Fixture, stage_ref};

    #[test]
    fn what_a_killed_run_recorded_is_sealed_even_without_a_word_in_run_json() {
        let fixture = Fixture::new();
        fixture.record(stage_ref(0, 0), 100);
        fixture.record(stage_ref(1, 0), 50);
        assert!(matches!(gather(&fixture.run), Err(ResultsError::Home(HomeError::NotYet { .. }))));
        assert!(
            !fixture.run.stage_directory(stage_ref(1, 0)).join("segments").exists(),
            "sealed all the same"
        );

        fixture.write_run(&[stage_ref(1, 0)]);
        fs::create_dir(fixture.run.path().join("logs")).unwrap();
        fs::write(fixture.run.log_file("githost-2"), "").unwrap();
        fs::write(fixture.run.log_file("githost-1"), "").unwrap();
        fs::write(fixture.run.e3_log(), "").unwrap();
        let results = gather(&fixture.run).unwrap();
        let stages: Vec<_> = results.stages.iter().map(|s| (s.samples_file.as_str(), s.samples)).collect();
        assert_eq!(
            stages,
            [("thread-002/stage-000/samples.parquet", 50), ("thread-001/stage-000/samples.parquet", 100)],
            "in the order of execution, then those that run.json does not know"
        );
        assert_eq!(results.logs, ["e3.log", "logs/githost-1.log", "logs/githost-2.log"]);
        assert_eq!(results.header.parent, Some(fixture.run.parent_of::<Run>().unwrap()));
        assert_eq!(gather(&fixture.run).unwrap(), results, "gathering again changes nothing");
        assert!(
            !fixture.run.stage_directory(stage_ref(0, 1)).exists(),
            "stages without samples are left alone"
        );
    }

    #[test]
    fn metrics_are_sealed_listed_and_analysed() {
        let fixture = Fixture::whole();
        let directory = fixture.run.stage_directory(stage_ref(0, 0));
        let reading = |second: u64| e3_model::Reading {
            at_ns: second * 1_000_000_000,
            source: "proc".into(),
            subject: "machine".into(),
            name: "cpu/user".into(),
            unit: "%".into(),
            value: f64::from(u32::try_from(second).unwrap()),
        };
        e3_samples::append_metrics(&directory, 1, &(0..8).map(reading).collect::<Vec<_>>()).unwrap();
        let results = gather(&fixture.run).unwrap();
        assert_eq!(results.stages[0].metrics_file.as_deref(), Some("thread-001/stage-000/metrics.parquet"));
        assert!(results.stages[1..].iter().all(|stage| stage.metrics_file.is_none()));
        assert_eq!(gather(&fixture.run).unwrap(), results, "gathering again changes nothing");

        let analysis = crate::analyze(&fixture.run).unwrap();
        let metrics = &analysis.threads[0].stages[0].metrics;
        assert_eq!((metrics[0].mean, metrics[0].max), (Some(3.0), Some(5.0)), "of 1 s to 6 s");
        fs::write(e3_samples::metrics_file(&directory), b"PAR1").unwrap();
        assert!(matches!(crate::analyze(&fixture.run), Err(ResultsError::Changed(_))));
    }
}
