//! Failures: rendered in this one place, as what failed, what caused it, and what to do.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use e3_home::HomeError;
use e3_provision::ProvisionError;
use e3_results::ResultsError;

use crate::exit::Exit;

/// A failure with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What failed, and why.
    pub(crate) error: anyhow::Error,
    /// What to do, where the error itself has no hint.
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
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Exit::Failure, error)
    }
}

/// Writes a failure to stderr and returns its exit code.
pub(crate) fn render(failure: &Failure) -> ExitCode {
    tracing::error!("{:#}", failure.error);
    crate::printer::error_text(&text(failure));
    failure.exit.into()
}

fn text(failure: &Failure) -> String {
    let mut text = format!("error: {}\n", failure.error);
    for cause in failure.error.chain().skip(1) {
        let _ = writeln!(text, "  caused by: {cause}");
    }
    let own = failure.error.chain().find_map(hint_of);
    if let Some(hint) = own.or_else(|| failure.hint.clone()) {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
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
    fn shows_what_failed_each_cause_and_the_hint() {
        let error =
            Err::<(), _>(std::io::Error::other("disk on fire")).context("the report could not be written");
        let failure = Failure::new(Exit::Analysis, error.unwrap_err()).hint("put it out");
        assert_eq!(
            text(&failure),
            "error: the report could not be written\n  caused by: disk on fire\n  hint: put it out\n"
        );
    }
}
