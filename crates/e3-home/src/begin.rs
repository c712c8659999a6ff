//! Beginning a home, and adding documents to it; nothing that exists is overwritten.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use e3_model::Kind;

use crate::atomic::{self, PUBLIC_DIRECTORY, PUBLIC_FILE};
use crate::error::io;
use crate::home::not_a_name;
use crate::{Home, HomeError, name};

impl Home {
    /// Makes this home's folders, a README and an example that is ready to run; returns the files that it wrote.
    ///
    /// # Errors
    /// When the directory holds something that is no part of a home, one of the files exists already, or the directory
    /// cannot be written. Nothing was written then, unless the disk itself refused on the way.
    pub fn begin(&self) -> Result<Vec<PathBuf>, HomeError> {
        self.refuse_foreign()?;
        let files: Vec<_> = TEMPLATE.iter().map(|(file, text)| (self.root().join(file), text)).collect();
        for (path, _) in &files {
            refuse_existing(path)?;
        }
        for kind in Kind::ALL {
            atomic::create_directories(&self.root().join(kind.folder()), PUBLIC_DIRECTORY)?;
        }
        for (path, text) in &files {
            atomic::write(path, text.as_bytes(), PUBLIC_FILE)?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }

    /// Writes a new document of that name and returns its path.
    ///
    /// # Errors
    /// When the name is none, there is a file of that name already, or the home cannot be written.
    pub fn add(&self, kind: Kind, name: &str, text: &str) -> Result<PathBuf, HomeError> {
        let path = self.new_path(kind, name)?;
        atomic::create_directories(path.parent().unwrap_or(self.root()), PUBLIC_DIRECTORY)?;
        atomic::write(&path, text.as_bytes(), PUBLIC_FILE)?;
        Ok(path)
    }

    /// Returns where a new document of that name would lie; writes nothing.
    ///
    /// # Errors
    /// When the name is none, there is a file of that name already, or the home is a file itself.
    pub fn new_path(&self, kind: Kind, name: &str) -> Result<PathBuf, HomeError> {
        if !name::is_document_name(name) {
            return Err(not_a_name(kind, name));
        }
        let path = self.path_of(kind, name);
        let not_a_directory = match std::fs::metadata(self.root()) {
            Ok(root) => !root.is_dir(),
            Err(error) => error.kind() == ErrorKind::NotADirectory,
        };
        if not_a_directory {
            return Err(io("create", &path)(ErrorKind::NotADirectory.into()));
        }
        refuse_existing(&path)?;
        Ok(path)
    }

    /// A typing error must not scatter folders over somebody's project.
    fn refuse_foreign(&self) -> Result<(), HomeError> {
        let Ok(entries) = std::fs::read_dir(self.root()) else { return Ok(()) };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        match names.filter(|name| !PARTS.contains(&name.as_str()) && !name.starts_with('.')).min() {
            Some(found) => Err(HomeError::NotAHome { path: self.root().to_owned(), found }),
            None => Ok(()),
        }
    }
}

fn refuse_existing(path: &Path) -> Result<(), HomeError> {
    // A link that leads nowhere is somebody's, too.
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(HomeError::FileExists { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

/// What a home begins with.
const TEMPLATE: [(&str, &str); 3] = [
    ("README.md", include_str!("../template/README.md")),
    ("experiments/first.json", include_str!("../template/experiments/first.json")),
    ("workloads/first.json", include_str!("../template/workloads/first.json")),
];
/// What a home may hold.
const PARTS: [&str; 8] =
    ["README.md", "experiments", "workloads", "snapshots", "instances", "runs", "secrets", "tmp"];

#[cfg(test)]
mod tests {
    use e3_model::{Experiment, Workload};

    use super::*;

    #[test]
    fn a_home_begins_once() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("deep/e3-home"));
        let written = home.begin().unwrap();
        assert_eq!(written.len(), TEMPLATE.len());
        for kind in Kind::ALL {
            assert!(home.root().join(kind.folder()).is_dir(), "{kind}");
        }
        let experiment = home.find(Kind::Experiment, "first").unwrap();
        let experiment: Experiment = serde_json::from_str(&experiment.text).unwrap();
        let workload = home.find(Kind::Workload, &experiment.load.workload.unwrap()).unwrap();
        serde_json::from_str::<Workload>(&workload.text).unwrap();

        std::fs::write(home.root().join("workloads/first.json"), "mine").unwrap();
        std::fs::remove_file(home.root().join("README.md")).unwrap();
        let again = home.begin().unwrap_err();
        assert!(
            matches!(&again, HomeError::FileExists { path } if path.ends_with("experiments/first.json")),
            "{again}"
        );
        assert!(!home.root().join("README.md").exists(), "nothing was written, since something was there");
        assert_eq!(home.find(Kind::Workload, "first").unwrap().text, "mine");
    }

    #[test]
    fn a_directory_of_something_else_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("Cargo.toml"), "").unwrap();
        let error = Home::at(directory.path()).begin().unwrap_err();
        assert!(error.to_string().contains("Cargo.toml") && error.hint().is_some(), "{error}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn documents_are_added_but_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path());
        let path = home.add(Kind::Experiment, "mine", "{}").unwrap();
        assert_eq!(path, directory.path().join("experiments/mine.json"));
        assert!(matches!(home.add(Kind::Experiment, "mine", "other"), Err(HomeError::FileExists { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
        for bad in ["", "../x", "a/b", ".x"] {
            assert!(matches!(home.add(Kind::Workload, bad, "[]"), Err(HomeError::Name { .. })), "{bad:?}");
        }
        assert!(!directory.path().join("workloads").exists());
    }
}
