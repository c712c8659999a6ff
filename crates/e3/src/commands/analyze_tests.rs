//! Which exit code an analysis stands for.

use e3_model::{StageId, StageRef, ThreadId, ThresholdResult};
use serde_json::json;

use super::*;

fn analysis(stamps: &[Stamp], thresholds: &[ThresholdState]) -> Analysis {
    let mut analysis: Analysis = serde_json::from_str(FIXTURE).unwrap();
    assert!(!analysis.threads[0].stages.is_empty());
    for stage in analysis.threads.iter_mut().flat_map(|thread| &mut thread.stages) {
        stage.stamps.clear();
    }
    analysis.threads[0].stages[0].stamps = stamps.to_vec();
    let result = |state: &ThresholdState| ThresholdResult {
        threshold: "p99 < 2s".to_owned(),
        thread: "1 node".to_owned(),
        stage: StageRef { thread: ThreadId(0), stage: StageId(0) },
        clients: 4,
        value: None,
        limit: 2000.0,
        state: *state,
        detail: json!(state).to_string(),
    };
    analysis.thresholds = thresholds.iter().map(result).collect();
    analysis
}

#[test]
fn what_cannot_be_believed_outranks_a_threshold() {
    use ThresholdState::{Broken, Held, Undecided};
    for (stamps, thresholds, expected, why) in [
        (&[][..], &[][..], Exit::Success, "nothing is asked"),
        (
            &[Stamp::CoLocated, Stamp::Incomplete],
            &[Held],
            Exit::Success,
            "these stamps limit, but do not refute",
        ),
        (&[], &[Held, Held], Exit::Success, "all hold"),
        (&[], &[Held, Broken], Exit::Threshold, "one does not"),
        (&[], &[Undecided], Exit::Threshold, "a gate must not let pass what was not shown"),
        (&[Stamp::ClientBound], &[Held], Exit::Invalid, "the worker was the bottleneck"),
        (&[Stamp::SamplesLost], &[Broken], Exit::Invalid, "a broken threshold may be the worker's fault"),
    ] {
        assert_eq!(exit_of(&analysis(stamps, thresholds)), expected, "{why}");
    }
}

#[test]
fn a_search_without_an_answer_passes_no_gate() {
    use SearchEnd::{CutShort, Found, HeldEverywhere, HeldNowhere, ProbesUsedUp, Undecided};
    for (end, highest_held, expected, why) in [
        (Found, Some(39.3), Exit::Success, "the load is known"),
        (HeldEverywhere, Some(100.0), Exit::Success, "the system bears more, and this much was shown"),
        (ProbesUsedUp, Some(20.0), Exit::Success, "this much was shown"),
        (ProbesUsedUp, None, Exit::Threshold, "no load was confirmed"),
        (HeldNowhere, None, Exit::Threshold, "the conditions held at no load"),
        (Undecided, Some(20.0), Exit::Threshold, "probes above it said nothing"),
        (CutShort, Some(20.0), Exit::Threshold, "it was not asked to its end"),
    ] {
        let mut analysis = analysis(&[], &[]);
        analysis.searches = vec![SearchAnalysis {
            stage: StageRef { thread: ThreadId(0), stage: StageId(0) },
            thread: "1 node".to_owned(),
            slo: vec!["p90 < 400ms".to_owned()],
            conditions: Vec::new(),
            is_open: true,
            highest_held,
            lowest_broken: None,
            end,
            sentence: String::new(),
            probes: Vec::new(),
        }];
        assert_eq!(exit_of(&analysis), expected, "{why}");
    }
}

const FIXTURE: &str = include_str!("../../../e3-report/tests/analysis.json");
