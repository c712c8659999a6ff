//! `e3 gather`: collects the samples and logs of a run.

use anyhow::Context as _;
use e3_home::RunDir;
use e3_model::{Results, quantity};

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, several};

pub(crate) fn perform(app: &App, run: &str) -> Result<Exit, Failure> {
    let (run, _lock) = app.open(run)?;
    let results = gather(app, &run)?;
    if app.json {
        data_json(&results)?;
    }
    app.printer.progress("done", &format!("next: {}", app.command("analyze", &run)));
    Ok(Exit::Success)
}

/// Gathers a run's samples and logs.
///
/// # Errors
/// When a document is missing or samples cannot be read.
pub(crate) fn gather(app: &App, run: &RunDir) -> Result<Results, Failure> {
    let results = e3_results::gather(run)
        .with_context(|| format!("the results of {} could not be gathered", run.name()))
        .map_err(|error| Failure::new(Exit::Analysis, error))?;
    let samples: u64 = results.stages.iter().map(|stage| stage.samples).sum();
    let (stages, logs) = (several(results.stages.len(), "stage"), several(results.logs.len(), "log"));
    app.printer.progress("gather", &format!("{} samples of {stages}, {logs}", quantity::count(samples)));
    Ok(results)
}
