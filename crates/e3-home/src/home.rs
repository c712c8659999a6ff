//! The home: named documents, runs, and what belongs to a run but not into its directory.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use e3_model::{Document as _, Kind, Plan, RunName};

use crate::atomic::{self, PUBLIC_DIRECTORY};
use crate::error::io;
use crate::library::{self, LIBRARY};
use crate::read::LARGEST_INPUT;
use crate::{HomeError, RunDir, name, read};

/// The directory that holds all that E3 keeps; it need not exist before something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// A document's text, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file as users may open it, or `library:experiments/quickstart.json`.
    pub file: String,
    /// The document's name: the file's stem.
    pub name: String,
    /// The text.
    pub text: String,
}

/// A document that can be named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a named document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file of the home.
    Home,
    /// The library that comes with E3.
    Library,
}

impl Home {
    /// Returns the home that applies: the flag `--home`, else the environment's `E3_HOME`, else `./e3-home` if it is
    /// there, else `e3` in the user's data directory, else `./e3-home`. Its root is absolute if `cwd` is.
    pub fn locate(
        flag: Option<&Path>,
        environment: Option<&OsStr>,
        cwd: &Path,
        data_directory: Option<&Path>,
    ) -> Self {
        let here = cwd.join("e3-home");
        let chosen = flag.or_else(|| environment.filter(|value| !value.is_empty()).map(Path::new));
        match (chosen, data_directory) {
            (Some(path), _) => Self::at(cwd.join(path)),
            (None, Some(data)) if !here.is_dir() => Self::at(data.join("e3")),
            (None, _) => Self::at(here),
        }
    }

    /// Returns the home at a directory.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the home's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the document of that name: a file of the home, else an embedded one. An experiment may also be named by
    /// the path of its file.
    ///
    /// # Errors
    /// When there is none, or when it is too large, no text, or cannot be read.
    pub fn find(&self, kind: Kind, name_or_path: &str) -> Result<Source, HomeError> {
        let is_name = name::is_document_name(name_or_path);
        if is_name && let Some(source) = self.named(kind, name_or_path)? {
            return Ok(source);
        }
        if kind == Kind::Experiment && (!is_name || Path::new(name_or_path).extension().is_some()) {
            return self.experiment_at(name_or_path);
        }
        if is_name { Err(self.unknown(kind, name_or_path)) } else { Err(not_a_name(kind, name_or_path)) }
    }

    /// Returns every name of that kind once, in alphabetical order; a file of the home hides an embedded document.
    pub fn list(&self, kind: Kind) -> Vec<Listed> {
        let embedded = LIBRARY
            .iter()
            .filter(|document| document.kind == kind)
            .map(|document| (document.name.to_owned(), Origin::Library));
        let mut names: BTreeMap<String, Origin> = embedded.collect();
        for (path, file) in entries(&self.root.join(kind.folder())) {
            if let Some(stem) = file.strip_suffix(".json")
                && name::is_document_name(stem)
                && path.is_file()
            {
                names.insert(stem.to_owned(), Origin::Home);
            }
        }
        names.into_iter().map(|(name, origin)| Listed { name, origin }).collect()
    }

    /// Returns the runs, newest last, by the second in their names, or else by the age of their directories.
    pub fn runs(&self) -> Vec<RunName> {
        let mut runs: Vec<(String, String)> = entries(&self.runs_root())
            .into_iter()
            .filter(|(path, name)| RunName::is_valid(name) && path.is_dir())
            .map(|(path, name)| (name::stamp_in(&name).unwrap_or_else(|| modified(&path)), name))
            .collect();
        runs.sort();
        runs.into_iter().map(|(_, name)| RunName(name)).collect()
    }

    /// Creates a new run's directory.
    ///
    /// # Errors
    /// When the run exists, its name is none, or the home cannot be written.
    pub fn create_run(&self, name: &RunName) -> Result<RunDir, HomeError> {
        let path = self.runs_root().join(self.checked(name)?);
        atomic::create_directories(&self.runs_root(), PUBLIC_DIRECTORY)?;
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(HomeError::RunExists { name: name.0.clone(), path })
            }
            other => other.map_err(io("create", &path)).map(|()| RunDir::new(name.clone(), path)),
        }
    }

    /// Returns a run by its name, or by the path of its directory, which may lie anywhere.
    ///
    /// # Errors
    /// When there is none.
    pub fn run(&self, name_or_path: &str) -> Result<RunDir, HomeError> {
        if RunName::is_valid(name_or_path) {
            let path = self.runs_root().join(name_or_path);
            if path.is_dir() {
                return Ok(RunDir::new(RunName(name_or_path.to_owned()), path));
            }
        }
        let unknown = || {
            let runs = self.runs();
            HomeError::UnknownRun {
                name: name_or_path.to_owned(),
                meant: name::meant(name_or_path, runs.iter().map(|run| run.0.as_str())),
                runs: self.runs_root(),
            }
        };
        if !name_or_path.contains('/') && name_or_path != "." {
            return Err(unknown());
        }
        let path = Path::new(name_or_path).canonicalize().map_err(|_| unknown())?;
        let name = path.file_name().and_then(OsStr::to_str).filter(|name| RunName::is_valid(name));
        match name {
            // Any other directory must stay untouched: no lock, no log, no teardown.
            Some(name) if path.join(Plan::FILE).is_file() => {
                Ok(RunDir::new(RunName(name.to_owned()), path.clone()))
            }
            _ => Err(unknown()),
        }
    }

    /// Returns the home that a run lies in, which may be another one when the run was named by its path; this home for a
    /// run that lies nowhere in particular.
    #[must_use]
    pub fn of(&self, run: &RunDir) -> Self {
        let runs = run.path().parent().filter(|parent| parent.file_name() == Some(OsStr::new(RUNS)));
        runs.and_then(Path::parent).map_or_else(|| self.clone(), Self::at)
    }

    /// Returns the directory of what is removed at a run's teardown, such as the homes of githost nodes.
    pub fn scratch(&self, run: &RunName) -> PathBuf {
        self.root.join("tmp").join(&run.0)
    }

    pub(crate) fn secrets_root(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// Returns the run's name as a path that stays where it is put.
    pub(crate) fn checked<'a>(&self, run: &'a RunName) -> Result<&'a str, HomeError> {
        if RunName::is_valid(&run.0) {
            Ok(&run.0)
        } else {
            Err(HomeError::Name { what: "a run", name: run.0.clone() })
        }
    }

    fn runs_root(&self) -> PathBuf {
        self.root.join(RUNS)
    }

    fn named(&self, kind: Kind, name: &str) -> Result<Option<Source>, HomeError> {
        let path = self.path_of(kind, name);
        let source = |file, text| Source { file, name: name.to_owned(), text };
        if let Some(text) = read::text(&path, LARGEST_INPUT)? {
            return Ok(Some(source(path.display().to_string(), text)));
        }
        Ok(library::find(kind, name).map(|document| source(document.file(), document.text.to_owned())))
    }

    fn experiment_at(&self, path: &str) -> Result<Source, HomeError> {
        let text = read::text(Path::new(path), LARGEST_INPUT)?
            .ok_or_else(|| self.unknown(Kind::Experiment, path))?;
        let stem = Path::new(path).file_stem().and_then(OsStr::to_str).unwrap_or("experiment");
        Ok(Source { file: path.to_owned(), name: stem.to_owned(), text })
    }

    fn unknown(&self, kind: Kind, name: &str) -> HomeError {
        let known = self.list(kind);
        let stem = Path::new(name).file_stem().and_then(OsStr::to_str).unwrap_or(name);
        HomeError::Unknown {
            kind,
            name: name.to_owned(),
            meant: name::meant(stem, known.iter().map(|listed| listed.name.as_str())),
            looked_at: self.root.join(kind.folder()),
        }
    }

    pub(crate) fn path_of(&self, kind: Kind, name: &str) -> PathBuf {
        self.root.join(kind.folder()).join(format!("{name}.json"))
    }
}

pub(crate) fn not_a_name(kind: Kind, name: &str) -> HomeError {
    let what = match kind {
        Kind::Experiment => "an experiment",
        Kind::Workload => "a workload",
        Kind::Snapshot => "a snapshot",
        Kind::Instance => "an instance",
    };
    HomeError::Name { what, name: name.to_owned() }
}

/// Returns what a directory holds; nothing when it is not there or not readable.
fn entries(directory: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?)))
        .collect()
}

fn modified(path: &Path) -> String {
    let at = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    name::stamp(at.unwrap_or(SystemTime::UNIX_EPOCH))
}

const RUNS: &str = "runs";

#[cfg(test)]
#[path = "home_tests.rs"]
mod tests;
