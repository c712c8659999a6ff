//! The commands, one file each.

mod analyze;
mod deprovision;
mod gather;
mod githost;
mod list;
mod orchestrate;
mod provision;
mod report;
mod run;
mod schema;
mod validate;

use crate::app::App;
use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;

/// Performs a command.
///
/// # Errors
/// Whatever the command could not do, with its exit code.
pub(crate) async fn perform(arguments: Cli) -> Result<Exit, Failure> {
    if let Command::Githost(command) = arguments.command {
        return githost::perform(command).await;
    }
    let app = App::new(&arguments.global)?;
    match arguments.command {
        Command::Orchestrate(experiment) => {
            Box::pin(orchestrate::perform(&app, &experiment.experiment)).await
        }
        Command::Validate(command) => validate::perform(&app, &command),
        Command::Provision(experiment) => Box::pin(provision::perform(&app, &experiment.experiment)).await,
        Command::Run(run) => Box::pin(run::perform(&app, &run.run)).await,
        Command::Gather(run) => gather::perform(&app, &run.run),
        Command::Analyze(run) => analyze::perform(&app, &run.run),
        Command::Report(run) => report::perform(&app, &run.run),
        Command::Deprovision(run) => Box::pin(deprovision::perform(&app, &run.run)).await,
        Command::List(command) => list::perform(&app, command.what),
        Command::Schema(command) => schema::perform(command.name.as_deref(), app.json),
        Command::Githost(command) => githost::perform(command).await,
    }
}
