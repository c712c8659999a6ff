//! Comparing runs: what changed between two executions of an experiment.

use e3_home::RunDir;
use e3_model::{
    Answer, ComparedRun, Header, Plan, Results, RunComparison, SearchAnalysis, StagePlan, StageRef, ThreadId,
    ThreadPair, ThreadPlan,
};

use crate::ResultsError;
use crate::analyze::is_here;
use crate::answer::{Names, answer};
use crate::capacity::{Searched, capacities, joined};
use crate::compare::{Contest, compare, contests};
use crate::evidence::AnalyzedStage;
use crate::load::Loaded;
use crate::search::searches;

/// Compares a run with another, the baseline: thread by thread of the same name, or the only one of each, at every load
/// that both had, and by what their searches of the same stage found.
///
/// Stages of different runs were not interleaved. Where both arms shared a machine with their workers, what it did at either
/// time is part of the difference: effect sizes and their intervals are given, and no verdict.
///
/// # Errors
/// When a run cannot be read or is not as it was gathered; when the two have no thread, dataset or load in common.
pub fn compare_runs(baseline: &RunDir, run: &RunDir) -> Result<RunComparison, ResultsError> {
    let (old, new) = (Loaded::read(baseline)?, Loaded::read(run)?);
    let incomparable = |reason: String| ResultsError::Incomparable {
        baseline: baseline.name().clone(),
        run: run.name().clone(),
        reason,
    };
    let pairs = pairs(&old.plan, &new.plan);
    if pairs.is_empty() {
        return Err(incomparable("they have no thread of the same name".to_owned()));
    }
    let mut warnings = of_plans(&old.plan, &new.plan);
    let stages: Vec<_> =
        pairs.iter().map(|pair| (new.planned_of(pair.thread), old.planned_of(pair.baseline))).collect();
    let (own_searches, other_searches) = (searches(&new), searches(&old));
    let mut found: Vec<Contest<'_>> = Vec::new();
    let mut capacities: Vec<Answer> = Vec::new();
    for (pair, (own, other)) in pairs.iter().zip(&stages) {
        let arms = arms(&new.plan, pair.thread).zip(arms(&old.plan, pair.baseline));
        let Some((thread, other_thread)) = arms else { continue };
        if thread.instance.dataset != other_thread.instance.dataset {
            return Err(incomparable(format!("“{}” had another dataset", pair.name)));
        }
        let is_shared = thread.co_located && other_thread.co_located;
        let barred = (is_shared || is_here(thread) && is_here(other_thread)).then_some(AT_OTHER_TIMES);
        let names = (shown(run, &pair.name, &pairs), shown(baseline, &pair.baseline_name, &pairs));
        let searched = (own_searches.as_slice(), other_searches.as_slice());
        capacities.extend(of_searches(pair, (thread, other_thread), searched, &names, barred));
        let all = contests((pair.thread, own), (pair.baseline, other), barred);
        found.extend(all.into_iter().filter(|contest| is_like(contest, thread, other_thread, &mut warnings)));
    }
    if found.is_empty() && capacities.is_empty() {
        return Err(incomparable("they have no load in common".to_owned()));
    }
    warnings.dedup();
    let comparisons = compare(&found);
    Ok(RunComparison {
        header: Header::of::<RunComparison>(None),
        baseline: compared(baseline, &old)?,
        run: compared(run, &new)?,
        answer: joined(&capacities, answer_of(&found, &comparisons, &pairs, (baseline, run)), ""),
        warnings,
        threads: pairs,
        comparisons,
    })
}

fn compared(directory: &RunDir, loaded: &Loaded) -> Result<ComparedRun, ResultsError> {
    Ok(ComparedRun {
        run: directory.name().clone(),
        experiment: loaded.plan.experiment.clone(),
        started_at: loaded.record.started_at.clone(),
        results_sha256: directory.parent_of::<Results>()?.sha256,
    })
}

/// Returns the threads of the same name, in the newer plan's order; without any, the only one of each.
fn pairs(old: &Plan, new: &Plan) -> Vec<ThreadPair> {
    let pair = |(thread, own): (u32, &ThreadPlan), (baseline, other): (u32, &ThreadPlan)| ThreadPair {
        thread: ThreadId(thread),
        name: own.name.clone(),
        baseline: ThreadId(baseline),
        baseline_name: other.name.clone(),
    };
    let same = |own: (u32, &ThreadPlan)| {
        let other = (0..).zip(&old.threads).find(|(_, other)| other.name == own.1.name)?;
        Some(pair(own, other))
    };
    let named: Vec<ThreadPair> = (0..).zip(&new.threads).filter_map(same).collect();
    match (old.threads.as_slice(), new.threads.as_slice()) {
        ([other], [own]) if named.is_empty() => vec![pair((0, own), (0, other))],
        _ => named,
    }
}

fn arms(plan: &Plan, thread: ThreadId) -> Option<&ThreadPlan> {
    plan.threads.get(thread.index())
}

fn of_plans(old: &Plan, new: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    if old.experiment != new.experiment {
        warnings.push(format!(
            "The runs are of different experiments: {} and {}.",
            old.experiment, new.experiment
        ));
    }
    if old.git_client != new.git_client {
        warnings.push("The runs used different Git clients.".to_owned());
    }
    if old.reset != new.reset {
        warnings.push("The systems were reset between stages in different ways.".to_owned());
    }
    warnings
}

/// Returns whether the stages of a contest were given the same work; a load of the same name that is another is left out,
/// and what may matter is noted.
fn is_like(contest: &Contest<'_>, own: &ThreadPlan, other: &ThreadPlan, warnings: &mut Vec<String>) -> bool {
    let plan = |thread: &'_ ThreadPlan, stages: &[&AnalyzedStage]| -> Option<StagePlan> {
        thread.stages.get(stages.first()?.analysis.stage.stage.index()).cloned()
    };
    let Some((own_stage, other_stage)) =
        plan(own, &contest.stages).zip(plan(other, &contest.baseline_stages))
    else {
        return false;
    };
    let at = format!("at {} of “{}”", contest.load, own.name);
    if !is_same_work(&own_stage, &other_stage) {
        warnings.push(format!("The workload {at} was another, so that load is left out."));
        return false;
    }
    if own.instance.nodes != other.instance.nodes {
        let (now, then) = (own.instance.nodes, other.instance.nodes);
        warnings.push(format!("“{}” had {now} nodes, the baseline {then}.", own.name));
    }
    if own_stage.transport != other_stage.transport {
        warnings.push(format!("Clients {at} talked to their system in another way than in the other run."));
    }
    if own_stage.faults != other_stage.faults {
        warnings
            .push(format!("The system {at} was disturbed on purpose in another way than in the other run."));
    }
    if contest.load.is_open() && own_stage.clients.len() != other_stage.clients.len() {
        let (now, then) = (own_stage.clients.len(), other_stage.clients.len());
        warnings.push(format!("At most {now} ops could be under way {at}, in the other run {then}."));
    }
    let lasted = |stage: &StagePlan| (stage.duration, stage.warm_up, stage.operations);
    if lasted(&own_stage) != lasted(&other_stage) {
        warnings
            .push(format!("Stages {at} lasted longer, or warmed up longer, in one run than in the other."));
    }
    true
}

/// Returns what a thread's searches say against those of the same stages of its like, where these gave the same work.
fn of_searches(
    pair: &ThreadPair,
    (thread, other_thread): (&ThreadPlan, &ThreadPlan),
    (searches, others): (&[SearchAnalysis], &[SearchAnalysis]),
    (name, other_name): &(String, String),
    barred: Option<&str>,
) -> Vec<Answer> {
    let one = |search: &SearchAnalysis| {
        let index = search.stage.stage.index();
        let (own, other) = thread.stages.get(index).zip(other_thread.stages.get(index))?;
        let like = StageRef { thread: pair.baseline, ..search.stage };
        let like = others.iter().find(|other| other.stage == like).filter(|_| is_same_work(own, other))?;
        capacities(Searched { name, search }, Searched { name: other_name, search: like }, barred)
    };
    searches.iter().filter(|search| search.stage.thread == pair.thread).filter_map(one).collect()
}

fn is_same_work(own: &StagePlan, other: &StagePlan) -> bool {
    let jobs = |stage: &StagePlan| -> Vec<(String, u64)> {
        stage.jobs.iter().map(|job| (job.script.clone(), job.weight.to_bits())).collect()
    };
    jobs(own) == jobs(other) && own.mix == other.mix && own.think_time == other.think_time
}

/// Returns how sentences call a thread of a run; with one pair of threads the run's name says it.
fn shown(run: &RunDir, thread: &str, pairs: &[ThreadPair]) -> String {
    if pairs.len() > 1 { format!("“{thread}” of {}", run.name()) } else { run.name().to_string() }
}

fn answer_of(
    contests: &[Contest<'_>],
    comparisons: &[e3_model::Comparison],
    pairs: &[ThreadPair],
    (baseline, run): (&RunDir, &RunDir),
) -> Answer {
    let name = |run: &RunDir, thread: Option<&String>| {
        thread.map_or_else(|| run.name().to_string(), |thread| shown(run, thread, pairs))
    };
    let of = |id: ThreadId| name(run, pairs.iter().find(|own| own.thread == id).map(|own| &own.name));
    let of_baseline = |id: ThreadId| {
        name(baseline, pairs.iter().find(|own| own.baseline == id).map(|own| &own.baseline_name))
    };
    answer(contests, comparisons, &Names { of: &of, of_baseline: &of_baseline })
}

const AT_OTHER_TIMES: &str = "Both shared a machine with their workers, at different times; only interleaved arms, or arms on machines of \
    their own, get a verdict.";

#[cfg(test)]
mod tests {
    use e3_model::{Document as _, Measure, ProviderName, Span, Verdict, from_json, to_json};

    use super::*;
    use crate::fixture::Fixture;
    use crate::gather;

    fn gathered(change: impl FnOnce(&mut Plan)) -> Fixture {
        let fixture = Fixture::whole_of(change);
        gather(&fixture.run).unwrap();
        fixture
    }

    fn on_machines_of_their_own(plan: &mut Plan) {
        for thread in &mut plan.threads {
            thread.co_located = false;
            thread.instance.provider = ProviderName::Ssh;
            thread.workers.iter_mut().for_each(|worker| worker.provider = ProviderName::Ssh);
        }
    }

    #[test]
    fn runs_on_one_machine_have_an_effect_size_and_no_verdict() {
        let (old, new) = (gathered(|_| {}), gathered(|_| {}));
        let found = compare_runs(&old.run, &new.run).unwrap();
        assert_eq!(found.header.format, RunComparison::FORMAT);
        assert_eq!(found.threads.len(), 2);
        assert!(found.comparisons.iter().all(|own| own.verdict == Verdict::Invalid));
        let throughput = &found.comparisons[0];
        assert!(throughput.ratio.is_some_and(|ratio| (ratio - 1.0).abs() < 1e-12));
        assert!(throughput.ratio_interval.is_some_and(|ends| ends.low < 1.0 && ends.high > 1.0));
        assert_eq!(throughput.reason.as_deref(), Some(AT_OTHER_TIMES));
        assert_eq!((found.answer.verdict, found.warnings.len()), (Some(Verdict::Invalid), 0));
        let bytes = to_json(&found).unwrap();
        assert_eq!(from_json::<RunComparison>(&bytes).unwrap(), found);
        assert_eq!(to_json(&compare_runs(&old.run, &new.run).unwrap()).unwrap(), bytes, "the same bytes");
    }

    #[test]
    fn runs_on_machines_of_their_own_have_a_verdict() {
        // The second thread is the faster one: named like the first, it is what a change made of it.
        let old = gathered(on_machines_of_their_own);
        let new = gathered(|plan| {
            on_machines_of_their_own(plan);
            plan.threads[0].name = "former".to_owned();
            plan.threads[1].name = "one node".to_owned();
        });
        let found = compare_runs(&old.run, &new.run).unwrap();
        let verdict = |measure| found.comparisons.iter().find(|own| own.measure == measure).unwrap().verdict;
        assert_eq!(verdict(Measure::Throughput), Verdict::NoEvidence);
        assert_eq!(verdict(Measure::P50), Verdict::Better);
        assert_eq!(found.threads[0].thread, ThreadId(1));
        assert_eq!(found.warnings, ["“one node” had 2 nodes, the baseline 1."]);
        assert_eq!(found.answer.verdict, Some(Verdict::Better));
    }

    #[test]
    fn what_has_nothing_in_common_is_refused() {
        type Change = fn(&mut Plan);
        let old = gathered(|_| {});
        let cases: [(Change, &str); 4] = [
            (|plan| plan.threads.iter_mut().for_each(|own| own.name.push('!')), "no thread of the same name"),
            (|plan| plan.threads[0].instance.dataset.snapshot.push('!'), "“one node” had another dataset"),
            (|plan| stages(plan, |stage| stage.workload.push('!')), "no load in common"),
            (|plan| stages(plan, |stage| stage.jobs[0].weight = 0.25), "no load in common"),
        ];
        for (change, reason) in cases {
            let error = compare_runs(&old.run, &gathered(change).run).unwrap_err();
            assert!(error.to_string().ends_with(reason) || error.to_string().contains(reason), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn what_may_matter_is_noted() {
        let old = gathered(|_| {});
        let new = gathered(|plan| {
            plan.experiment = "other".to_owned();
            plan.threads[0].stages[0].warm_up = Span::from_secs(2);
        });
        let warnings = compare_runs(&old.run, &new.run).unwrap().warnings;
        assert_eq!(
            warnings,
            [
                "The runs are of different experiments: tiny and other.",
                "Stages at 4 clients of “one node” lasted longer, or warmed up longer, in one run than in the other.",
            ]
        );
    }

    #[test]
    fn open_loads_of_two_runs_meet_at_their_rate_whatever_their_bound() {
        let old = gathered(crate::fixture::open);
        let new = gathered(|plan| {
            crate::fixture::open(plan);
            let first = &mut plan.threads[0].stages[0];
            first.clients.truncate(2);
            first.transport.op_timeout = Span::from_secs(5);
        });
        let found = compare_runs(&old.run, &new.run).unwrap();
        assert_eq!(found.comparisons[0].load().to_string(), "100/s");
        assert_eq!(
            found.warnings,
            [
                "Clients at 100/s of “one node” talked to their system in another way than in the other run.",
                "At most 2 ops could be under way at 100/s of “one node”, in the other run 4.",
            ]
        );
        let closed = gathered(|_| {});
        let error = compare_runs(&closed.run, &new.run).unwrap_err();
        assert!(error.to_string().contains("no load in common"), "{error}");
    }

    fn stages(plan: &mut Plan, change: impl Fn(&mut StagePlan)) {
        plan.threads.iter_mut().flat_map(|thread| &mut thread.stages).for_each(change);
    }
}
