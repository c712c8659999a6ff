//! `e3 orchestrate`: a real experiment from beginning to end.

use std::collections::BTreeMap;

use e3_model::{Analysis, Plan, Results, Run, StageOutcome, Stamp, Teardown, Topology};

use crate::support::{E3, Ran, files};

#[test]
fn smoke_runs_a_whole_experiment_and_leaves_nothing_behind() {
    let e3 = E3::new();
    let ran = believable(&e3, e3.run(&["orchestrate", "-e", "smoke"]));
    e3.assert_nothing_left();

    let run = e3.only_run();
    let plan: Plan = run.read().unwrap();
    let topology: Topology = run.read().unwrap();
    let record: Run = run.read().unwrap();
    let results: Results = run.read().unwrap();
    let analysis: Analysis = run.read().unwrap();
    let teardown: Teardown = run.read().unwrap();
    let parent = |header: &e3_model::Header| header.parent.clone().unwrap();
    assert_eq!(parent(&topology.header), run.parent_of::<Plan>().unwrap());
    assert_eq!(parent(&record.header), run.parent_of::<Topology>().unwrap());
    assert_eq!(parent(&results.header), run.parent_of::<Run>().unwrap());
    assert_eq!(parent(&analysis.header), run.parent_of::<Results>().unwrap());
    assert_eq!(teardown.left, []);

    assert!(
        record.stages.iter().all(|stage| stage.outcome == StageOutcome::Completed),
        "{:#?}",
        record.stages
    );
    let order: Vec<_> = record.stages.iter().map(|stage| stage.stage).collect();
    let planned: Vec<_> = plan.rounds.iter().flat_map(|round| &round.stages).copied().collect();
    assert_eq!(order, planned);
    assert!(analysis.stamps.contains(&Stamp::CoLocated));
    for thread in &analysis.threads {
        for stage in &thread.stages {
            assert_eq!(stage.total.errors, BTreeMap::new(), "{} {}", thread.name, stage.stage);
            assert!(stage.total.ok > 0 && stage.total.ok == stage.total.count);
            let sum: u64 = stage.ops.iter().map(|op| op.count).sum();
            assert_eq!(sum, stage.total.count);
        }
        // Over all of a thread's stages every script has run.
        for job in 0..6 {
            let iterations: u64 = thread.stages.iter().map(|stage| stage.jobs[job].iterations).sum();
            assert!(iterations > 0, "{} never ran {}", thread.name, thread.stages[0].jobs[job].script);
        }
    }

    assert_eq!(analysis.headlines.len(), 3);
    for headline in &analysis.headlines {
        assert!(ran.stdout.contains(&headline.value), "{} in {}", headline.value, ran.stdout);
    }
    let report = std::fs::read_to_string(run.report_file()).unwrap();
    assert!(ran.stdout.contains(&format!("report: {}", run.report_file().display())));
    assert!(report.contains("<svg") && !report.contains("src=\"http"), "one self-contained page");
    assert_secrets_stay_out(&run);
}

/// Checks that a command that analyses has ended well, or with 32 for one reason only: tests share the machine with others,
/// so that a worker may have been the bottleneck. Lost samples and stages cut short are failures.
#[track_caller]
pub(crate) fn believable(e3: &E3, ran: Ran) -> Ran {
    let analysis: Option<Analysis> = e3.only_run().read().ok();
    let stages = analysis.iter().flat_map(|analysis| &analysis.threads).flat_map(|thread| &thread.stages);
    let mut slow = false;
    for stage in stages {
        for stamp in &stage.stamps {
            let harmless = matches!(stamp, Stamp::CoLocated | Stamp::ClientBound);
            assert!(harmless, "{}: {stamp:?}\n{}", stage.stage, ran.stderr);
            slow |= *stamp == Stamp::ClientBound;
        }
        assert_eq!(stage.honesty.lost_samples, 0, "{}", stage.stage);
    }
    ran.exits(if slow { 32 } else { 0 })
}

/// The administrator's and users' passwords are gone with the run; what must not be there is their traces.
fn assert_secrets_stay_out(run: &e3_home::RunDir) {
    for file in files(run.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for trace in ["authorization:", "\"password\":", "j_password="] {
            assert!(!text.contains(trace), "{trace} in {}", file.display());
        }
    }
}

#[test]
fn quickstart_keeps_its_op_mix_in_every_stage() {
    let e3 = E3::new();
    let ran = e3.run(&["orchestrate", "-e", "quickstart", "--json"]);
    let ran = believable(&e3, ran);
    assert_eq!(ran.json()["headlines"].as_array().unwrap().len(), 3);
    e3.assert_nothing_left();

    let analysis: Analysis = e3.only_run().read().unwrap();
    let stages: Vec<_> = analysis.threads.iter().flat_map(|thread| &thread.stages).collect();
    assert_eq!(stages.len(), 6);
    let weights: Vec<f64> = stages[0].jobs.iter().map(|job| job.weight).collect();
    let counts: Vec<Vec<u64>> =
        stages.iter().map(|stage| stage.jobs.iter().map(|job| job.iterations).collect()).collect();
    for (stage, counts) in stages.iter().zip(&counts) {
        assert!(counts.iter().all(|count| *count > 0), "{}: a script never ran: {counts:?}", stage.stage);
        for script in stage.jobs.iter().map(|job| &job.script) {
            let ok: u64 = stage.ops.iter().filter(|op| op.script == *script).map(|op| op.ok).sum();
            assert!(ok > 0, "{}: no op of {script}", stage.stage);
        }
        let p = e3_stats::fit(counts, &weights).unwrap().p_value;
        assert!(p > 1e-6, "{}: {counts:?} do not fit {weights:?}, p = {p}", stage.stage);
        assert_eq!(stage.total.errors, BTreeMap::new());
    }
    let p = e3_stats::homogeneity(&counts).unwrap().p_value;
    assert!(p > 1e-6, "the stages' mixes differ, p = {p}: {counts:?}");
}
