//! `e3 analyze`: computes the numbers of a gathered run and writes its report.

use anyhow::Context as _;
use e3_home::RunDir;
use e3_model::{Analysis, Honesty, SearchAnalysis, SearchEnd, Stamp, ThresholdState, quantity};

use super::report;
use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::data_json;

pub(crate) fn perform(app: &App, run: &str) -> Result<Exit, Failure> {
    let (run, _lock) = app.open(run)?;
    let analysis = analyze(app, &run)?;
    let path = report::write(app, &run, &analysis)?;
    if app.json {
        data_json(&analysis)?;
    } else {
        report::summary(app, &analysis, &path)?;
    }
    Ok(exit_of(&analysis))
}

/// Computes a run's numbers.
///
/// # Errors
/// When a document is missing or samples cannot be read.
pub(crate) fn analyze(app: &App, run: &RunDir) -> Result<Analysis, Failure> {
    let analysis = e3_results::analyze(run)
        .with_context(|| format!("{} could not be analysed", run.name()))
        .map_err(|error| Failure::new(Exit::Analysis, error))?;
    let ops: u64 =
        analysis.threads.iter().flat_map(|thread| &thread.stages).map(|stage| stage.total.count).sum();
    app.printer.progress("analyze", &format!("{} ops in the measured windows", quantity::count(ops)));
    for stage in analysis.threads.iter().flat_map(|thread| &thread.stages) {
        for stamp in &stage.stamps {
            let Some(why) = invalid(stamp) else { continue };
            let passed = if *stamp == Stamp::ClientBound { passed(&stage.honesty) } else { String::new() };
            app.printer
                .warn(&format!("{}: its numbers cannot be believed, since {why}{passed}", stage.stage));
        }
        if let Some(own) = stage.honesty.arrivals.filter(|own| own.unstarted > 0) {
            app.printer.warn(&format!(
                "{}: {} of {} arrivals never began, since every client was busy; percentiles of the successes are too low",
                stage.stage,
                quantity::count(own.unstarted),
                quantity::count(own.due)
            ));
        }
    }
    Ok(analysis)
}

/// Returns which limits the worker passed, with what was measured, in brackets; empty where it passed none.
fn passed(honesty: &Honesty) -> String {
    let reasons: Vec<String> = honesty.client_bound().iter().map(ToString::to_string).collect();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

/// Returns why a stage with this stamp says nothing about the system under test, if it does not.
fn invalid(stamp: &Stamp) -> Option<&'static str> {
    match stamp {
        Stamp::ClientBound => Some("the worker was the bottleneck"),
        Stamp::SamplesLost => Some("samples of it are missing"),
        Stamp::CoLocated | Stamp::Incomplete | Stamp::ConcurrencyBound | Stamp::Disturbed => None,
    }
}

/// Returns the exit code that an analysis stands for: what cannot be believed outranks a threshold, which is undecided
/// then anyway.
pub(crate) fn exit_of(analysis: &Analysis) -> Exit {
    let mut stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    if stages.any(|stage| stage.stamps.iter().any(|stamp| invalid(stamp).is_some())) {
        return Exit::Invalid;
    }
    let held = |result: &e3_model::ThresholdResult| result.state == ThresholdState::Held;
    let is_answered = |search: &SearchAnalysis| {
        let is_open_ended = matches!(search.end, SearchEnd::Undecided | SearchEnd::CutShort);
        search.highest_held.is_some() && !is_open_ended
    };
    let is_good = analysis.thresholds.iter().all(held) && analysis.searches.iter().all(is_answered);
    if is_good { Exit::Success } else { Exit::Threshold }
}

#[cfg(test)]
#[path = "analyze_tests.rs"]
mod tests;
