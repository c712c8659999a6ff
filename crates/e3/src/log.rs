//! The log: every event as one JSON line in the run's e3.log, from the moment the run has a directory; with `-v` as a
//! line for people on stderr, too.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::printer::{self, Printer};
use crate::screen;

/// Where the log goes: nowhere, until a run's file is set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    file: Arc<Mutex<Option<File>>>,
}

impl Log {
    /// Starts logging for this process; people see so much of it: 0 nothing, 1 what e3.log usually has, 2 its details, 3
    /// those of everything that e3 is made of.
    pub(crate) fn start(verbose: u8, printer: &Printer) -> Self {
        let log = Self::default();
        // What a full disk does to the log must not drown what people read; the work itself tells of the disk.
        let file =
            fmt::layer().json().log_internal_errors(false).with_writer(log.clone()).with_filter(filter());
        let people = (verbose > 0).then(|| {
            fmt::layer()
                .with_timer(SinceStart(printer.started()))
                .with_ansi(printer.style().is_coloured())
                .with_writer(|| ScreenLine)
                .with_filter(EnvFilter::new(shown(verbose)))
        });
        // A second subscriber in one process can only come from a test; the first one stays.
        let _ = tracing_subscriber::registry().with(file).with(people).try_init();
        log
    }

    /// Appends to that file from now on.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn to(&self, path: &Path) -> io::Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        if let Ok(mut current) = self.file.lock() {
            *current = Some(file);
        }
        Ok(())
    }
}

/// Starts logging to stderr, for a server that runs as a child process with a log file of its own.
pub(crate) fn start_on_stderr() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .log_internal_errors(false)
        .with_env_filter(filter())
        .with_writer(io::stderr);
    let _ = subscriber.try_init();
}

/// Returns what of the log people see; what the printer logs they have seen already.
fn shown(verbose: u8) -> String {
    let level = match verbose {
        1 => "info",
        2 => "info,e3=debug",
        _ => "debug",
    };
    format!("{level},e3::printer=off,e3::failure=off")
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_env("E3_LOG").unwrap_or_else(|_| EnvFilter::new("info"))
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine(self.clone())
    }
}

/// Writes one event.
pub(crate) struct LogLine(Log);

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.file.lock() {
            Ok(mut file) => file.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes)),
            Err(_) => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one event for people, above whatever is drawn on the terminal.
struct ScreenLine;

impl Write for ScreenLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        screen::write(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins a line as the printer does.
struct SinceStart(Instant);

impl FormatTime for SinceStart {
    fn format_time(&self, to: &mut Writer<'_>) -> std::fmt::Result {
        write!(to, "{} ", printer::stamp(self.0.elapsed()))
    }
}
