//! `e3 load`: one script on one system that is there already, from flags alone; the same way as every run goes.

mod account;
mod arguments;
mod choices;
mod existing;
mod known_hosts;
mod needs;
mod place;
mod probe;
mod provider;
mod shown;
mod stage;
mod told;
mod trusted;

use e3_model::{GitClient, Plan, ScriptDescriptor, Seed};
use e3_plan::OneStage;

pub(crate) use arguments::LoadArguments;
pub(crate) use arguments::{ABOUT as LOAD_ABOUT, EXAMPLES as LOAD_EXAMPLES};
pub(crate) use provider::ExistingProvider;

use super::{orchestrate, provision};
use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::library::HomeLibrary;
use crate::printer::{error_text, several};
use crate::{interrupt, registry};
use account::Account;
use existing::System;
use place::Place;

pub(crate) async fn perform(app: &App, arguments: &LoadArguments) -> Result<Exit, Failure> {
    let script = descriptor(&arguments.script);
    let place = Place::of(&arguments.url, script.as_ref())?;
    let plan = plan(app, arguments, &place, script.as_ref())?;
    let account = Account::of(app, arguments, script.as_ref())?;
    let mut system = System::of(arguments, (&place, &plan), account, script.as_ref())?;
    needs::check(&plan, &system)?;
    probe::probe(&mut system, script.as_ref()).await?;
    let (run, _lock) = provision::begin(app, &plan)?;
    let stop = interrupt::watch(format!("what was measured is in {}", run.path().display()))?;
    let measured = match system.set_up(app, &run) {
        Ok(()) => orchestrate::run_and_analyze(app, &run, &plan, stop).await,
        Err(failure) => Err(failure),
    };
    // Nothing was set up but the file of secrets, and that goes in any case.
    let forgotten = system.forget(app, &run).await;
    let log = || format!("what happened is in {}", run.e3_log().display());
    let (exit, analysis) = measured.map_err(|failure| failure.or_hint(log))?;
    shown::show(app, &run, &plan, &analysis)?;
    let exit = exit?;
    forgotten.map(|()| exit)
}

/// Returns what is known of a script; none when there is no such script, which the plan's findings say.
fn descriptor(script: &str) -> Option<ScriptDescriptor> {
    let name = script.strip_prefix("bitbucket.").unwrap_or(script);
    registry::catalogue().descriptors().into_iter().find(|known| known.name == name)
}

/// Returns the plan of the stage that the flags ask for; shows what is odd about them.
fn plan(
    app: &App,
    arguments: &LoadArguments,
    place: &Place,
    script: Option<&ScriptDescriptor>,
) -> Result<Plan, Failure> {
    let bare = arguments.script.rsplit('.').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric();
    let bare: String = bare.chars().filter(|c| is_name(*c)).take(LONGEST_NAME).collect();
    let load = stage::stage(arguments)?;
    let in_words = stage::load_in_words(&load);
    let stage = OneStage {
        name: format!("load-{bare}"),
        description: format!("{} at {}, {in_words}, by e3 load.", arguments.script, place.shown()),
        system: place.shown(),
        co_located: place.is_here(),
        script: arguments.script.clone(),
        arguments: told::arguments(&arguments.told, place, script)?,
        stage: load,
        git_client: arguments.ways.git_client.unwrap_or(GitClient::Native),
        thresholds: arguments.thresholds.clone(),
        seed: Seed(arguments.seed),
    };
    let library = HomeLibrary::new(&app.home, registry::catalogue().descriptors());
    let planned = e3_plan::one_stage(&stage, &library);
    error_text(&e3_plan::render(&planned.findings));
    planned.plan.ok_or_else(|| {
        let errors = several(planned.findings.errors(), "error");
        Failure::new(Exit::Findings, anyhow::anyhow!("this load cannot be planned: see the {errors}")).hint(
            format!(
                "`{}` shows the scripts; with --json also what they can be told",
                app.at_home("e3 list scripts")
            ),
        )
    })
}

/// How much of a script's name is in the run's.
const LONGEST_NAME: usize = 60;
