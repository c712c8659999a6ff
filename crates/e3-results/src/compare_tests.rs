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
fn stages_that_were_disturbed_in_different_ways_are_no_repeats() {
    let slots = || vec![e3_model::Fault { slots: Some(2), ..e3_model::Fault::default() }];
    for (disturbed, verdict, why) in [
        (&[0, 1, 2, 3][..], Verdict::Better, "all alike"),
        (&[0, 3], Verdict::Better, "one arm, which is what is to be seen"),
        (&[0], Verdict::Invalid, "one of two stages of an arm"),
    ] {
        let mut loaded = loaded();
        loaded.stages.iter_mut().for_each(|own| own.analysis.clients = 4);
        for index in disturbed {
            loaded.stages[*index].analysis.faults = slots();
        }
        let median = p50(&found(&loaded, None), 4).clone();
        assert_eq!(median.verdict, verdict, "{why}: {median:?}");
        let reason = median.reason.unwrap_or_default();
        assert_eq!(reason.contains("disturbed in different ways"), verdict == Verdict::Invalid, "{why}");
    }
}

fn open_loaded() -> Loaded {
    let fixture = Fixture::whole_of(crate::fixture::open);
    gather(&fixture.run).unwrap();
    Loaded::read(&fixture.run).unwrap()
}

/// All ops together at the lower load.
fn together(comparisons: &[Comparison], measure: Measure) -> &Comparison {
    let first = comparisons[0].load();
    let is_wanted =
        |own: &&Comparison| own.load() == first && own.measure == measure && own.script.is_empty();
    comparisons.iter().find(is_wanted).unwrap()
}

#[test]
fn open_stages_are_compared_at_their_rate_and_a_kept_schedule_is_evidence_of_nothing() {
    let loaded = open_loaded();
    let comparisons = found(&loaded, None);
    let loads: Vec<String> = comparisons.iter().map(|own| own.load().to_string()).collect();
    assert_eq!(loads[0], "100/s");
    assert_eq!(loads.last().unwrap(), "200/s");
    assert!(comparisons.iter().all(|own| own.clients == 0), "the bound on busy clients is no load");
    let throughput = together(&comparisons, Measure::Throughput);
    assert_eq!((throughput.verdict, throughput.ratio), (Verdict::NoEvidence, Some(1.0)));
    assert_eq!(throughput.reason.as_deref(), Some(SCHEDULED));
    assert_eq!(together(&comparisons, Measure::P50).verdict, Verdict::Better, "latency is another matter");
}

#[test]
fn chance_in_a_schedule_is_no_difference_of_the_systems() {
    // One thread's window happened to have a third more arrivals; each did all of its own.
    let mut loaded = open_loaded();
    let more = loaded.stages.iter_mut().find(|own| own.analysis.stage == stage_ref(1, 0)).unwrap();
    let total = &mut more.analysis.total;
    (total.count, total.ok, total.rate_per_s) = (670, 670, 134.0);
    more.analysis.jobs.iter_mut().for_each(|job| job.iterations = 335);
    let comparisons = found(&loaded, None);
    let throughput = together(&comparisons, Measure::Throughput);
    assert_eq!((throughput.value, throughput.baseline_value), (Some(134.0), Some(100.0)));
    assert_eq!((throughput.verdict, throughput.ratio), (Verdict::NoEvidence, Some(1.0)));
}

#[test]
fn a_thread_that_falls_behind_its_schedule_is_worse_and_its_percentiles_are_not_known() {
    let mut loaded = open_loaded();
    let behind = loaded.stages.iter_mut().find(|own| own.analysis.stage == stage_ref(1, 0)).unwrap();
    let total = &mut behind.analysis.total;
    (total.count, total.ok, total.cancelled, total.rate_per_s) = (300, 300, 200, 60.0);
    let comparisons = found(&loaded, None);
    let throughput = together(&comparisons, Measure::Throughput);
    assert_eq!(throughput.verdict, Verdict::Worse);
    assert!(throughput.ratio.is_some_and(|ratio| (ratio - 0.6).abs() < 1e-12));
    let median = together(&comparisons, Measure::P50);
    assert_eq!(median.verdict, Verdict::Invalid);
    assert!(median.reason.as_ref().unwrap().starts_with("The shares of ops differ"), "{median:?}");
    let p95 = together(&comparisons, Measure::P95);
    assert_eq!(p95.verdict, Verdict::Invalid);
    let reason = "40.0 % of the ops that were due here, and 0 % of the baseline’s, had not ended when the stage did: the 95th percentile of latency of what was due is not known.";
    assert_eq!(p95.reason.as_deref(), Some(reason));
}

#[test]
fn a_rate_and_as_many_clients_are_no_common_load() {
    let fixture = Fixture::whole_of(|plan| {
        for stage in &mut plan.threads[1].stages {
            // As many may be busy as the other thread has clients.
            stage.arrivals = Some(crate::fixture::arrivals(4.0));
        }
    });
    gather(&fixture.run).unwrap();
    assert_eq!(found(&Loaded::read(&fixture.run).unwrap(), None), []);
}

#[test]
fn open_arms_that_do_not_differ_are_seldom_told_apart() {
    // Forty experiments of two equal queues at nine tenths of what they can take, with arrivals at random.
    let told = (0..40).filter(|seed| !queues(*seed, 100.0).is_empty()).count();
    assert!(told <= 3, "{told} of 40");
    // Where one of them cannot take what comes, it is said of its throughput; of its latency nothing is known.
    for seed in 0..10 {
        let told = queues(seed, 60.0);
        let said: Vec<_> = told.iter().map(|own| (own.measure, own.verdict)).collect();
        assert_eq!(said, [(Measure::Throughput, Verdict::Worse)], "{told:#?}");
    }
}

/// Returns the verdicts of better or worse on two queues with three servers, of which those of the first do a hundred ops a
/// second each; each has a schedule of its own, of which the stage's end cuts off what waits.
fn queues(seed: u64, speed: f64) -> Vec<Comparison> {
    use crate::stage::{StageInput, analyze_stage};
    let mut plan = crate::fixture::stage_plan(3);
    plan.arrivals = Some(e3_model::ArrivalPlan {
        arrival: e3_model::Arrival::Poisson,
        ..crate::fixture::arrivals(270.0)
    });
    let seed = e3_model::Seed(11).fork(seed);
    let stage = |thread: u32, speed: f64| {
        let (seed, mut lanes) = (seed.fork(thread.into()), 0..);
        let mut draw = || {
            let drawn = seed.fork(lanes.next().unwrap()).0;
            #[expect(clippy::cast_precision_loss, reason = "53 bits")]
            let share = (drawn as f64 + 0.5) / (1_u64 << 53) as f64;
            share
        };
        let (mut free, mut due, mut samples) = ([0.0_f64; 3], 0.0, Vec::new());
        for arrival in 0.. {
            due += -draw().ln() / 270.0;
            let service = -draw().ln() / speed;
            if due >= 6.0 {
                break;
            }
            free.sort_by(f64::total_cmp);
            let began = free[0].max(due);
            let never = began >= 6.0;
            let ended = if never { 6.0 } else { began + service };
            free[0] = began + if never { 0.0 } else { service };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds")]
            let (due_ns, ended_ns) = ((due * 1e9) as u64, (ended * 1e9) as u64);
            let outcome = if never { e3_model::Outcome::Cancelled } else { e3_model::Outcome::Ok };
            samples.push(e3_model::Sample { iteration: arrival, outcome, ..sample(0, 0, due_ns, ended_ns) });
        }
        samples.sort_by_key(|own| own.ended_ns);
        let record = crate::fixture::record(stage_ref(thread, 0));
        let (position, readings) = (thread, &[][..]);
        let input = StageInput { plan: &plan, record: &record, position, samples: &samples, readings, seed };
        analyze_stage(&input, false)
    };
    let (one, two) = (stage(0, 100.0), stage(1, speed));
    assert!(one.analysis.due() > 1_000, "{}", one.analysis.due());
    let mut found = compare(&contests((ThreadId(1), &[&two]), (ThreadId(0), &[&one]), None));
    found.retain(|own| matches!(own.verdict, Verdict::Better | Verdict::Worse));
    found
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
