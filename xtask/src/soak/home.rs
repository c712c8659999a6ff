//! A home of E3 for one soak, which goes with the value.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use e3_home::{Home, RunDir};
use e3_model::{Analysis, ScriptDescriptor};
use serde::Deserialize;
use tempfile::TempDir;

use super::proc;
use crate::say::say;
use crate::workspace::Workspace;

/// The binary with a home and a temporary directory of its own.
pub(super) struct SoakHome {
    e3: PathBuf,
    cache: PathBuf,
    folder: TempDir,
    home: Home,
    run: RefCell<String>,
}

impl SoakHome {
    /// Makes the home; datasets are kept between soaks, below the working tree's target directory.
    ///
    /// # Errors
    /// When a directory cannot be made.
    pub(super) fn new(e3: PathBuf, workspace: &Workspace) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
        for name in ["home", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).context("cannot make the soak's directories")?;
        }
        let home = Home::at(folder.path().join("home"));
        let cache = workspace.root.join("target/soak-cache");
        Ok(Self { e3, cache, folder, home, run: RefCell::default() })
    }

    pub(super) fn path(&self) -> &Path {
        self.home.root()
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    pub(super) fn set_run(&self, name: &str) {
        name.clone_into(&mut self.run.borrow_mut());
    }

    /// Returns the run's name.
    pub(super) fn run(&self) -> String {
        self.run.borrow().clone()
    }

    pub(super) fn run_directory(&self) -> Result<RunDir> {
        Ok(self.home.run(&self.run())?)
    }

    pub(super) fn analysis(&self) -> Result<Analysis> {
        Ok(self.run_directory()?.read()?)
    }

    /// Returns every script of the binary.
    ///
    /// # Errors
    /// When the binary does not list them.
    pub(super) fn scripts(&self) -> Result<Vec<ScriptDescriptor>> {
        #[derive(Deserialize)]
        struct Listed {
            scripts: Vec<ScriptDescriptor>,
        }
        let text = self.e3(&["list", "scripts", "--json"])?;
        let listed: Listed =
            serde_json::from_str(&text).context("`e3 list scripts --json` printed something else")?;
        Ok(listed.scripts)
    }

    /// Runs a command of e3 to its end and returns its stdout.
    ///
    /// # Errors
    /// When it fails; the error holds what it said.
    pub(super) fn e3(&self, arguments: &[&str]) -> Result<String> {
        say(format!("$ e3 {}", arguments.join(" ")));
        let output = self
            .command(arguments)
            .output()
            .with_context(|| format!("cannot start {}", self.e3.display()))?;
        // A stage that was bound by its worker is no failure here.
        if !output.status.success() && output.status.code() != Some(BOUND_BY_WORKER) {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`e3 {}` ended with {}:\n{said}", arguments.join(" "), output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts a command of e3; what it says is kept for [`SoakHome::said`].
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(&self, arguments: &[&str]) -> Result<Child> {
        say(format!("$ e3 {}", arguments.join(" ")));
        let log = std::fs::File::create(self.folder.path().join(SAID)).context("cannot make a log")?;
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(log);
        command.spawn().with_context(|| format!("cannot start {}", self.e3.display()))
    }

    /// Returns what the command that was started last has said.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn said(&self) -> Result<String> {
        std::fs::read_to_string(self.folder.path().join(SAID)).context("cannot read what e3 said")
    }

    /// Says which temporary files and directories there are, in the system's place for them or within repositories.
    pub(super) fn temporary_files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![(self.folder.path().join("tmp"), true), (self.path().join("tmp"), false)];
        while let Some((folder, all)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                // What git calls its temporary objects, packs, quarantines and locks.
                let temporary = ["tmp_", "incoming-"].iter().any(|prefix| name.starts_with(prefix));
                // A lock of a ref, of the packed refs, of HEAD or of the configuration.
                let lock = name.ends_with(".lock") && !KEPT_LOCKS.contains(&name.as_str());
                if all || temporary || lock {
                    found.push(format!("{} is left", entry.path().display()));
                } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push((entry.path(), false));
                }
            }
        }
        found
    }

    /// Removes the run's system, if there is one, and says what is left of it.
    ///
    /// # Errors
    /// When `e3 deprovision` fails.
    pub(super) fn deprovision(&self) -> Result<Vec<String>> {
        let runs = self.home.runs();
        for run in &runs {
            self.e3(&["deprovision", "-r", &run.0])?;
        }
        let left: Vec<_> = runs.iter().flat_map(|run| proc::of_githost(&run.0)).collect();
        Ok(left.iter().map(|process| format!("{} is left after `e3 deprovision`", process.shown())).collect())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.e3);
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path().join("tmp"))
            .env("LC_ALL", "C")
            .env("E3_HOME", self.path())
            .env("E3_CACHE", &self.cache)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }
}

/// The files that githost itself locks, which are there for good.
const KEPT_LOCKS: [&str; 3] = ["open.lock", "merging.lock", "atlassian-bitbucket-access.lock"];
const SAID: &str = "said.log";
/// The exit code that says that the worker was the bottleneck.
const BOUND_BY_WORKER: i32 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_left_is_found() {
        let workspace = Workspace { root: PathBuf::from("/nowhere") };
        let home = SoakHome::new(PathBuf::from("e3"), &workspace).unwrap();
        let objects = home.path().join("tmp/run/repositories/1.git/objects");
        std::fs::create_dir_all(objects.join("ab")).unwrap();
        std::fs::write(objects.join("ab/cdef"), "").unwrap();
        assert_eq!(home.temporary_files(), Vec::<String>::new());
        std::fs::create_dir(objects.join("tmp_objdir-incoming-x")).unwrap();
        std::fs::write(home.folder.path().join("tmp/.tmpabc"), "").unwrap();
        let repository = home.path().join("tmp/run/repositories/1.git");
        std::fs::create_dir_all(repository.join("refs/heads/feature")).unwrap();
        for lock in ["refs/heads/feature/x.lock", "packed-refs.lock", "HEAD.lock", "config.lock"] {
            std::fs::write(repository.join(lock), "").unwrap();
        }
        std::fs::write(repository.join("refs/heads/feature/y"), "").unwrap();
        std::fs::write(repository.join("merging.lock"), "").unwrap();
        assert_eq!(home.temporary_files().len(), 6, "{:?}", home.temporary_files());
    }
}
