//! Searches: what the probes of each say together.

use e3_model::{
    Plan, ProbePoint, ProbeVerdict, SearchAnalysis, SearchEnd, SearchPlan, StageId, StageOutcome, StagePlan,
    StageRecord, StageRef, ThreadId,
};

use crate::evidence::AnalyzedStage;
use crate::load::Loaded;
use crate::probe::Judged;

/// Returns what each search of the plan found: by thread, then by stage.
pub(crate) fn searches(loaded: &Loaded) -> Vec<SearchAnalysis> {
    let plan: &Plan = &loaded.plan;
    let threads = (0..).zip(&plan.threads);
    let stages = threads.flat_map(|(thread, thread_plan)| {
        (0..).zip(&thread_plan.stages).map(move |(stage, stage_plan)| {
            let stage = StageRef { thread: ThreadId(thread), stage: StageId(stage) };
            (stage, thread_plan.name.as_str(), stage_plan)
        })
    });
    stages
        .filter_map(|(stage, name, plan)| Some(search(loaded, (stage, name), (plan, plan.search.as_ref()?))))
        .collect()
}

fn search(
    loaded: &Loaded,
    (stage, thread): (StageRef, &str),
    (pattern, plan): (&StagePlan, &SearchPlan),
) -> SearchAnalysis {
    let mut found = SearchAnalysis {
        stage,
        thread: thread.to_owned(),
        slo: plan.slo.iter().map(|condition| condition.text.clone()).collect(),
        conditions: plan.slo.clone(),
        is_open: pattern.arrivals.is_some(),
        highest_held: None,
        lowest_broken: None,
        end: SearchEnd::CutShort,
        sentence: String::new(),
        probes: probes(loaded, stage, plan),
    };
    let ended = found.probes.iter().filter_map(|probe| Some((probe.load, probe.verdict?)));
    let state = e3_stats::search(plan, found.is_open, &ended.collect::<Vec<_>>());
    (found.highest_held, found.lowest_broken, found.end) =
        (state.highest_held, state.lowest_broken, state.end);
    found.sentence = sentence(&found);
    found
}

/// Returns the probes of a search in the order in which they ran, judged anew by the numbers of the analysis; one that
/// neither ran to its end nor was judged by the run has no verdict.
fn probes(loaded: &Loaded, search: StageRef, plan: &SearchPlan) -> Vec<ProbePoint> {
    let records = &loaded.record.stages;
    let own = loaded.stages.iter().filter(|stage| stage.analysis.stage.thread == search.thread);
    let told = own.filter_map(|stage| {
        let record: &StageRecord = records.iter().rfind(|record| record.stage == stage.analysis.stage)?;
        let probe = record.probe.as_ref().filter(|probe| probe.search == search.stage)?;
        Some((stage, probe))
    });
    told.map(|(stage, probe): (&AnalyzedStage, _)| {
        let judged = Judged::of(&plan.slo, stage);
        let mut reason = judged.reason;
        if let Some(told) = probe.verdict.filter(|told| *told != judged.verdict) {
            reason.push_str(&format!(" The run itself took it for {}.", told.name()));
        }
        let has_ended = probe.verdict.is_some() || stage.analysis.outcome == StageOutcome::Completed;
        ProbePoint {
            stage: stage.analysis.stage.stage,
            load: probe.load,
            verdict: has_ended.then_some(judged.verdict),
            reason,
            conditions: judged.conditions,
        }
    })
    .collect()
}

/// Returns the load at which a search's numbers speak for its system: the highest that held; where none did, the lowest
/// that was probed.
pub(crate) fn telling_load(search: &SearchAnalysis) -> Option<f64> {
    let loads = search.probes.iter().map(|probe| probe.load);
    search.highest_held.or_else(|| loads.min_by(f64::total_cmp))
}

fn sentence(search: &SearchAnalysis) -> String {
    let name = format!("“{}”", search.thread);
    let slo = search.slo.join(" and ");
    let held = search.highest_held.map(|load| seen(search, load, ProbeVerdict::Held));
    let broken = search.lowest_broken.map(|load| seen(search, load, ProbeVerdict::Broken));
    let at = |load: Option<f64>| load.map_or_else(String::new, |load| search.level(load).to_string());
    let both = || match [&held, &broken].into_iter().flatten().map(String::as_str).collect::<Vec<_>>() {
        none if none.is_empty() => "no load was confirmed".to_owned(),
        some => some.join(", "),
    };
    match search.end {
        SearchEnd::Found => format!("{name} meets {slo} up to {}: {}.", at(search.highest_held), both()),
        SearchEnd::HeldEverywhere => format!(
            "{name} meets {slo} at {}, the highest load that might be probed: {}. It may bear more.",
            at(search.highest_held),
            both()
        ),
        SearchEnd::HeldNowhere => format!("{name} meets {slo} at no load that was probed: {}.", both()),
        SearchEnd::ProbesUsedUp => format!(
            "How much load {name} bears while it meets {slo} is known only as far as {} probes could tell: {}.",
            search.probes.len(),
            both()
        ),
        SearchEnd::Undecided => format!(
            "How much load {name} bears while it meets {slo} is not known, since probes said nothing: {}.{}",
            both(),
            last_undecided(search)
        ),
        SearchEnd::CutShort => format!(
            "The run ended before it was known how much load {name} bears while it meets {slo}: {}.",
            both()
        ),
    }
}

/// Returns how often a load came out in one way, such as `held at 38/s in 2 of 2 probes`.
fn seen(search: &SearchAnalysis, load: f64, verdict: ProbeVerdict) -> String {
    let ended = search.at(load).filter(|probe| probe.verdict.is_some()).count();
    let so = search.at(load).filter(|probe| probe.verdict == Some(verdict)).count();
    let probes = if ended == 1 { "probe" } else { "probes" };
    format!("{} at {} in {so} of {ended} {probes}", verdict.name(), search.level(load))
}

fn last_undecided(search: &SearchAnalysis) -> String {
    let undecided = search.probes.iter().rfind(|probe| probe.verdict == Some(ProbeVerdict::Undecided));
    undecided.map_or_else(String::new, |probe| format!(" At {}: {}", search.level(probe.load), probe.reason))
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
