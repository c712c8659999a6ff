use e3_model::{StageRef, Stamp};

use super::*;
use crate::fixture::{Fixture, MS, loaded, sample, stage_ref};
use crate::gather;
use crate::load::Loaded;

fn found(loaded: &Loaded, barred: Option<&str>) -> Vec<Comparison> {
    let (one, two) = (loaded.stages_of(ThreadId(0)), loaded.stages_of(ThreadId(1)));
    compare(&contests((ThreadId(1), &two), (ThreadId(0), &one), barred))
}

fn p50(comparisons: &[Comparison], clients: u32) -> &Comparison {
    let is_wanted =
        |own: &&Comparison| own.clients == clients && own.measure == Measure::P50 && own.script.is_empty();
    comparisons.iter().find(is_wanted).unwrap()
}

#[test]
fn a_comparison_has_values_ratio_interval_and_verdict() {
    let comparisons = found(&loaded(), None);
    let median = p50(&comparisons, 4);
    assert_eq!(median.stages, [stage_ref(1, 0)]);
    assert_eq!(median.baseline_stages, [stage_ref(0, 0)]);
    let (value, baseline) = (median.value.unwrap(), median.baseline_value.unwrap());
    assert!((median.ratio.unwrap() - value / baseline).abs() < 1e-12);
    let ends = median.ratio_interval.unwrap();
    assert!(ends.low < value / baseline && value / baseline < ends.high && ends.high < 1.0, "{ends:?}");
    assert_eq!((median.verdict, &median.reason), (Verdict::Better, &None));
    assert!(comparisons.iter().all(|own| own.op != "list users"), "neither arm has any");
}

#[test]
fn too_few_ops_in_one_arm_give_no_ratio() {
    let mut loaded = loaded();
    let few = loaded.stages.iter_mut().find(|own| own.analysis.stage == stage_ref(0, 0)).unwrap();
    few.evidence[0].latencies.truncate(400);
    let comparisons = found(&loaded, None);
    let p99 = comparisons.iter().find(|own| own.clients == 4 && own.measure == Measure::P99).unwrap();
    assert_eq!((p99.verdict, p99.ratio, p99.baseline_value), (Verdict::NoEvidence, None, None));
    assert!(p99.value.is_some());
    assert!(p99.reason.as_ref().unwrap().ends_with("needs 500 successes in both."), "{p99:?}");
}

#[test]
fn what_cannot_be_believed_gets_no_verdict() {
    for (stamp, reason) in [
        (Stamp::ClientBound, "thread-001/stage-000 was client-bound"),
        (Stamp::SamplesLost, "thread-001/stage-000 lost samples."),
        (Stamp::Incomplete, "thread-001/stage-000 did not run for its whole time."),
    ] {
        let mut loaded = loaded();
        let spoilt = loaded.stages.iter_mut().find(|own| own.analysis.stage == stage_ref(0, 0)).unwrap();
        spoilt.analysis.stamps.push(stamp);
        let comparisons = found(&loaded, None);
        let median = p50(&comparisons, 4);
        assert_eq!(median.verdict, Verdict::Invalid);
        assert!(median.reason.as_ref().unwrap().starts_with(reason), "{median:?}");
        assert!(median.ratio_interval.is_some(), "the effect size is given all the same");
        assert_eq!(p50(&comparisons, 8).verdict, Verdict::Better, "the other load is as valid as before");
    }
    let barred = found(&loaded(), Some("On one machine."));
    assert!(barred.iter().all(|own| own.verdict == Verdict::Invalid));
    assert_eq!(barred[0].reason.as_deref(), Some("On one machine."));
}

#[test]
fn latencies_of_arms_with_different_error_rates_get_no_verdict() {
    let mut loaded = loaded();
    let failing = loaded.stages.iter_mut().find(|own| own.analysis.stage == stage_ref(1, 0)).unwrap();
    failing.analysis.total.count += 20;
    let comparisons = found(&loaded, None);
    assert_eq!(p50(&comparisons, 4).verdict, Verdict::Invalid);
    assert!(p50(&comparisons, 4).reason.as_ref().unwrap().starts_with("The error rates differ"));
    assert_eq!(comparisons[0].measure, Measure::Throughput);
    assert_eq!(comparisons[0].verdict, Verdict::NoEvidence, "successes a second can be compared");
}

#[test]
fn stages_at_one_load_are_pooled_and_invalid_ones_left_out() {
    // Both stages of each thread at the same load: two repeats.
    let fixture = Fixture::whole_of(|plan| {
        for thread in &mut plan.threads {
            thread.stages[1] = thread.stages[0].clone();
        }
    });
    gather(&fixture.run).unwrap();
    let mut loaded = Loaded::read(&fixture.run).unwrap();
    let stages = |comparisons: &[Comparison]| -> (Vec<StageRef>, Vec<StageRef>) {
        (comparisons[0].stages.clone(), comparisons[0].baseline_stages.clone())
    };
    let both = found(&loaded, None);
    let (one, two) = ([stage_ref(0, 0), stage_ref(0, 1)], [stage_ref(1, 0), stage_ref(1, 1)]);
    assert_eq!(stages(&both), (two.to_vec(), one.to_vec()));
    let median = p50(&both, 4);
    assert_eq!(median.verdict, Verdict::Better);
    let spoilt = loaded.stages.iter_mut().find(|own| own.analysis.stage == stage_ref(0, 1)).unwrap();
    spoilt.analysis.stamps.push(Stamp::ClientBound);
    let without = found(&loaded, None);
    assert_eq!(stages(&without), (two.to_vec(), vec![stage_ref(0, 0)]));
    assert_ne!(without[0].verdict, Verdict::Invalid);
}

#[test]
fn arms_that_do_not_differ_are_seldom_told_apart() {
    // Sixty experiments of two equal threads: any better or worse, of any op at any load, in four of them at most.
    let told = (0..60).filter(|seed| !equal_arms(*seed).is_empty()).count();
    assert!(told <= 4, "{told} of 60");
}

/// Returns the verdicts of better or worse on two threads that drew their latencies from the same distribution.
fn equal_arms(seed: u64) -> Vec<Comparison> {
    use crate::stage::{StageInput, analyze_stage};
    let plan = crate::fixture::stage_plan(4);
    let stage = |thread: u32, seed: e3_model::Seed| {
        let mut lanes = 0..;
        let mut draw = || {
            let drawn = seed.fork(lanes.next().unwrap()).0;
            #[expect(clippy::cast_precision_loss, reason = "53 bits")]
            let share = (drawn as f64 + 0.5) / (1_u64 << 53) as f64;
            share
        };
        let mut samples = Vec::new();
        for client in 0..4 {
            let (mut at, mut iteration) = (0.0, 0);
            while at < 6000.0 {
                let job = u16::from(draw() < 0.5);
                let latency = 8.0 * (draw() + draw() + draw()).exp() / 4.0;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds")]
                let (from, to) = ((at * 1e6) as u64, ((at + latency) * 1e6) as u64);
                samples.push(e3_model::Sample { iteration, ..sample(client, job, from, to) });
                at += latency - 20.0 * draw().ln();
                iteration += 1;
            }
        }
        samples.sort_by_key(|own| own.ended_ns);
        let record = crate::fixture::record(stage_ref(thread, 0));
        assert!(samples.len() > 500 && samples[0].ended_ns > MS / 100);
        let input = StageInput {
            plan: &plan,
            record: &record,
            position: thread,
            samples: &samples,
            readings: &[],
            seed,
        };
        analyze_stage(&input, true)
    };
    let seed = e3_model::Seed(7).fork(seed);
    let (one, two) = (stage(0, seed.fork(1)), stage(1, seed.fork(2)));
    let mut found = compare(&contests((ThreadId(1), &[&two]), (ThreadId(0), &[&one]), None));
    found.retain(|own| matches!(own.verdict, Verdict::Better | Verdict::Worse));
    found
}
