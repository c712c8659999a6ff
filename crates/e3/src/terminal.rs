//! The terminal: whether there is one, how large it is, and what it may show.

use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;

use crate::cli::ColourChoice;

/// Whether text is coloured; every method returns its text as it is when not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Style {
    coloured: bool,
}

/// Columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Columns.
    pub(crate) columns: usize,
    /// Rows.
    pub(crate) rows: usize,
}

impl Style {
    /// The style of text that goes into a file or another program.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { coloured: false };

    /// Returns the style for stdout.
    pub(crate) fn of_stdout(choice: ColourChoice) -> Self {
        Self { coloured: coloured(choice, stdout().is_terminal(), environment) }
    }

    /// Returns the style for stderr.
    pub(crate) fn of_stderr(choice: ColourChoice) -> Self {
        Self { coloured: coloured(choice, stderr().is_terminal(), environment) }
    }

    /// Returns whether anything is coloured.
    pub(crate) fn is_coloured(self) -> bool {
        self.coloured
    }

    /// Returns what matters most.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Returns what matters least.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Returns what is well.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Returns what has failed.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Returns what should be looked at; not in yellow, which nobody can read on a light ground.
    pub(crate) fn warning(self, text: &str) -> String {
        self.with("1;35", text)
    }

    /// Source: ECMA-48, 8.3.117 SGR.
    fn with(self, code: &str, text: &str) -> String {
        if self.coloured && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Returns whether lines on stderr can be drawn again: it is a terminal that can move its cursor.
pub(crate) fn is_live() -> bool {
    stderr().is_terminal() && environment("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Returns the size of stderr's terminal; none when it is none, or does not know its size.
pub(crate) fn size_of_stderr() -> Option<Size> {
    size(stderr())
}

/// Returns how many columns text on stdout may take: the terminal's, within reason, or 100 where nobody knows.
pub(crate) fn columns_of_stdout() -> usize {
    size(stdout()).map_or(UNKNOWN_COLUMNS, |size| size.columns.clamp(NARROWEST, WIDEST))
}

fn size(of: impl AsFd + IsTerminal) -> Option<Size> {
    if !of.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
    (columns > 0 && rows > 0).then_some(Size { columns, rows })
}

/// Returns whether text is coloured.
///
/// Source: <https://no-color.org>: set and not empty; <https://bixense.com/clicolors>.
fn coloured(
    choice: ColourChoice,
    is_terminal: bool,
    environment: impl Fn(&'static str) -> Option<String>,
) -> bool {
    let set = |name| environment(name).filter(|value| !value.is_empty());
    match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto if set("NO_COLOR").is_some() => false,
        ColourChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        ColourChoice::Auto => {
            is_terminal
                && set("TERM").is_some_and(|term| term != "dumb")
                && set("CLICOLOR").is_none_or(|value| value != "0")
        }
    }
}

fn environment(name: &'static str) -> Option<String> {
    std::env::var(name).ok()
}

/// How wide text is where no terminal says so.
const UNKNOWN_COLUMNS: usize = 100;
/// Text for people is not set narrower.
const NARROWEST: usize = 40;
/// Lines that are longer are hard to read.
const WIDEST: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_flag_then_the_environment_then_the_terminal() {
        use ColourChoice::{Always, Auto, Never};
        let term = ("TERM", "xterm");
        for (choice, is_terminal, environment, expected, why) in [
            (Auto, true, vec![term], true, "a terminal"),
            (Auto, false, vec![term], false, "a pipe"),
            (Auto, true, vec![], false, "no TERM: not known to understand colours"),
            (Auto, true, vec![("TERM", "dumb")], false, "a terminal without colours"),
            (Auto, true, vec![term, ("NO_COLOR", "1")], false, "NO_COLOR"),
            (Auto, true, vec![term, ("NO_COLOR", "")], true, "an empty NO_COLOR says nothing"),
            (Auto, true, vec![term, ("CLICOLOR", "0")], false, "CLICOLOR=0"),
            (Auto, false, vec![("CLICOLOR_FORCE", "1")], true, "CLICOLOR_FORCE"),
            (Auto, false, vec![("CLICOLOR_FORCE", "0")], false, "CLICOLOR_FORCE=0 forces nothing"),
            (Auto, true, vec![term, ("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, "NO_COLOR wins"),
            (Always, false, vec![("NO_COLOR", "1")], true, "the flag wins"),
            (Never, true, vec![term], false, "the flag wins"),
        ] {
            let found = coloured(choice, is_terminal, |name| {
                environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found, expected, "{why}");
        }
    }

    #[test]
    fn plain_text_has_no_escape() {
        for text in [Style::PLAIN.bold("x"), Style::PLAIN.bad("x"), Style { coloured: true }.dim("")] {
            assert!(!text.contains('\x1b'), "{text:?}");
        }
        assert_eq!(Style { coloured: true }.bad("x"), "\x1b[1;31mx\x1b[0m");
    }
}
