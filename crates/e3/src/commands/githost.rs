//! `e3 githost`: the embedded Git hosting server, one node or the front of several.

mod faults;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use e3_githost::{BalanceOptions, GithostError, Ready, ServeOptions};
use e3_model::Secret;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{BalanceArguments, GithostCommand, ServeArguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log;
use crate::printer::data_text;

pub(crate) use faults::FaultsArguments;

pub(crate) async fn perform(json: bool, command: GithostCommand) -> Result<Exit, Failure> {
    let command = match command {
        GithostCommand::Faults(arguments) => return faults::perform(&arguments, json).await,
        serves => serves,
    };
    log::start_on_stderr();
    let shutdown = shutdown()?;
    match command {
        GithostCommand::Faults(_) => {}
        GithostCommand::Serve(arguments) => {
            let options = serve_options(arguments)?;
            let served = e3_githost::serve(options, announce, shutdown).await;
            served.map_err(|error| failed("githost could not serve", error))?;
        }
        GithostCommand::Balance(arguments) => {
            let BalanceArguments { http, ssh, nodes, ssh_nodes } = arguments;
            let options = BalanceOptions { http, ssh, nodes, ssh_nodes };
            let served = e3_githost::balance(options, announce, shutdown).await;
            served.map_err(|error| failed("the front could not serve", error))?;
        }
    }
    Ok(Exit::Success)
}

fn failed(what: &'static str, error: GithostError) -> Failure {
    let hint = match &error {
        GithostError::Listen { .. } => Some("give another address; port 0 takes a free port"),
        GithostError::Properties { .. } => Some("`e3 explain` lists the properties that a githost knows"),
        _ => None,
    };
    let failure = Failure::new(Exit::Failure, anyhow::Error::new(error).context(what));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn serve_options(arguments: ServeArguments) -> Result<ServeOptions, Failure> {
    let admin_password = password(&arguments.admin_password_file)?;
    let ServeArguments { home, http, ssh, database, node, properties, property, .. } = arguments;
    let mut lines = properties.as_deref().map_or_else(|| Ok(BTreeMap::new()), read_properties)?;
    lines.extend(property);
    Ok(ServeOptions { home, http, ssh, admin_password, database, node, properties: lines })
}

fn read_properties(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let cannot = || format!("the properties cannot be read from {}", path.display());
    let text = std::fs::read_to_string(path).with_context(cannot)?;
    Ok(e3_model::property_lines(&text).with_context(cannot)?)
}

/// Reads a password from the first line of a file.
fn password(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the administrator's password cannot be read from {}", path.display()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let empty = anyhow::anyhow!(
            "the first line of {} is empty; it should be the administrator's password",
            path.display()
        );
        return Err(Failure::new(Exit::Failure, empty));
    }
    Ok(Secret::new(line))
}

fn announce(ready: &Ready) {
    if let Ok(line) = serde_json::to_string(ready) {
        // Whoever started this server waits for the line; if nobody does, serving goes on.
        let _ = data_text(&format!("{line}\n"));
    }
}

/// Returns a future that ends at SIGTERM or Ctrl-C; a terminal that hangs up is ignored.
fn shutdown() -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                _ = hang_up.recv() => {}
            }
        }
    })
}
