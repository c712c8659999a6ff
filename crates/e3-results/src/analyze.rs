//! Analysing: from documents and samples to analysis.json.

use e3_home::RunDir;
use e3_model::{
    Analysis, Answer, Comparison, Header, InstancePlan, Order, Plan, ProviderName, Results, SearchAnalysis,
    Stamp, ThreadAnalysis, ThreadId, ThreadPlan, quantity,
};

use crate::ResultsError;
use crate::answer::{Names, answer, caveat, finding};
use crate::capacity::{Searched, capacities, capacity, joined};
use crate::compare::{Contest, compare, contests};
use crate::evidence::AnalyzedStage;
use crate::headline::headlines;
use crate::load::Loaded;
use crate::search::{searches, telling_load};
use crate::threshold::thresholds;

/// Computes every number that the report shows, and writes and returns analysis.json.
///
/// It covers the stages that run.json knows, one entry per thread and stage; a stage that was begun twice counts as it
/// was last.
///
/// # Errors
/// When a document or a file of measurements cannot be read, or is not the one that was gathered.
pub fn analyze(run: &RunDir) -> Result<Analysis, ResultsError> {
    let loaded = Loaded::read(run)?;
    let header = Header::of::<Analysis>(Some(run.parent_of::<Results>()?));
    let analysis = assemble(header, loaded);
    run.write(&analysis)?;
    Ok(analysis)
}

fn assemble(header: Header, loaded: Loaded) -> Analysis {
    let searches = searches(&loaded);
    let (comparisons, answer) = compared(&loaded, &searches);
    let threads: Vec<_> =
        (0..).zip(&loaded.plan.threads).map(|(index, thread)| (ThreadId(index), thread)).collect();
    let by_thread: Vec<_> =
        threads.iter().map(|(id, thread)| (thread.name.clone(), telling(&loaded, &searches, *id))).collect();
    let thresholds = thresholds(&loaded.plan.thresholds, &by_thread);
    let mut stamps: Vec<Stamp> =
        loaded.stages.iter().flat_map(|stage| stage.analysis.stamps.iter().copied()).collect();
    stamps.sort_unstable();
    stamps.dedup();
    let threads: Vec<ThreadAnalysis> = threads
        .iter()
        .map(|(id, thread)| ThreadAnalysis {
            name: thread.name.clone(),
            instance: describe(&thread.instance),
            properties: thread.instance.properties.clone(),
            stages: loaded.stages_of(*id).into_iter().map(|stage| stage.analysis.clone()).collect(),
        })
        .collect();
    let Loaded { plan, record, .. } = loaded;
    Analysis {
        header,
        experiment: plan.experiment,
        run: record.name,
        description: plan.description,
        started_at: record.started_at,
        order: plan.order,
        git_client: Some(plan.git_client),
        answer,
        headlines: headlines(&threads, &searches),
        stamps,
        comparisons,
        thresholds,
        searches,
        threads,
    }
}

/// Returns the stages of a thread by which thresholds are judged, in the thread's order: those of the plan, and of each
/// search the probes at the load for which it speaks. That conditions break far above what a system bears is what a search
/// is for.
fn telling<'a>(loaded: &'a Loaded, searches: &[SearchAnalysis], thread: ThreadId) -> Vec<&'a AnalyzedStage> {
    let tells = |stage: &&AnalyzedStage| {
        let probed = searches.iter().find_map(|own| Some((own, own.probe(stage.analysis.stage)?.1)));
        probed.is_none_or(|(search, probe)| {
            telling_load(search).is_some_and(|load| load.total_cmp(&probe.load).is_eq())
        })
    };
    loaded.stages_of(thread).into_iter().filter(tells).collect()
}

/// Returns every thread but the baseline against the baseline at the plan's loads, and what that and the searches say.
///
/// Probes are compared with nothing: at which loads a search probes, and how often, follows from what it sees.
fn compared(loaded: &Loaded, searches: &[SearchAnalysis]) -> (Vec<Comparison>, Answer) {
    let (comparisons, rest) = planned(loaded);
    let probes: Vec<&AnalyzedStage> =
        loaded.stages.iter().filter(|stage| stage.analysis.probed_load.is_some()).collect();
    (comparisons, joined(&of_searches(&loaded.plan, searches), rest, caveat(&probes)))
}

/// Returns what the searches say: each thread's against the baseline's of the same stage, or by itself where there is none.
fn of_searches(plan: &Plan, searches: &[SearchAnalysis]) -> Vec<Answer> {
    let name = |search: &SearchAnalysis| format!("“{}”", search.thread);
    let arm = |search: &SearchAnalysis| plan.threads.get(search.stage.thread.index());
    let of = |own: &SearchAnalysis| {
        let like = |other: &&SearchAnalysis| {
            other.stage.thread == plan.baseline && other.stage.stage == own.stage.stage
        };
        let other = searches.iter().find(like)?;
        let workload = |search: &SearchAnalysis| plan.stage(search.stage).map(|(_, stage)| &stage.workload);
        if workload(own) != workload(other) {
            return None;
        }
        let barred = contends(plan, arm(own)?, arm(other)?).then_some(CONTENDING);
        let (own_name, other_name) = (name(own), name(other));
        let searched = |name, search| Searched { name, search };
        capacities(searched(own_name.as_str(), own), searched(other_name.as_str(), other), barred)
    };
    let others = searches.iter().filter(|own| own.stage.thread != plan.baseline);
    let against: Vec<Answer> = others.filter_map(of).collect();
    if against.is_empty() { searches.iter().map(capacity).collect() } else { against }
}

/// Returns every thread but the baseline against the baseline, and what that says.
fn planned(loaded: &Loaded) -> (Vec<Comparison>, Answer) {
    let plan = &loaded.plan;
    let name =
        |id: ThreadId| plan.threads.get(id.index()).map_or_else(|| id.to_string(), |own| own.name.clone());
    let baseline = plan.baseline;
    let Some(baseline_plan) = plan.threads.get(baseline.index()).filter(|_| plan.threads.len() > 1) else {
        let only = ThreadId(0);
        return (Vec::new(), finding(&name(only), &loaded.planned_of(only)));
    };
    let others = (0..).zip(&plan.threads).filter(|(index, _)| ThreadId(*index) != baseline);
    let baseline_stages = loaded.planned_of(baseline);
    let contests: Vec<Contest<'_>> = others
        .flat_map(|(index, thread)| {
            let barred = contends(plan, thread, baseline_plan).then_some(CONTENDING);
            let own = loaded.planned_of(ThreadId(index));
            contests((ThreadId(index), &own), (baseline, &baseline_stages), barred)
        })
        .collect();
    let comparisons = compare(&contests);
    let quoted = |id: ThreadId| format!("“{}”", name(id));
    let answer = answer(&contests, &comparisons, &Names { of: &quoted, of_baseline: &quoted });
    let measured =
        |stage: &AnalyzedStage| stage.analysis.total.count > 0 && stage.analysis.probed_load.is_none();
    let nothing = contests.is_empty() && loaded.stages.iter().any(measured);
    (comparisons, if nothing { no_common_load() } else { answer })
}

fn no_common_load() -> Answer {
    Answer {
        text: "Nothing can be compared: no thread has a load in common with the baseline.".to_owned(),
        confidence: String::new(),
        verdict: Some(e3_model::Verdict::Invalid),
    }
}

/// Returns whether two threads put load on one machine at the same time.
fn contends(plan: &Plan, own: &ThreadPlan, other: &ThreadPlan) -> bool {
    plan.order == Order::Parallel && is_here(own) && is_here(other)
}

/// Returns whether some of the thread's processes are on the machine that E3 itself runs on.
pub(crate) fn is_here(thread: &ThreadPlan) -> bool {
    let workers = thread.workers.iter().map(|worker| worker.provider);
    workers.chain([thread.instance.provider]).any(|provider| provider == ProviderName::Local)
}

/// Returns what a system under test is, in words.
fn describe(instance: &InstancePlan) -> String {
    let host = match instance.provider {
        ProviderName::Local => "githost on this machine",
        ProviderName::Ssh => "given machines over SSH",
        ProviderName::Aws => "Bitbucket on AWS",
        ProviderName::Existing => "a system that was there already",
    };
    let counted =
        |count: u32, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let nodes = counted(instance.nodes, "node", "nodes");
    let content = instance.dataset.generate.as_ref().map_or_else(String::new, |generate| {
        format!(
            " ({}, {} of {} to {} commits)",
            counted(generate.projects, "project", "projects"),
            counted(generate.repositories, "repository", "repositories"),
            quantity::count(generate.commits_min.into()),
            quantity::count(generate.commits_max.into()),
        )
    });
    format!("{host}, {nodes}, dataset {}{content}", instance.dataset.snapshot)
}

const CONTENDING: &str =
    "The two ran at the same time on one machine, and so each was measured under the other's load, too.";

#[cfg(test)]
mod tests {
    use std::fs;

    use e3_home::HomeError;
    use e3_model::{Document, Measure, StageOutcome, Verdict};

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
    fn the_second_thread_is_compared_with_the_first_at_every_load() {
        let fixture = Fixture::whole();
        gather(&fixture.run).unwrap();
        let analysis = analyze(&fixture.run).unwrap();
        let all_ops: Vec<_> = analysis
            .comparisons
            .iter()
            .filter(|own| own.script.is_empty())
            .map(|own| (own.clients, own.measure, own.verdict))
            .collect();
        let of_load = |clients| {
            [
                (clients, Measure::Throughput, Verdict::NoEvidence),
                (clients, Measure::P50, Verdict::Better),
                (clients, Measure::P95, Verdict::Better),
                (clients, Measure::P99, Verdict::NoEvidence),
            ]
        };
        assert_eq!(all_ops, [of_load(4), of_load(8)].concat(), "{:#?}", analysis.comparisons);
        let ops: Vec<_> = analysis.comparisons.iter().map(|own| own.op.as_str()).collect();
        assert_eq!(
            ops[4..8],
            ["clone", "clone", "log in", "log in"],
            "their p99 has too few, and the third op none"
        );
        assert_eq!(analysis.answer.verdict, Some(Verdict::Better));
        assert_eq!(analysis.answer.text, ANSWER);
        assert_eq!(analysis.answer.confidence, CONFIDENCE);
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

    const ANSWER: &str = "The 95th percentile of latency of “two nodes” was 50.0 % lower than that of “one node” at 8 clients; no difference in throughput could be shown.";
    const CONFIDENCE: &str = "95 % intervals of the ratios: that of the throughput 0.884 to 1.13, that of the 95th percentile of latency 0.480 to 0.521; from 500 and 500 successes in one stage each: this covers chance within the stages only, “repeat” shows how much stages differ. The workers shared the machine with what they measured: compare, but take no number for capacity.";
}
