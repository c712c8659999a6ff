//! A capacity search through the binary, on a githost that works on four requests at once, each for a tenth of a second.

use e3_model::{Analysis, ProbeVerdict, Results, Run, StageOutcome};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{E3, Ran, wait_for};

/// Writes an experiment of one thread that searches for the most clients which wait less than 450 ms: with n clients, each
/// waits n/40 s at least.
fn write_experiment(e3: &E3, duration: &str, search: &Value) {
    let experiment = json!({
        "format": "e3/experiment", "version": 1, "name": "capacity", "seed": 1, "mix": "ops",
        "duration": duration, "warmUp": "500ms", "workload": "projects", "opTimeout": "30s",
        "threads": [{
            "name": "four slots",
            "instance": {"provider": "local", "snapshot": "smoke"},
            "worker": {"provider": "local"},
            "stages": [
                {"clients": 32, "search": search, "faults": [{"route": "rest", "slots": 4, "latency": "100ms"}]},
                {"clients": 2, "duration": "1s"},
            ],
        }],
    });
    e3.write("experiments/capacity.json", experiment.to_string().as_bytes());
    let job =
        json!([{"script": "http.Request", "weight": 1, "arguments": {"path": "/rest/api/latest/projects"}}]);
    e3.write("workloads/projects.json", job.to_string().as_bytes());
}

#[test]
fn every_probe_is_a_stage_of_the_run_and_of_the_report() {
    let e3 = E3::new();
    write_experiment(&e3, "2s", &json!({"slo": ["p90(Request) < 450ms", "errors < 1%"], "from": 4}));
    let ran = e3.run(&["orchestrate", "-e", "capacity"]);
    // A machine that is busy with something else makes a worker late, and the code says so.
    assert!(matches!(ran.code, Some(0 | 32)), "{:?}\n{}", ran.code, ran.stderr);
    let run: Run = e3.only_run().read().unwrap();
    let (last, probes) = run.stages.split_last().unwrap();
    assert_eq!(
        (last.stage.stage.0, &last.probe),
        (1, &None),
        "what follows the search is the plan's own stage"
    );
    assert!((2..=12).contains(&probes.len()), "{probes:#?}");
    for (index, record) in (2..).zip(probes) {
        let probe = record.probe.as_ref().unwrap();
        assert_eq!((record.stage.stage.0, probe.search.0), (index, 0));
        assert_eq!(record.outcome, StageOutcome::Completed);
        assert!(record.samples > 0 && !probe.reason.is_empty(), "{record:#?}");
        // No system with four slots of a tenth of a second lets 20 clients wait for less than half a second.
        assert!(probe.load < 20.0 || probe.verdict != Some(ProbeVerdict::Held), "{record:#?}");
    }
    let loads: Vec<f64> = probes.iter().map(|record| record.probe.as_ref().unwrap().load).collect();
    assert!(loads[0].total_cmp(&4.0).is_eq(), "{loads:?}");

    let analysis: Analysis = e3.only_run().read().unwrap();
    let [search] = analysis.searches.as_slice() else { panic!("{:#?}", analysis.searches) };
    let judged =
        |verdicts: &mut dyn Iterator<Item = (f64, Option<ProbeVerdict>)>| verdicts.collect::<Vec<_>>();
    assert_eq!(
        judged(&mut search.probes.iter().map(|probe| (probe.load, probe.verdict))),
        judged(
            &mut probes.iter().map(|record| record.probe.as_ref().unwrap()).map(|it| (it.load, it.verdict))
        ),
        "the report judges as the run did"
    );
    println!("{} after {} probes", search.sentence, search.probes.len());
    assert!(search.highest_held.is_none_or(|held| held < 20.0), "{search:#?}");
    let stages = &analysis.threads[0].stages;
    assert_eq!(stages.len(), run.stages.len());
    assert!(
        stages
            .iter()
            .filter(|stage| stage.probed_load.is_some())
            .all(|stage| f64::from(stage.clients).total_cmp(&stage.probed_load.unwrap()).is_eq())
    );
    let report = std::fs::read_to_string(e3.only_run().report_file()).unwrap();
    assert!(
        report.contains("p90(Request) &lt; 450ms") && report.contains(&search.thread),
        "the search is in it"
    );
    let said = ran.stderr;
    for part in
        ["1/2  four slots, probe 1 of at most 12: 4 clients for 2 s", "2/2  four slots, 2 clients for 1 s"]
    {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    let status = e3.run(&["status", "-r", &run.name, "--json"]).exits(0).json();
    assert_eq!(status["stages"].as_array().unwrap().len(), run.stages.len(), "{status:#}");
    e3.assert_nothing_left();
}

#[test]
fn an_interrupted_search_keeps_its_probes() {
    let e3 = E3::new();
    write_experiment(&e3, "3s", &json!({"slo": ["p90 < 450ms"], "from": 4}));
    let child = e3.command(&["orchestrate", "-e", "capacity"]).spawn().unwrap();
    let began = || e3.home().runs().first().and_then(|run| e3.home().run(&run.0).ok()?.read::<Run>().ok());
    wait_for("the second probe", std::time::Duration::from_secs(120), || match began() {
        Some(run) if run.stages.len() >= 2 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let _ = Ran::of(child.wait_with_output().unwrap()).exits(31);
    let run: Run = e3.only_run().read().unwrap();
    let last = run.stages.last().unwrap();
    assert!(run.ended_at.is_some(), "{run:#?}");
    assert!(run.stages.iter().all(|record| record.probe.is_some()), "{run:#?}");
    assert_eq!(last.probe.as_ref().unwrap().verdict.is_some(), last.outcome == StageOutcome::Completed);
    let results: Results = e3.only_run().read().unwrap();
    assert_eq!(results.stages.len(), run.stages.len(), "the probe that was cut short is gathered, too");
    let analysis: Analysis = e3.only_run().read().unwrap();
    assert_eq!(analysis.searches[0].end, e3_model::SearchEnd::CutShort);
    e3.assert_nothing_left();
}
