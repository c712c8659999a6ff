//! What every command has in hand.

use std::path::PathBuf;

use anyhow::Context as _;
use e3_home::{Home, RunDir, RunLock, data_directory};

use crate::cli::Global;
use crate::failure::Failure;
use crate::log::Log;
use crate::printer::Printer;

/// What every command has in hand.
pub(crate) struct App {
    /// Where documents and runs lie.
    pub(crate) home: Home,
    /// What people read.
    pub(crate) printer: Printer,
    /// Whether stdout carries JSON.
    pub(crate) json: bool,
    /// This binary's own file, which githost's nodes are started from.
    pub(crate) program: PathBuf,
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
        Ok(Self { home, printer: Printer::new(global.quiet), json: global.json, program, log: Log::start() })
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
