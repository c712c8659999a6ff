//! The commands, one file each.

mod analyze;
mod compare;
mod completions;
mod deprovision;
mod doctor;
mod explain;
mod gather;
mod githost;
mod init;
mod list;
mod load;
mod new;
mod orchestrate;
mod provision;
mod report;
mod run;
mod schema;
mod status;
mod validate;

pub(crate) use githost::FaultsArguments;
pub(crate) use load::{ExistingProvider, LOAD_ABOUT, LOAD_EXAMPLES, LoadArguments};

use crate::app::App;
use crate::cli::{Command, Global};
use crate::exit::Exit;
use crate::failure::Failure;

/// Performs a command.
///
/// # Errors
/// Whatever the command could not do, with its exit code.
pub(crate) async fn perform(global: &Global, command: Command) -> Result<Exit, Failure> {
    // A server that runs as a child of e3 has no home.
    if let Command::Githost(command) = command {
        return githost::perform(global.json, command).await;
    }
    let app = App::new(global)?;
    match command {
        Command::Init(command) => init::perform(&app, global, command.directory.as_deref()),
        Command::New(command) => new::perform(&app, &command),
        Command::Doctor => doctor::perform(&app).await,
        Command::List(command) => list::perform(&app, command.what),
        Command::Explain(command) => explain::perform(&app, &command.subject.join(" ")),
        Command::Validate(command) => validate::perform(&app, &command),
        Command::Orchestrate(experiment) => {
            Box::pin(orchestrate::perform(&app, &experiment.experiment)).await
        }
        Command::Provision(experiment) => Box::pin(provision::perform(&app, &experiment.experiment)).await,
        Command::Run(run) => Box::pin(run::perform(&app, &run.run)).await,
        Command::Gather(run) => gather::perform(&app, &run.run),
        Command::Analyze(run) => analyze::perform(&app, &run.run),
        Command::Report(run) => report::perform(&app, &run.run),
        Command::Deprovision(run) => Box::pin(deprovision::perform(&app, &run.run)).await,
        Command::Status(command) => status::perform(&app, command.run.as_deref()).await,
        Command::Compare(command) => compare::perform(&app, &command),
        Command::Githost(command) => githost::perform(global.json, command).await,
        Command::Load(command) => Box::pin(load::perform(&app, &command)).await,
        Command::Schema(command) => schema::perform(command.name.as_deref(), app.json),
        Command::Completions { shell } => completions::perform(shell),
    }
}
