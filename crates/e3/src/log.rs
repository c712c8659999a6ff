//! The log: every event as one JSON line in the run's e3.log, from the moment the run has a directory.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Where the log goes: nowhere, until a run's file is set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    file: Arc<Mutex<Option<File>>>,
}

impl Log {
    /// Starts logging for this process.
    pub(crate) fn start() -> Self {
        let log = Self::default();
        // What a full disk does to the log must not drown what people read; the work itself tells of the disk.
        let subscriber = tracing_subscriber::fmt()
            .json()
            .log_internal_errors(false)
            .with_env_filter(filter())
            .with_writer(log.clone());
        // A second subscriber in one process can only come from a test; the first one stays.
        let _ = subscriber.try_init();
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
