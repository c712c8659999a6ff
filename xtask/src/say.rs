//! What chores tell people: lines on stderr.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

/// Writes a line to stderr; a closed stderr is no reason to stop.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Says what a check found and returns its exit code: 1 with problems, 0 without.
pub(crate) fn verdict(check: &str, problems: &[String], fine: &str) -> ExitCode {
    for problem in problems {
        say(format!("error: {problem}"));
    }
    if problems.is_empty() {
        say(format!("{check}: {fine}"));
        return ExitCode::SUCCESS;
    }
    let count = problems.len();
    say(format!("{check}: {count} {}", if count == 1 { "problem" } else { "problems" }));
    ExitCode::FAILURE
}
