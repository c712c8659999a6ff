//! What every command has in hand.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use e3_home::{Home, RunDir, RunLock, data_directory};

use crate::cli::Global;
use crate::failure::Failure;
use crate::log::Log;
use crate::printer::Printer;
use crate::terminal::{self, Style};

/// What every command has in hand.
pub(crate) struct App {
    /// Where documents and runs lie.
    pub(crate) home: Home,
    /// What people read on stderr.
    pub(crate) printer: Printer,
    /// How text on stdout looks.
    pub(crate) style: Style,
    /// How many columns text on stdout may take.
    pub(crate) columns: usize,
    /// Whether stdout carries JSON.
    pub(crate) json: bool,
    /// This binary's own file, which githost's nodes are started from.
    pub(crate) program: PathBuf,
    home_flag: Option<PathBuf>,
    log: Log,
}

impl App {
    /// Returns what the global flags and the environment ask for.
    ///
    /// # Errors
    /// When the current directory or this binary's own file cannot be found.
    pub(crate) fn new(global: &Global) -> anyhow::Result<Self> {
        let cwd = std::env::current_dir().context("the current directory cannot be read")?;
        let environment = std::env::var_os("E3_HOME");
        let home =
            Home::locate(global.home.as_deref(), environment.as_deref(), &cwd, data_directory().as_deref());
        let program = std::env::current_exe().context("the path of the e3 binary cannot be found")?;
        let printer = Printer::new(global.quiet, Style::of_stderr(global.color));
        let log = Log::start(global.verbose, &printer);
        Ok(Self {
            home,
            printer,
            style: Style::of_stdout(global.color),
            columns: terminal::columns_of_stdout(),
            json: global.json,
            program,
            home_flag: global.home.clone(),
            log,
        })
    }

    /// Returns the command line that does something with a run, as one can copy it: with the home, if a flag named it.
    pub(crate) fn command(&self, verb: &str, run: &RunDir) -> String {
        let by_name = self.home.run(&run.name().0).is_ok_and(|known| known.path() == run.path());
        let which = if by_name { run.name().0.clone() } else { quoted(run.path()) };
        let command = format!("e3 {verb} -r {which}");
        if by_name { self.at_home(&command) } else { command }
    }

    /// Returns a command line with the home, if a flag named it.
    pub(crate) fn at_home(&self, command: &str) -> String {
        match &self.home_flag {
            Some(home) => format!("{command} --home {}", quoted(home)),
            None => command.to_owned(),
        }
    }

    /// Opens a run for one command: takes its lock and directs the log to it.
    ///
    /// # Errors
    /// When there is no such run, or another e3 works on it.
    pub(crate) fn open(&self, run: &str) -> Result<(RunDir, RunLock), Failure> {
        let run = self.home.run(run)?;
        let lock = run.lock()?;
        self.log_to(&run)?;
        Ok((run, lock))
    }

    /// Directs the log to a run.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub(crate) fn log_to(&self, run: &RunDir) -> anyhow::Result<()> {
        let path = run.e3_log();
        self.log.to(&path).with_context(|| format!("the log {} cannot be opened", path.display()))
    }
}

/// Returns a path as a shell reads it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_./+:@%,=".contains(c)) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_copied_into_a_shell() {
        for (path, expected) in
            [("/a/b-1.2", "/a/b-1.2"), ("/a b/ü", "'/a b/ü'"), ("it's", r"'it'\''s'"), ("$HOME", "'$HOME'")]
        {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
