//! Analysing: from documents and samples to analysis.json.

use std::fs;

use e3_home::RunDir;
use e3_model::{
    Analysis, Answer, Header, InstancePlan, Plan, ProviderName, Results, Run, Sample, StageAnalysis,
    StageRecord, StageRef, Stamp, ThreadAnalysis, ThreadId, quantity, sha256_hex,
};
use e3_samples::Names;

use crate::ResultsError;
use crate::headline::headlines;
use crate::stage::{StageInput, analyze_stage};

/// Computes every number that the report shows, and writes and returns analysis.json.
///
/// It covers the stages that run.json knows, one entry per thread and stage; a stage that was begun twice counts as it
/// was last.
///
/// # Errors
/// When a document or sample file cannot be read, or is not the one that was gathered.
pub fn analyze(run: &RunDir) -> Result<Analysis, ResultsError> {
    let plan: Plan = run.read()?;
    let record: Run = run.read()?;
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
    let header = Header::of::<Analysis>(Some(run.parent_of::<Results>()?));
    let analysis = assemble(header, &plan, &record, &stages);
    run.write(&analysis)?;
    Ok(analysis)
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
) -> Result<StageAnalysis, ResultsError> {
    let stage = record.stage;
    let (thread, stage_plan) = plan.stage(stage).ok_or(ResultsError::UnknownStage(stage))?;
    let samples = read_samples(run, results, stage, &Names::of(stage_plan))?;
    let input = StageInput { plan: stage_plan, record, position, samples: &samples };
    Ok(analyze_stage(&input, thread.co_located))
}

/// A stage that nothing was gathered of has no samples; one whose file is another than was gathered is an error.
fn read_samples(
    run: &RunDir,
    results: &Results,
    stage: StageRef,
    names: &Names,
) -> Result<Vec<Sample>, ResultsError> {
    let Some(gathered) = results.stages.iter().find(|gathered| gathered.stage == stage) else {
        return Ok(Vec::new());
    };
    let directory = run.stage_directory(stage);
    let file = e3_samples::samples_file(&directory);
    match fs::read(&file) {
        Ok(bytes) if sha256_hex(&bytes) == gathered.sha256 => {}
        _ => return Err(ResultsError::Changed(file)),
    }
    e3_samples::read(&directory, names).map_err(ResultsError::samples(stage))
}

fn assemble(header: Header, plan: &Plan, record: &Run, stages: &[StageAnalysis]) -> Analysis {
    let mut stamps: Vec<Stamp> = stages.iter().flat_map(|stage| stage.stamps.iter().copied()).collect();
    stamps.sort_unstable();
    stamps.dedup();
    let threads: Vec<ThreadAnalysis> = (0..)
        .zip(&plan.threads)
        .map(|(index, thread)| {
            let mut own: Vec<_> =
                stages.iter().filter(|s| s.stage.thread == ThreadId(index)).cloned().collect();
            own.sort_by_key(|stage| stage.stage);
            ThreadAnalysis { name: thread.name.clone(), instance: describe(&thread.instance), stages: own }
        })
        .collect();
    Analysis {
        header,
        experiment: plan.experiment.clone(),
        run: record.name.clone(),
        description: plan.description.clone(),
        started_at: record.started_at.clone(),
        order: plan.order,
        answer: Answer::default(),
        headlines: headlines(&threads),
        stamps,
        comparisons: Vec::new(),
        thresholds: Vec::new(),
        threads,
    }
}

/// Returns what a system under test is, in words.
fn describe(instance: &InstancePlan) -> String {
    let host = match instance.provider {
        ProviderName::Local => "githost on this machine",
        ProviderName::Ssh => "given machines over SSH",
        ProviderName::Aws => "Bitbucket on AWS",
    };
    let nodes = if instance.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", instance.nodes) };
    let content = instance.dataset.generate.as_ref().map_or_else(String::new, |generate| {
        format!(
            " ({} projects, {} repositories of {} to {} commits)",
            generate.projects,
            generate.repositories,
            quantity::count(generate.commits_min.into()),
            quantity::count(generate.commits_max.into()),
        )
    });
    format!("{host}, {nodes}, dataset {}{content}", instance.dataset.snapshot)
}

#[cfg(test)]
mod tests {
    use e3_home::HomeError;
    use e3_model::{Document, StageOutcome};

    use super::*;
    use crate::fixture::{Fixture, stage_ref};
    use crate::gather;

    #[test]
    fn the_same_results_give_the_same_bytes() {
        let fixture = Fixture::whole();
        gather(&fixture.run).unwrap();
        let file = fixture.run.path().join(Analysis::FILE);
        let first = analyze(&fixture.run).unwrap();
        let bytes = fs::read(&file).unwrap();
        assert_eq!(analyze(&fixture.run).unwrap(), first);
        assert_eq!(fs::read(&file).unwrap(), bytes);
        assert_eq!(first.header.parent, Some(fixture.run.parent_of::<Results>().unwrap()));
        assert_eq!(first.threads.len(), 2);
        assert!(first.threads.iter().all(|thread| thread.stages.len() == 2));
        assert_eq!(first.headlines.len(), 3);
        assert_eq!(
            first.threads[1].instance,
            "githost on this machine, 2 nodes, dataset tiny (3 projects, 8 repositories of 50 to 1,000 commits)"
        );
        let positions: Vec<u32> = first.threads.iter().flat_map(|t| &t.stages).map(|s| s.position).collect();
        assert_eq!(positions, [0, 3, 1, 2], "interleaved: ABBA");
    }

    #[test]
    fn results_that_no_longer_fit_are_refused() {
        let fixture = Fixture::whole();
        assert!(matches!(analyze(&fixture.run), Err(ResultsError::Home(HomeError::NotYet { .. }))));
        gather(&fixture.run).unwrap();
        let file = e3_samples::samples_file(&fixture.run.stage_directory(stage_ref(0, 1)));
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, b"PAR1").unwrap();
        assert!(matches!(analyze(&fixture.run), Err(ResultsError::Changed(changed)) if changed == file));
        fs::write(&file, bytes).unwrap();
        fixture.write_run(&[stage_ref(0, 0)]);
        assert!(matches!(analyze(&fixture.run), Err(ResultsError::Stale)));
    }

    #[test]
    fn a_stage_that_did_not_finish_ends_with_its_last_sample() {
        let fixture = Fixture::new();
        fixture.record(stage_ref(0, 0), 300);
        fixture.write_run_with(&[stage_ref(0, 0), stage_ref(1, 0)], |record| {
            record.outcome = StageOutcome::Failed { reason: "did not finish".to_owned() };
            record.samples = 0;
        });
        gather(&fixture.run).unwrap();
        let analysis = analyze(&fixture.run).unwrap();
        let cut = &analysis.threads[0].stages[0];
        assert!(cut.stamps.contains(&Stamp::Incomplete));
        assert!(!cut.stamps.contains(&Stamp::SamplesLost));
        assert!((2900..3100).contains(&cut.window_end_ms), "{}", cut.window_end_ms);
        assert!(cut.total.count > 0);
        let nothing = &analysis.threads[1].stages[0];
        assert_eq!((nothing.window_start_ms, nothing.window_end_ms, nothing.total.count), (0, 0, 0));
        assert_eq!(nothing.total.error_rate, None);
    }
}
