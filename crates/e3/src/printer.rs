//! The only place that writes: data to stdout, everything for people to stderr.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use crate::screen;
use crate::terminal::{self, Style};

/// Writes what people read while e3 works, each line with the time since the start.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    started: Instant,
    quiet: bool,
    style: Style,
}

impl Printer {
    /// Returns a printer whose clock starts now; a quiet one writes no progress.
    pub(crate) fn new(quiet: bool, style: Style) -> Self {
        Self { started: Instant::now(), quiet, style }
    }

    /// Returns how text on stderr looks.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Returns when this printer's clock started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Returns whether lines can be drawn again on stderr, and should be.
    pub(crate) fn is_live(&self) -> bool {
        !self.quiet && terminal::is_live()
    }

    /// Writes one line of progress: the time, the phase, and what happened.
    pub(crate) fn progress(&self, phase: &str, text: &str) {
        tracing::info!(phase, "{text}");
        if !self.quiet {
            let time = self.style.dim(&stamp(self.started.elapsed()));
            let phase = self.style.bold(&format!("{phase:<11}"));
            error_text(&format!("{time}  {phase}  {text}\n"));
        }
    }

    /// Writes what must be seen even when quiet.
    pub(crate) fn warn(&self, text: &str) {
        tracing::warn!("{text}");
        error_text(&format!("{} {text}\n", self.style.warning("warning:")));
    }
}

/// Returns the time since the start as it begins a line.
pub(crate) fn stamp(since: Duration) -> String {
    format!("{:7.1} s", since.as_secs_f64())
}

/// Writes text to stderr; a closed stderr is nobody's loss.
pub(crate) fn error_text(text: &str) {
    screen::write(text);
}

/// Writes text to stdout.
///
/// # Errors
/// When stdout cannot be written; a reader that has gone away is no error.
pub(crate) fn data_text(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("stdout cannot be written"),
    }
}

/// Writes a value to stdout as indented JSON.
///
/// # Errors
/// When the value has no JSON form or stdout cannot be written.
pub(crate) fn data_json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let bytes = e3_model::to_json(value)?;
    data_text(&String::from_utf8(bytes)?)
}

/// Returns how many there are of something, such as `1 stage` or `1,200 samples`.
pub(crate) fn several(count: usize, noun: &str) -> String {
    let number = e3_model::quantity::count(u64::try_from(count).unwrap_or(u64::MAX));
    format!("{number} {noun}{}", if count == 1 { "" } else { "s" })
}
