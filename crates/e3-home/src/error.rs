//! What can go wrong with a home, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use e3_model::{DocumentError, Kind};

/// Says what could not be done, to which path.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The operating system refused.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`, `create`.
        operation: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No document of that kind has that name.
    #[error("there is no {kind} {name:?}")]
    Unknown {
        /// The kind.
        kind: Kind,
        /// The name that was asked for.
        name: String,
        /// The name that was probably meant.
        meant: Option<String>,
        /// Where a file of that name would be looked for.
        looked_at: PathBuf,
    },
    /// No run has that name.
    #[error("there is no run {name:?}")]
    UnknownRun {
        /// The name that was asked for.
        name: String,
        /// The name that was probably meant.
        meant: Option<String>,
        /// The directory that holds the runs.
        runs: PathBuf,
    },
    /// The text cannot be a name, since it could lead out of its directory.
    #[error("{name:?} is no name of {what}")]
    Name {
        /// What the name should be of, such as `a workload`.
        what: &'static str,
        /// The text.
        name: String,
    },
    /// The run's directory exists already.
    #[error("the run {name} exists already, in {}", path.display())]
    RunExists {
        /// The run.
        name: String,
        /// Its directory.
        path: PathBuf,
    },
    /// The file would be overwritten.
    #[error("{} exists already, and is not overwritten", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// The directory holds something else than a home.
    #[error("{} is not empty, and {found:?} is no part of a home", path.display())]
    NotAHome {
        /// The directory.
        path: PathBuf,
        /// The first of what does not belong there.
        found: String,
    },
    /// The path is a directory or a device.
    #[error("{} is no regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than any document of its kind.
    #[error("{} is larger than {} MiB", path.display(), limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file is not text.
    #[error("{} is not UTF-8 text: byte {offset} begins no character", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is wrong, from 0.
        offset: usize,
    },
    /// The run has not come so far that the document exists.
    #[error("the run has no {} yet", path.display())]
    NotYet {
        /// The document.
        path: PathBuf,
        /// The command that writes it.
        command: &'static str,
    },
    /// The file is no document of the wanted format.
    #[error("cannot use {}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: DocumentError,
    },
    /// A file does not have the shape in which E3 writes it.
    #[error("cannot put {} into JSON or read it from there", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: serde_json::Error,
    },
    /// Another e3 works on the run.
    #[error("another e3 works on the run in {}: {holder}", path.display())]
    Locked {
        /// The run's directory.
        path: PathBuf,
        /// Who holds the lock, such as `process 4711`.
        holder: String,
    },
}

impl HomeError {
    /// Returns what the user can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { operation, source, .. } => io_hint(operation, source),
            Self::Unknown { meant: Some(meant), .. } | Self::UnknownRun { meant: Some(meant), .. } => {
                Some(format!("did you mean {meant:?}?"))
            }
            Self::Unknown { kind: Kind::Experiment, looked_at, .. } => Some(format!(
                "`e3 list` shows every experiment; put a new one into {} or name a path",
                looked_at.display()
            )),
            Self::Unknown { looked_at, .. } => {
                Some(format!("`e3 list` shows what there is; put a new one into {}", looked_at.display()))
            }
            Self::UnknownRun { runs, .. } => Some(format!("runs are kept in {}", runs.display())),
            Self::Name { .. } => {
                Some("use letters, digits and - _ . + : without a separator or a leading dot".to_owned())
            }
            Self::FileExists { .. } => Some("choose another name, or move the file away".to_owned()),
            Self::NotAHome { .. } => Some("name a directory of its own, such as e3-home".to_owned()),
            Self::NotText { .. } => Some("save the file as UTF-8".to_owned()),
            Self::NotYet { command, .. } => Some(format!("`{command}` writes it")),
            Self::Locked { .. } => Some("wait for it to end, or stop it, and try again".to_owned()),
            Self::RunExists { .. }
            | Self::NotAFile { .. }
            | Self::TooLarge { .. }
            | Self::Document { .. }
            | Self::Json { .. } => None,
        }
    }
}

/// Returns a function that names the operation and the path of an input or output error.
pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HomeError {
    move |source| HomeError::Io { operation, path: path.to_owned(), source }
}

fn io_hint(operation: &str, source: &io::Error) -> Option<String> {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem if operation != "read" => Some(
            "choose a home that you may write to, with --home or the environment variable E3_HOME".to_owned(),
        ),
        io::ErrorKind::PermissionDenied => Some("check who may read it".to_owned()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("make room, or choose another home with --home or E3_HOME".to_owned())
        }
        io::ErrorKind::NotADirectory => Some("a part of this path is a file, not a directory".to_owned()),
        _ => None,
    }
}
