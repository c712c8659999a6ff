//! `e3`: finds out how a Git hosting system behaves under load.
//!
//! Arguments come in, documents go out. This crate wires the rooms together and talks to people; it computes nothing.

mod app;
mod cli;
mod commands;
mod exit;
mod failure;
mod interrupt;
mod library;
mod log;
mod printer;
mod registry;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = match cli::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout and are no failure; a closed pipe is none either.
            let _ = error.print();
            return if error.use_stderr() { exit::Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return failure::render(&anyhow::Error::new(error).context("the runtime could not start").into());
        }
    };
    match runtime.block_on(commands::perform(arguments)) {
        Ok(exit) => exit.into(),
        Err(failure) => failure::render(&failure),
    }
}
