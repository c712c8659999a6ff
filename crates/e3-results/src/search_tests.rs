//! Searches: what is said of them, and that their probes are in nobody's way.

use e3_model::{Analysis, Run, Stamp, Statistic, ThresholdState, Verdict};

use super::*;
use crate::fixture::{Fixture, search_plan, searched, searched_of, stage_ref};
use crate::{analyze, compare_runs, gather, judge_probe};

/// As the procedure asks for them where between 25 and 26 clients are borne.
const TO_25: &[(u32, bool)] =
    &[(8, true), (16, true), (32, false), (23, true), (27, false), (25, true), (25, true)];
const TO_11: &[(u32, bool)] = &[(8, true), (16, false), (11, true), (13, false), (12, false), (11, true)];

fn analyzed(fixture: &Fixture) -> Analysis {
    gather(&fixture.run).unwrap();
    analyze(&fixture.run).unwrap()
}

#[test]
fn what_a_search_found_is_said_with_its_numbers() {
    let analysis = analyzed(&searched([TO_25, TO_11]));
    let [one, two] = analysis.searches.as_slice() else { panic!("{:?}", analysis.searches) };
    assert_eq!((one.stage, one.is_open, one.end), (stage_ref(0, 1), false, SearchEnd::Found));
    assert_eq!((one.highest_held, one.lowest_broken), (Some(25.0), Some(27.0)));
    assert_eq!(
        one.sentence,
        "“one node” meets p95 < 150ms up to 25 clients: held at 25 clients in 2 of 2 probes, broken at 27 clients in 1 of 1 probe."
    );
    assert_eq!((two.highest_held, two.lowest_broken), (Some(11.0), Some(12.0)));
    let loads: Vec<_> = one.probes.iter().map(|probe| (probe.stage.0, probe.load, probe.verdict)).collect();
    assert_eq!(loads[2], (4, 32.0, Some(ProbeVerdict::Broken)));
    assert_eq!(loads[6], (8, 25.0, Some(ProbeVerdict::Held)));
    let seen = &one.probes[2].conditions[0];
    assert_eq!((seen.state, seen.value), (ThresholdState::Broken, Some(196.0)));
    assert_eq!(
        one.probes[2].reason,
        "The 95th percentile of latency is 196 ms, of 500 successes in 5 s; it must be < 150 ms."
    );
    assert_eq!(analysis.threads[0].stages[3].probed_load, Some(32.0));
    assert_eq!(analysis.threads[0].stages[3].clients, 32, "its plan is the pattern's at the load");
    assert_eq!(analysis.headlines[0].value, "25 clients");
    assert!(analysis.headlines[0].detail.ends_with("“two nodes”: 11 clients."), "{:?}", analysis.headlines);
}

#[test]
fn the_run_judges_a_probe_by_the_numbers_of_the_analysis() {
    let fixture = searched([TO_25, TO_11]);
    let record: Run = fixture.run.read().unwrap();
    let plan = e3_plan::with_probes(&fixture.run.read().unwrap(), &record);
    let judged = |stage| judge_probe(&fixture.run, &plan, &record, stage, &search_plan().slo);
    let before: Vec<_> = (2..9).map(|stage| judged(stage_ref(0, stage)).unwrap()).collect();
    let analysis = analyzed(&fixture);
    let after =
        analysis.searches[0].probes.iter().map(|probe| (probe.verdict.unwrap(), probe.reason.clone()));
    assert_eq!(before, after.collect::<Vec<_>>(), "whether its samples are sealed or not");
    assert!(judged(stage_ref(0, 9)).is_err(), "a stage that never began");
}

#[test]
fn a_probe_is_broken_by_one_condition_and_held_by_all() {
    let fixture = searched([TO_25, TO_11]);
    let mut record: Run = fixture.run.read().unwrap();
    let plan = e3_plan::with_probes(&fixture.run.read().unwrap(), &record);
    let condition = |statistic, limit: f64| e3_model::Threshold {
        text: format!("{statistic:?} < {limit}"),
        statistic,
        limit,
        ..search_plan().slo[0].clone()
    };
    let (p95, p999) = (condition(Statistic::P95, 150.0), condition(Statistic::P999, 150.0));
    let errors = condition(Statistic::Errors, 0.01);
    let (held, broken) = (stage_ref(0, 2), stage_ref(0, 4));
    let judged = |record: &Run, stage, slo: &[e3_model::Threshold]| {
        judge_probe(&fixture.run, &plan, record, stage, slo).unwrap()
    };
    for (stage, slo, verdict, reason) in [
        (
            held,
            vec![p95.clone(), errors.clone()],
            ProbeVerdict::Held,
            "Errors < 0.01: The share of failures is 0 %",
        ),
        (broken, vec![p95.clone(), errors.clone()], ProbeVerdict::Broken, "P95 < 150: The 95th percentile"),
        (broken, vec![p999.clone(), p95.clone()], ProbeVerdict::Broken, "P95 < 150: The 95th percentile"),
        (
            held,
            vec![p999.clone(), p95.clone()],
            ProbeVerdict::Undecided,
            "P999 < 150: Too few ops: 500 of 5,000",
        ),
        (held, Vec::new(), ProbeVerdict::Undecided, ""),
    ] {
        let found = judged(&record, stage, &slo);
        assert_eq!(found.0, verdict, "{}", found.1);
        assert!(found.1.contains(reason), "{}", found.1);
    }
    record.stages.iter_mut().for_each(|own| own.honesty.lost_samples = 1);
    let lost = judged(&record, broken, &[p95, errors]);
    assert_eq!(lost, (ProbeVerdict::Undecided, "The stage lost samples.".to_owned()));
}

#[test]
fn probes_are_compared_with_nothing_and_brackets_with_each_other() {
    let analysis = analyzed(&searched([TO_11, TO_25]));
    assert!(analysis.comparisons.iter().all(|own| own.clients == 4), "8 and 16 were probed by both");
    assert_eq!(analysis.answer.verdict, Some(Verdict::Better));
    assert_eq!(
        analysis.answer.text,
        "“two nodes” bears more load than “one node”: its conditions held at 25 clients, those of “one node” were broken at 12 clients. The 95th percentile of latency of “two nodes” was 50.0 % lower than that of “one node” at 4 clients; no difference in throughput could be shown."
    );
    assert!(analysis.answer.confidence.starts_with("From 7 and 6 probes: brackets that overlap are no"));
    let swapped = analyzed(&searched([TO_25, TO_11]));
    assert!(swapped.answer.text.starts_with("“one node” bears more load than “two nodes”"));
    assert_eq!(swapped.answer.verdict, Some(Verdict::Worse), "of the thread against the baseline");
    let alike = analyzed(&searched([TO_25, TO_25]));
    assert!(alike.answer.text.starts_with(
        "No difference in capacity between “two nodes” and “one node” could be shown: the limit of the first lies between 25 clients and 27 clients, that of the second between 25 clients and 27 clients."
    ));
    assert_eq!(alike.answer.verdict, Some(Verdict::Better), "at 4 clients there is a difference");
}

#[test]
fn a_search_that_has_no_answer_says_so_and_is_no_evidence() {
    for (probes, end, sentence) in [
        (
            &TO_25[..4],
            SearchEnd::CutShort,
            "The run ended before it was known how much load “one node” bears while it meets p95 < 150ms: broken at 32 clients in 1 of 1 probe.",
        ),
        (
            &[],
            SearchEnd::CutShort,
            "The run ended before it was known how much load “one node” bears while it meets p95 < 150ms: no load was confirmed.",
        ),
        (
            &[(8, false), (4, false), (2, false), (1, false)],
            SearchEnd::HeldNowhere,
            "“one node” meets p95 < 150ms at no load that was probed: broken at 1 client in 1 of 1 probe.",
        ),
        (
            &[(8, true), (16, true), (32, true), (64, true), (64, true)],
            SearchEnd::HeldEverywhere,
            "“one node” meets p95 < 150ms at 64 clients, the highest load that might be probed: held at 64 clients in 2 of 2 probes. It may bear more.",
        ),
    ] {
        let analysis = analyzed(&searched([probes, TO_25]));
        let search = &analysis.searches[0];
        assert_eq!((search.end, search.sentence.as_str()), (end, sentence));
        let text = &analysis.answer.text;
        match end {
            SearchEnd::CutShort => {
                assert!(text.starts_with("Nothing can be concluded about the capac"), "{text}");
            }
            SearchEnd::HeldNowhere => {
                assert!(
                    text.contains("held at 25 clients, those of “one node” were broken at 1 client."),
                    "{text}"
                );
            }
            _ => assert!(text.starts_with("“one node” bears more load than “two nodes”"), "{text}"),
        }
    }
}

#[test]
fn one_thread_alone_has_its_capacity_for_an_answer() {
    let fixture = searched_of([TO_25, &[]], |plan| plan.threads.truncate(1));
    let mut record: Run = fixture.run.read().unwrap();
    record.stages.retain(|own| own.stage.thread.0 == 0 && own.stage.stage.0 > 0);
    fixture.write_records(record.stages);
    let analysis = analyzed(&fixture);
    assert_eq!(analysis.answer.text, analysis.searches[0].sentence, "there is nothing but the search");
    assert_eq!(
        analysis.answer.confidence,
        "From 7 probes: the limit lies between 25 clients and 27 clients, the upper end 8.00 % above the lower. Probes that agreed confirm that, and no test does: close to a limit, chance has a part in how a probe comes out. The workers shared the machine with what they measured: compare, but take no number for capacity."
    );
    assert_eq!(analysis.answer.verdict, None);
}

#[test]
fn thresholds_judge_a_search_at_the_load_that_held() {
    let judged = |probes, limit| {
        let fixture = searched_of([probes, TO_25], |plan| {
            plan.thresholds = vec![e3_model::Threshold { limit, ..search_plan().slo[0].clone() }];
        });
        let results = analyzed(&fixture).thresholds.into_iter();
        let first = results.filter(|own| own.stage.thread.0 == 0 && own.stage.stage.0 > 0);
        first.map(|own| (own.clients, own.state)).collect::<Vec<_>>()
    };
    use ThresholdState::{Broken, Held};
    assert_eq!(judged(TO_25, 100.0), [(25, Held), (25, Held)], "not at 32 clients, where it broke");
    assert_eq!(judged(TO_25, 40.0), [(25, Broken), (25, Broken)], "a stricter limit");
    let nowhere: &[(u32, bool)] = &[(8, false), (4, false), (2, false), (1, false)];
    assert_eq!(judged(nowhere, 150.0), [(1, Broken)], "a gate must not let pass what held nowhere");
}

#[test]
fn a_probe_that_the_run_took_for_something_else_says_so() {
    let fixture = searched([TO_25, TO_11]);
    let mut record: Run = fixture.run.read().unwrap();
    let change = |record: &mut StageRecord, verdict| record.probe.as_mut().unwrap().verdict = verdict;
    change(&mut record.stages[2], Some(ProbeVerdict::Broken));
    change(&mut record.stages[3], None);
    change(&mut record.stages[4], None);
    record.stages[4].outcome = StageOutcome::Interrupted;
    fixture.write_records(record.stages);
    let probes = &analyzed(&fixture).searches[0].probes;
    assert_eq!(probes[0].verdict, Some(ProbeVerdict::Held));
    assert!(probes[0].reason.ends_with("The run itself took it for broken."), "{}", probes[0].reason);
    assert_eq!(probes[1].verdict, Some(ProbeVerdict::Held), "it ended, and nobody judged it any more");
    assert_eq!(probes[2].verdict, None, "it did not run to its end");
}

#[test]
fn what_cannot_be_believed_holds_nothing() {
    let fixture = searched([&[(8, true), (8, true)], TO_25]);
    let mut record: Run = fixture.run.read().unwrap();
    for own in record.stages.iter_mut().filter(|own| own.probe.is_some() && own.stage.thread.0 == 0) {
        own.honesty.scheduling_lag_p99_ms = 20.0;
        own.probe.as_mut().unwrap().verdict = Some(ProbeVerdict::Undecided);
    }
    fixture.write_records(record.stages);
    let analysis = analyzed(&fixture);
    let search = &analysis.searches[0];
    assert_eq!((search.end, search.highest_held), (SearchEnd::Undecided, None));
    assert!(analysis.stamps.contains(&Stamp::ClientBound));
    assert_eq!(
        search.sentence,
        "How much load “one node” bears while it meets p95 < 150ms is not known, since probes said nothing: no load was confirmed. At 8 clients: The stage was client-bound: the worker, not the system under test, was the bottleneck."
    );
    assert_eq!(analysis.headlines[0].value, "25 clients");
    assert_eq!(analysis.searches[1].end, SearchEnd::Found);
}

#[test]
fn runs_that_searched_the_same_are_compared_by_their_brackets() {
    let own = |fixture: &Fixture| gather(&fixture.run).unwrap();
    let only = |probes| {
        searched_of([probes, &[]], |plan| {
            plan.threads.truncate(1);
            let thread = &mut plan.threads[0];
            thread.co_located = false;
            thread.instance.provider = e3_model::ProviderName::Ssh;
            thread.workers[0].provider = e3_model::ProviderName::Ssh;
        })
    };
    let (old, new) = (only(TO_11), only(TO_25));
    for fixture in [&old, &new] {
        let mut record: Run = fixture.run.read().unwrap();
        record.stages.retain(|own| own.stage.thread.0 == 0 && own.stage.stage.0 > 0);
        fixture.write_records(record.stages);
        own(fixture);
    }
    let found = compare_runs(&old.run, &new.run).unwrap();
    assert_eq!((found.answer.verdict, found.comparisons.len()), (Some(Verdict::Better), 0));
    assert_eq!(
        found.answer.text,
        "tiny-1 bears more load than tiny-1: its conditions held at 25 clients, those of tiny-1 were broken at 12 clients."
    );
}

#[test]
fn the_same_probes_give_the_same_bytes() {
    let fixture = searched([TO_25, TO_11]);
    let first = analyzed(&fixture);
    let bytes = e3_model::to_json(&first).unwrap();
    assert_eq!(e3_model::to_json(&analyzed(&fixture)).unwrap(), bytes);
    assert_eq!(e3_model::from_json::<Analysis>(&bytes).unwrap(), first);
}
