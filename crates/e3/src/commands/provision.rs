//! `e3 provision`: plans an experiment, sets up its systems under test and loads their data.

mod git_program;
mod machines;

use std::time::SystemTime;

use anyhow::Context as _;
use e3_home::{HomeError, RunDir, RunLock, cache_directory, run_name};
use e3_model::{Plan, RunName, Topology};
use e3_provision::{ProvisionEvent, ProvisionInput};
use serde_json::json;

use super::validate;
use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{Printer, data_json, data_text, several};
use crate::{interrupt, registry};

pub(crate) async fn perform(app: &App, experiment: &str) -> Result<Exit, Failure> {
    let plan = validate::plan(app, experiment)?;
    check(app, &plan).await?;
    let (run, _lock) = begin(app, &plan)?;
    let stop = interrupt::watch(removal_hint(app, &run))?;
    let topology = tokio::select! {
        topology = provision(app, &run, &plan) => {
            topology.map_err(|failure| failure.or_hint(|| removal_hint(app, &run)))?
        }
        () = stop.cancelled() => {
            let interrupted = anyhow::anyhow!("provisioning was interrupted");
            return Err(Failure::new(Exit::Interrupted, interrupted).hint(removal_hint(app, &run)));
        }
    };
    if app.json {
        let urls: Vec<_> = topology.threads.iter().map(|thread| &thread.instance.url).collect();
        data_json(&json!({"run": run.name(), "directory": run.path(), "urls": urls}))?;
    } else {
        data_text(&format!("{}\n", run.name()))?;
        app.printer.progress("done", &format!("next: {}", app.command("run", &run)));
    }
    Ok(Exit::Success)
}

/// Looks whether everything is there that a plan's providers need, before a run begins.
///
/// # Errors
/// When something is missing; nothing was created.
pub(crate) async fn check(app: &App, plan: &Plan) -> Result<(), Failure> {
    let providers = registry::providers(app.program.clone());
    machines::check(app, plan, &providers)?;
    e3_provision::check(plan, &providers)
        .await
        .with_context(|| format!("the systems under test of {} cannot be set up here", plan.experiment))
        .map_err(|error| Failure::new(Exit::Provision, error))?;
    git_program::check(app, plan).await
}

/// Creates a run for a plan: its directory, its lock, its log, its plan.json.
///
/// # Errors
/// When the run's directory or its plan cannot be written.
pub(crate) fn begin(app: &App, plan: &Plan) -> Result<(RunDir, RunLock), Failure> {
    let base = run_name(&plan.experiment, SystemTime::now());
    let mut attempt = 1;
    let run = loop {
        let name = if attempt == 1 { base.clone() } else { RunName(format!("{base}.{attempt}")) };
        match app.home.create_run(&name) {
            Err(HomeError::RunExists { .. }) if attempt < ATTEMPTS => attempt += 1,
            created => break created?,
        }
    };
    let lock = run.lock()?;
    app.log_to(&run)?;
    run.write(plan)?;
    let (threads, rounds) = (several(plan.threads.len(), "thread"), several(plan.rounds.len(), "round"));
    let stages: usize = plan.threads.iter().map(|thread| thread.stages.len()).sum();
    let stages = several(stages, "stage");
    app.printer.progress("plan", &format!("{}: {threads}, {stages} in {rounds}", run.name()));
    Ok((run, lock))
}

/// Sets up everything that a plan names.
///
/// # Errors
/// When something could not be set up or loaded; what stands by then is in the journal.
pub(crate) async fn provision(app: &App, run: &RunDir, plan: &Plan) -> Result<Topology, Failure> {
    let providers = registry::providers(app.program.clone());
    let cache = cache_directory();
    let input = ProvisionInput { home: &app.home, run, plan, providers: &providers, cache: &cache };
    let printer = app.printer.clone();
    let events = move |event: ProvisionEvent| tell(&printer, "provision", &event);
    e3_provision::provision(&input, &events)
        .await
        .with_context(|| format!("the systems under test of {} could not be set up", run.name()))
        .map_err(|error| Failure::new(Exit::Provision, error))
}

/// Writes what happens while things are set up and removed.
pub(crate) fn tell(printer: &Printer, phase: &str, event: &ProvisionEvent) {
    let text = match event {
        ProvisionEvent::DatasetStarted { snapshot, repositories } => {
            let repositories = repositories_of(*repositories);
            format!("dataset {snapshot}: making {repositories}, unless the cache has them")
        }
        ProvisionEvent::DatasetReady { snapshot, repositories, seconds } => {
            format!("dataset {snapshot}: {} ready after {seconds:.1} s", repositories_of(*repositories))
        }
        ProvisionEvent::NodeReady { thread, node, url } => format!("{thread}: {node} serves at {url}"),
        ProvisionEvent::Loading { thread, repositories } => {
            format!("{thread}: pushing {}", repositories_of(*repositories))
        }
        ProvisionEvent::Loaded { thread, repositories, seconds } => {
            format!("{thread}: {} loaded in {seconds:.1} s", repositories_of(*repositories))
        }
        ProvisionEvent::Kept { thread, seconds } => {
            format!("{thread}: its loaded state is kept for the resets after {seconds:.1} s")
        }
        // The log has each of them; the teardown's end tells how many, and names what is left.
        ProvisionEvent::Removed { .. } | ProvisionEvent::Left { .. } => return,
    };
    printer.progress(phase, &text);
}

fn repositories_of(count: impl TryInto<usize>) -> String {
    match count.try_into().unwrap_or(usize::MAX) {
        1 => "1 repository".to_owned(),
        count => format!("{count} repositories"),
    }
}

/// Returns what to do about a run that still stands.
pub(crate) fn removal_hint(app: &App, run: &RunDir) -> String {
    format!(
        "`{}` removes what was set up; logs are in {}",
        app.command("deprovision", run),
        run.path().join("logs").display()
    )
}

/// How many runs of one experiment may begin in one second.
const ATTEMPTS: u32 = 100;
