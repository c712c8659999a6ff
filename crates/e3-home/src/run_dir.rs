//! A run's directory: all that belongs to the run, and all that a colleague needs to understand it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Component, Path, PathBuf};

use e3_model::{Document, Parent, RunName, StageRef, ThreadId, from_json, sha256_hex, to_json};

use crate::HomeError;
use crate::atomic::{self, PUBLIC_DIRECTORY, PUBLIC_FILE};
use crate::error::io;
use crate::read::{self, LARGEST_DOCUMENT};

/// The directory of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    name: RunName,
    path: PathBuf,
}

/// The right to work on a run; given back when it is dropped or the process ends, however it ends.
#[derive(Debug)]
#[must_use = "the run is locked for as long as this value lives"]
pub struct RunLock {
    _file: File,
}

impl RunDir {
    pub(crate) fn new(name: RunName, path: PathBuf) -> Self {
        Self { name, path }
    }

    /// Returns the run's name.
    pub fn name(&self) -> &RunName {
        &self.name
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns one of the run's documents.
    ///
    /// # Errors
    /// When it is not there yet, or is no document of that type that this e3 reads.
    pub fn read<D: Document>(&self) -> Result<D, HomeError> {
        let path = self.path.join(D::FILE);
        from_json(&self.bytes_of::<D>()?).map_err(|source| HomeError::Document { path, source })
    }

    /// Writes one of the run's documents as a whole, so that a crash leaves the old one or the new one.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write<D: Document>(&self, document: &D) -> Result<(), HomeError> {
        let path = self.path.join(D::FILE);
        let bytes = to_json(document).map_err(|source| HomeError::Json { path: path.clone(), source })?;
        atomic::write(&path, &bytes, PUBLIC_FILE)
    }

    /// Returns what a document that is made from this one says of its parent: the file as it lies on disk.
    ///
    /// # Errors
    /// When the document is not there yet or cannot be read.
    pub fn parent_of<D: Document>(&self) -> Result<Parent, HomeError> {
        let bytes = self.bytes_of::<D>()?;
        Ok(Parent { file: D::FILE.to_owned(), sha256: sha256_hex(&bytes) })
    }

    /// Writes a file of the run as a whole, creating its directories, and returns its path.
    ///
    /// # Errors
    /// When the path leads out of the run, or the directory cannot be written.
    pub fn write_file(&self, relative: &str, bytes: &[u8]) -> Result<PathBuf, HomeError> {
        let inside = Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)));
        if relative.is_empty() || !inside {
            return Err(HomeError::Name { what: "a file within a run", name: relative.to_owned() });
        }
        let path = self.path.join(relative);
        atomic::create_directories(path.parent().unwrap_or(&self.path), PUBLIC_DIRECTORY)?;
        atomic::write(&path, bytes, PUBLIC_FILE)?;
        Ok(path)
    }

    /// Returns a thread's directory, `thread-001`; it need not exist.
    pub fn thread_directory(&self, thread: ThreadId) -> PathBuf {
        self.path.join(thread.to_string())
    }

    /// Returns a stage's directory, `thread-001/stage-000`; it need not exist.
    pub fn stage_directory(&self, stage: StageRef) -> PathBuf {
        self.thread_directory(stage.thread).join(stage.stage.to_string())
    }

    /// Returns the journal of all that is created and removed.
    pub fn journal(&self) -> PathBuf {
        self.path.join("provision.journal")
    }

    /// Returns the log file of a child process; characters that could lead elsewhere become `-`.
    pub fn log_file(&self, name: &str) -> PathBuf {
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .collect();
        self.path.join("logs").join(format!("{name}.log"))
    }

    /// Returns e3's own log of this run.
    pub fn e3_log(&self) -> PathBuf {
        self.path.join("e3.log")
    }

    /// Returns the description of a thread's dataset.
    pub fn snapshot_file(&self, thread: ThreadId) -> PathBuf {
        self.thread_directory(thread).join("snapshot.json")
    }

    /// Returns the report.
    pub fn report_file(&self) -> PathBuf {
        self.path.join("report").join("index.html")
    }

    /// Takes the right to work on this run.
    ///
    /// # Errors
    /// When another e3 has it; the error names its process.
    pub fn lock(&self) -> Result<RunLock, HomeError> {
        let path = self.path.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("create", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(HomeError::Locked { path: self.path.clone(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(io("lock", &path)(source)),
        }
        // The number only helps another e3 to say who is here; a full disk must not keep anybody from removing things.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{HOLDER}{}", std::process::id()));
        Ok(RunLock { _file: file })
    }

    /// Returns the process that has the right to work on this run, without asking for that right; none when nobody has
    /// it, or who has it cannot be seen from here.
    pub fn worked_on_by(&self) -> Option<u32> {
        let path = self.path.join(LOCK).canonicalize().ok()?;
        let text = std::fs::read_to_string(&path).ok()?;
        let process: u32 = text.strip_prefix(HOLDER)?.trim().parse().ok()?;
        // The number may belong to somebody else by now; who holds the lock has its file open.
        // Source: proc_pid_fd(5).
        let open = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
        let mut files = open.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        files.any(|file| file == path).then_some(process)
    }

    fn bytes_of<D: Document>(&self) -> Result<Vec<u8>, HomeError> {
        let path = self.path.join(D::FILE);
        match read::bytes(&path, LARGEST_DOCUMENT)? {
            Some(bytes) => Ok(bytes),
            None => Err(HomeError::NotYet { path, command: written_by(D::FILE) }),
        }
    }
}

/// Returns who holds a lock, as its holder wrote it.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(100).read_to_string(&mut text) {
        Ok(length) if length > 0 => text,
        _ => "a process that has just begun".to_owned(),
    }
}

fn written_by(file: &str) -> &'static str {
    match file {
        "topology.json" => "e3 provision",
        "run.json" => "e3 run",
        "results.json" => "e3 gather",
        "analysis.json" => "e3 analyze",
        "teardown.json" => "e3 deprovision",
        _ => "e3 orchestrate",
    }
}

const LOCK: &str = "e3.lock";
/// What stands in the lock's file before the number of its holder.
const HOLDER: &str = "process ";

#[cfg(test)]
#[path = "run_dir_tests.rs"]
mod tests;
