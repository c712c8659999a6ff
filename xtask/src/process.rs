//! Running other programs, visibly.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};

use crate::say::say;

/// Returns a command for the cargo that runs this chore, to be started in the workspace's root.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a command with this chore's own output, after saying what is run; returns the command's exit code.
///
/// # Errors
/// When the command cannot be started.
pub(crate) fn run(command: &mut Command) -> Result<ExitCode> {
    say(format!("$ {}", shown(command)));
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    // A command that a signal ended has no code of its own.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Returns what a command prints on stdout, or none when it is missing or fails.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns a command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_exit_codes_through() {
        assert_eq!(run(Command::new("sh").args(["-c", "exit 100"])).unwrap(), ExitCode::from(100));
        assert_eq!(run(Command::new("sh").args(["-c", "kill -9 $$"])).unwrap(), ExitCode::from(1));
        assert!(run(&mut Command::new("no-such-program-anywhere")).is_err());
    }

    #[test]
    fn shows_what_one_would_type() {
        assert_eq!(shown(Command::new("/opt/bin/cargo").args(["fmt", "--check"])), "cargo fmt --check");
    }
}
