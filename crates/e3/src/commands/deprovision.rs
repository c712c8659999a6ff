//! `e3 deprovision`: removes everything that was set up for a run.

use anyhow::Context as _;
use e3_home::RunDir;
use e3_model::Teardown;
use e3_provision::ProvisionEvent;

use super::provision::tell;
use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, several};
use crate::registry;

pub(crate) async fn perform(app: &App, run: &str) -> Result<Exit, Failure> {
    let (run, _lock) = app.open(run)?;
    let teardown = deprovision(app, &run).await?;
    if app.json {
        data_json(&teardown)?;
    }
    if teardown.left.is_empty() { Ok(Exit::Success) } else { Err(left(app, &run, &teardown)) }
}

/// Returns the failure that something is left.
pub(crate) fn left(app: &App, run: &RunDir, teardown: &Teardown) -> Failure {
    let count = several(teardown.left.len(), "resource");
    Failure::new(Exit::Leftover, anyhow::anyhow!("{count} of {} could not be removed", run.name()))
        .hint(format!("`{}` tries again", app.command("deprovision", run)))
}

/// Removes everything that a run's journal names.
///
/// # Errors
/// When the journal cannot be read, or what was removed cannot be recorded.
pub(crate) async fn deprovision(app: &App, run: &RunDir) -> Result<Teardown, Failure> {
    let providers = registry::providers(app.program.clone());
    let printer = app.printer.clone();
    let events = move |event: ProvisionEvent| tell(&printer, "deprovision", &event);
    let teardown = e3_provision::deprovision(&app.home.of(run), run, &providers, &events)
        .await
        .with_context(|| format!("{} could not be deprovisioned", run.name()))
        .map_err(|error| Failure::new(Exit::Leftover, error))?;
    if teardown.left.is_empty() {
        let removed = match teardown.removed.len() {
            0 => "nothing had been set up, and nothing is left".to_owned(),
            count => format!("{} removed, nothing is left", several(count, "resource")),
        };
        app.printer.progress("deprovision", &removed);
    }
    for left in &teardown.left {
        app.printer.warn(&format!("{} is left: {}", left.resource, left.reason));
    }
    Ok(teardown)
}
