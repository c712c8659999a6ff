//! `e3 completions`: prints what lets a shell complete commands and flags.

use crate::cli::{self, Shell};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::data_text;

pub(crate) fn perform(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    let mut command = cli::command(COLUMNS);
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut command, "e3", &mut script);
    data_text(&String::from_utf8(script).map_err(anyhow::Error::new)?)?;
    Ok(Exit::Success)
}

/// The script is the same whatever the terminal.
const COLUMNS: usize = 80;
