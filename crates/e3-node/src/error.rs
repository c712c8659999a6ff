//! What can go wrong with a process.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::LogTail;

/// Says what could not be done with a process.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The process's log cannot be written.
    #[error("cannot open the log {}", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The program did not start.
    #[error("cannot start {program}")]
    Spawn {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The program ended instead of getting ready.
    #[error("{program} ended ({status}) before it printed its ready line; {tail}")]
    Ended {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it had to say.
        tail: LogTail,
    },
    /// The program ran but did not get ready; it was stopped.
    #[error("{program} {found} instead of a ready line within {} s; {tail}", within.as_secs_f64())]
    NotReady {
        /// The program.
        program: String,
        /// What it did, such as `printed nothing`.
        found: &'static str,
        /// How long was waited.
        within: Duration,
        /// What it had to say.
        tail: LogTail,
    },
    /// The program's output cannot be read.
    #[error("cannot read what {program} prints")]
    Output {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The system does not tell about a process.
    #[error("cannot look at {process}")]
    Inspect {
        /// Which process, or which of the system's files.
        process: String,
        /// Why not.
        source: io::Error,
    },
    /// The system does not let this process signal the other.
    #[error("cannot signal process {pid}")]
    Signal {
        /// The other's number.
        pid: u32,
        /// Why not.
        source: io::Error,
    },
    /// The process outlived the signal that nothing can ignore.
    #[error("process {pid} is still there {} s after it was killed", waited.as_secs_f64())]
    StillAlive {
        /// Its number.
        pid: u32,
        /// How long was waited.
        waited: Duration,
    },
}
