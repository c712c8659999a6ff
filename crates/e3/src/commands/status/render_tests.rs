//! A run's status as it is read.

use super::super::{Node, Phase};
use super::*;

fn stage(position: usize, state: StageState) -> Stage {
    Stage {
        stage: format!("thread-001/stage-00{position}"),
        thread: if position.is_multiple_of(2) { "1 node" } else { "2 nodes" }.to_owned(),
        clients: 4 << position,
        rate: None,
        search: false,
        state,
        verdict: None,
        reason: (state == StageState::Failed)
            .then(|| "githost-2 of thread-002 does not serve any more".to_owned()),
        samples: if state == StageState::Completed { 12_345 } else { 0 },
        elapsed_s: (state == StageState::Running).then_some(3.2),
        duration_s: 6.0,
    }
}

fn status(phase: Phase, stages: &[StageState]) -> Status {
    Status {
        run: "quickstart-2026-11-22T20-05-31".to_owned(),
        directory: "/e3-home/runs/quickstart-2026-11-22T20-05-31".to_owned(),
        experiment: "quickstart".to_owned(),
        phase,
        process: None,
        provisioned_at: Some("2026-11-22T20:05:33Z".to_owned()),
        stages: (0..).zip(stages).map(|(position, state)| stage(position, *state)).collect(),
        standing: Vec::new(),
        nodes: Vec::new(),
        left: Vec::new(),
        report: None,
        next: Vec::new(),
    }
}

#[test]
fn a_run_is_shown_from_beginning_to_end() {
    use StageState::{Completed, CutOff, Failed, Running, ToCome};
    let resources = || vec!["thread-001-githost-1 (process 4711)".to_owned(); 9];
    let node = |node: &str, serves| Node {
        thread: "thread-002".to_owned(),
        node: node.to_owned(),
        state: if serves { "RUNNING" } else { "connection refused" }.to_owned(),
        serves,
    };
    let running = Status {
        process: Some(4711),
        standing: resources(),
        ..status(Phase::Running, &[Completed, Running, ToCome])
    };
    let failed = Status {
        standing: resources(),
        nodes: vec![node("githost-1", true), node("githost-2", false)],
        next: vec!["e3 gather -r quickstart".to_owned(), "e3 deprovision -r quickstart".to_owned()],
        ..status(Phase::Ran, &[Completed, Failed, ToCome])
    };
    let cut_off = Status { standing: resources(), ..status(Phase::RunCutOff, &[Completed, CutOff]) };
    let over = Status {
        report: Some("/e3-home/runs/quickstart/report/index.html".to_owned()),
        left: vec!["directory /tmp/x: it is busy".to_owned()],
        ..status(Phase::Analysed, &[Completed, Completed])
    };
    let mut searching =
        Status { standing: resources(), ..status(Phase::Running, &[Completed, Running, ToCome]) };
    searching.stages[0].verdict = Some(e3_model::ProbeVerdict::Held);
    searching.stages[2].search = true;
    let shown = [running, failed, cut_off, over, searching].map(|status| text(&status, 80, Style::PLAIN));
    insta::assert_snapshot!(shown.join("\n"));
}
