//! Failures: rendered in this one place, as what failed, what caused it, and what to do.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use e3_home::HomeError;
use e3_provision::ProvisionError;
use e3_results::ResultsError;

use crate::exit::Exit;
use crate::terminal::Style;

/// A failure with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What failed, and why.
    pub(crate) error: anyhow::Error,
    /// What to do, beside what the error itself says of that.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// Returns the failure of that error.
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), hint: None }
    }

    /// Adds what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do, unless that is known already.
    pub(crate) fn or_hint(mut self, hint: impl FnOnce() -> String) -> Self {
        self.hint.get_or_insert_with(hint);
        self
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Exit::Failure, error)
    }
}

/// Writes a failure to stderr and returns its exit code.
pub(crate) fn render(failure: &Failure, style: Style) -> ExitCode {
    tracing::error!("{:#}", failure.error);
    crate::printer::error_text(&text(failure, style));
    failure.exit.into()
}

fn text(failure: &Failure, style: Style) -> String {
    let mut text = format!("{} {}\n", style.bad("error:"), indented(&failure.error.to_string()));
    for cause in failure.error.chain().skip(1) {
        let _ = writeln!(text, "  {} {}", style.bold("caused by:"), indented(&cause.to_string()));
    }
    let own = failure.error.chain().find_map(hint_of);
    for hint in own.iter().chain(&failure.hint) {
        let _ = writeln!(text, "  {} {hint}", style.bold("hint:"));
    }
    text
}

/// Keeps what a child process said in several lines below the line that it belongs to.
fn indented(text: &str) -> String {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n    ")
}

/// Returns what the room that failed says one can do.
fn hint_of(cause: &(dyn Error + 'static)) -> Option<String> {
    let home = cause.downcast_ref::<HomeError>().and_then(HomeError::hint);
    let provision = cause.downcast_ref::<ProvisionError>().and_then(ProvisionError::hint);
    home.or(provision).or_else(|| cause.downcast_ref::<ResultsError>().and_then(ResultsError::hint))
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_childs_lines_stay_below_their_cause_and_every_hint_is_shown() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let home = HomeError::Io { operation: "write", path: "plan.json".into(), source: full };
        let error = anyhow::Error::new(home).context("git said: \nremote: no space   \nTo http://x\n");
        let shown =
            text(&Failure::new(Exit::Provision, error).or_hint(|| "remove it".to_owned()), Style::PLAIN);
        assert!(shown.starts_with("error: git said:\n    remote: no space\n    To http://x\n"), "{shown}");
        assert!(shown.contains("  hint: make room") && shown.ends_with("  hint: remove it\n"), "{shown}");
    }

    #[test]
    fn shows_what_failed_each_cause_and_the_hint() {
        let error =
            Err::<(), _>(std::io::Error::other("disk on fire")).context("the report could not be written");
        let failure = Failure::new(Exit::Analysis, error.unwrap_err()).hint("put it out");
        assert_eq!(
            text(&failure, Style::PLAIN),
            "error: the report could not be written\n  caused by: disk on fire\n  hint: put it out\n"
        );
    }
}
