//! A page's own home: where its documents lie and its commands run, as for a user who has just installed e3.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// What the pages call the home, wherever it really is.
const SHOWN: &str = "/home/you/.local/share/e3";
/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A page's home.
pub(super) struct PageHome {
    directory: tempfile::TempDir,
    /// The search path, with e3's directory first.
    path: String,
    /// Where datasets are kept for all pages.
    cache: PathBuf,
}

/// How a command ended.
pub(super) struct Ended {
    /// Its exit code; none when a signal ended it.
    pub(super) code: Option<i32>,
    /// What it wrote on stdout and stderr, as a terminal would show it, with the home as the pages name it.
    pub(super) output: String,
}

impl PageHome {
    /// Makes a home with nothing in it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make(e3: &Path, cache: &Path) -> Result<Self> {
        let directory = tempfile::tempdir().context("cannot make a directory for a page")?;
        let beside = e3.parent().context("e3 lies in no directory")?;
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", beside.display());
        Ok(Self { directory, path, cache: cache.to_owned() })
    }

    /// Puts a document into the home.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn put(&self, kind: &str, name: &str, text: &str) -> Result<PathBuf> {
        let folder = self.home().join(format!("{kind}s"));
        let file = folder.join(format!("{name}.json"));
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&file, text))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// Returns the names of the runs, the newest first.
    pub(super) fn runs(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.home().join("runs")) else { return Vec::new() };
        let mut runs: Vec<(SystemTime, String)> = entries
            .flatten()
            .filter_map(|entry| {
                let planned =
                    entry.path().join("plan.json").metadata().and_then(|data| data.modified()).ok()?;
                Some((planned, entry.file_name().to_string_lossy().into_owned()))
            })
            .collect();
        runs.sort_by(|a, b| b.cmp(a));
        runs.into_iter().map(|(_, name)| name).collect()
    }

    /// Runs a script by the shell, within bounds.
    ///
    /// # Errors
    /// When it cannot be started, or does not end in time.
    pub(super) fn run(&self, script: &str) -> Result<Ended> {
        let file = self.directory.path().join("output");
        let output = File::create(&file).with_context(|| format!("cannot write {}", file.display()))?;
        let also = output.try_clone().context("cannot share an output")?;
        let home = self.home();
        std::fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
        let mut command = Command::new("sh");
        command.args(["-e", "-c", script]).current_dir(self.directory.path()).env_clear();
        command.env("PATH", &self.path).env("HOME", self.directory.path()).env("LC_ALL", "C.UTF-8");
        command.env("E3_HOME", &home).env("E3_CACHE", &self.cache);
        command.stdin(Stdio::null()).stdout(output).stderr(also);
        // A group of its own, so that none of its children outlives it when it has to be stopped.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().context("cannot start sh")?;
        let code = wait(&mut child, script)?;
        let output = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let output = String::from_utf8_lossy(&output).replace(&*home.to_string_lossy(), SHOWN);
        Ok(Ended { code, output })
    }

    fn home(&self) -> PathBuf {
        self.directory.path().join("e3")
    }
}

/// Waits for a child; stops it and its group when it takes too long.
fn wait(child: &mut Child, script: &str) -> Result<Option<i32>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot look after sh")? {
            return Ok(status.code());
        }
        if begun.elapsed() > PATIENCE {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            // One that has just ended needs no signal.
            let _ = group.map(|group| kill_process_group(group, Signal::KILL));
            let _ = child.wait();
            bail!("`{script}` did not end within {PATIENCE:?}");
        }
        thread::sleep(POLL);
    }
}

/// The standard library waits for a child without a bound only.
const POLL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_sees_the_home_and_nothing_else() {
        let cache = tempfile::tempdir().unwrap();
        let home = PageHome::make(Path::new("/nowhere/e3"), cache.path()).unwrap();
        home.put("experiment", "mine", "{}").unwrap();
        let ended = home
            .run("cat $E3_HOME/experiments/mine.json; echo \" in $E3_HOME\"; echo oops >&2; exit 7")
            .unwrap();
        assert_eq!(ended.output, format!("{{}} in {SHOWN}\noops\n"));
        assert_eq!(ended.code, Some(7));
        assert_eq!(home.run("echo $PATH").unwrap().output, "/nowhere:/usr/local/bin:/usr/bin:/bin\n");
        assert_eq!(home.run("false; true").unwrap().code, Some(1), "a script ends at its first failure");
    }

    #[test]
    fn runs_are_listed_from_the_newest() {
        let cache = tempfile::tempdir().unwrap();
        let home = PageHome::make(Path::new("/nowhere/e3"), cache.path()).unwrap();
        assert!(home.runs().is_empty());
        let make = "mkdir -p $E3_HOME/runs/b $E3_HOME/runs/a; touch -d 2020-01-01 $E3_HOME/runs/b/plan.json; touch $E3_HOME/runs/a/plan.json";
        assert_eq!(home.run(make).unwrap().code, Some(0));
        assert_eq!(home.runs(), ["a", "b"]);
    }
}
