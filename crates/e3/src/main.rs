//! `e3`: finds out how a Git hosting system behaves under load.
//!
//! Arguments come in, documents go out. This crate wires the rooms together and talks to people; it computes nothing.

mod app;
mod cli;
mod commands;
mod comparison;
mod descriptors;
mod display;
mod exit;
mod failure;
mod interrupt;
mod library;
mod log;
mod printer;
mod registry;
mod screen;
mod summary;
mod terminal;
mod text;

use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::exit::Exit;
use crate::terminal::Style;

/// Help, version and the first page are answered before anything is started or read.
fn main() -> ExitCode {
    screen_survives_panics();
    let columns = terminal::columns_of_stdout();
    let matches = cli::command(columns).try_get_matches();
    let arguments = match matches.and_then(|matches| cli::Cli::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout and are no failure; a closed pipe is none either.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let style = Style::of_stderr(arguments.global.color);
    let Some(command) = arguments.command else {
        return conclude(
            printer::data_text(&cli::first_page(columns)).map(|()| Exit::Success).map_err(Into::into),
            style,
        );
    };
    descriptors::raise_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = anyhow::Error::new(error).context("the runtime could not start");
            return conclude(Err(error.into()), style);
        }
    };
    conclude(runtime.block_on(commands::perform(&arguments.global, command)), style)
}

fn conclude(result: Result<Exit, failure::Failure>, style: Style) -> ExitCode {
    screen::clear();
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => failure::render(&failure, style),
    }
}

/// A panic's message must not be lost among lines that are drawn again.
fn screen_survives_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        screen::clear_if_free();
        report(panic);
    }));
}
