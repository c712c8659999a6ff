//! `e3 orchestrate`: the whole way, as one composition of the phases.

use std::path::PathBuf;

use e3_home::RunDir;
use e3_model::{Analysis, Plan, Run};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{analyze, deprovision, gather, provision, report, run, validate};
use crate::app::App;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::interrupt;
use crate::printer::data_json;

pub(crate) async fn perform(app: &App, experiment: &str) -> Result<Exit, Failure> {
    let plan = validate::plan(app, experiment)?;
    provision::check(app, &plan).await?;
    let (run, _lock) = provision::begin(app, &plan)?;
    let stop = interrupt::watch(provision::removal_hint(app, &run))?;
    let measured = measure(app, &run, &plan, &stop).await;
    // Whatever happened before: nothing stays provisioned.
    let removed = deprovision::deprovision(app, &run).await;
    let removed = removed.and_then(|teardown| {
        if teardown.left.is_empty() { Ok(()) } else { Err(deprovision::left(app, &run, &teardown)) }
    });
    let measured = measured.and_then(|(exit, analysis)| conclude(app, &run, &analysis).and(exit));
    match (measured, removed) {
        (Ok(exit), Ok(())) => Ok(exit),
        (Err(failure), Ok(())) => {
            let logs = run.path().join("logs");
            Err(failure.or_hint(|| format!("what was set up is removed; logs are in {}", logs.display())))
        }
        (Ok(Exit::Success), Err(left)) => Err(left),
        (Ok(exit), Err(left)) => {
            let _ = failure::render(&left, app.printer.style());
            Ok(exit)
        }
        (Err(failure), Err(left)) => {
            let _ = failure::render(&left, app.printer.style());
            Err(failure)
        }
    }
}

/// Provisions, runs, gathers, analyses and reports; a run that ended early has an analysis and a failure.
async fn measure(
    app: &App,
    run: &RunDir,
    plan: &Plan,
    stop: &CancellationToken,
) -> Result<(Result<Exit, Failure>, Analysis), Failure> {
    tokio::select! {
        provisioned = provision::provision(app, run, plan) => { provisioned?; }
        () = stop.cancelled() => {
            return Err(Failure::new(Exit::Interrupted, anyhow::anyhow!("provisioning was interrupted")));
        }
    }
    run_and_analyze(app, run, plan, stop.clone()).await
}

/// Runs, gathers, analyses and reports; what a failed run had measured by then is analysed, too.
///
/// # Errors
/// When the run failed, or its samples could not be gathered, analysed or reported.
pub(crate) async fn run_and_analyze(
    app: &App,
    run: &RunDir,
    plan: &Plan,
    stop: CancellationToken,
) -> Result<(Result<Exit, Failure>, Analysis), Failure> {
    let record = match run::conduct_run(app, run, stop).await {
        Ok(record) => record,
        Err(failure) => {
            if run.read::<Run>().is_ok_and(|record| !record.stages.is_empty()) {
                // Why the run failed matters more than why its rest could not be analysed.
                match analysed(app, run) {
                    Ok((_, path)) => app.printer.warn(&format!(
                        "the run failed; what was measured until then is in {}",
                        path.display()
                    )),
                    Err(second) => {
                        let _ = failure::render(&second, app.printer.style());
                    }
                }
            }
            return Err(failure);
        }
    };
    let (analysis, _) = analysed(app, run)?;
    let exit = match run::exit_of(&record, plan) {
        Ok(Exit::Success) => Ok(analyze::exit_of(&analysis)),
        other => other,
    };
    Ok((exit, analysis))
}

/// Gathers, analyses and reports what was measured.
fn analysed(app: &App, run: &RunDir) -> Result<(Analysis, PathBuf), Failure> {
    gather::gather(app, run)?;
    let analysis = analyze::analyze(app, run)?;
    let path = report::write(app, run, &analysis)?;
    Ok((analysis, path))
}

/// Tells where the report lies and the most telling numbers.
fn conclude(app: &App, run: &RunDir, analysis: &Analysis) -> Result<(), Failure> {
    let path = run.report_file();
    if app.json {
        let headlines = &analysis.headlines;
        return Ok(data_json(&json!({"run": run.name(), "report": path, "headlines": headlines}))?);
    }
    report::summary(app, analysis, &path)
}
