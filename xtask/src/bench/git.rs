//! The native Git client beside the real git: client CPU seconds of a clone, an ls-remote, a push.
//!
//! A client is a process of its own, so that no server counts: `e3 load` with as many ops as it takes, against as many
//! clients that run `git` in a loop; user and system time, children included. What `e3 load` takes to start, to analyse and
//! to write its report is taken off by a second, short run, since a load is as long as one likes. Over HTTP, clones and
//! ls-remotes are answered from memory (`canned`), and the floor of a clone is measured in the same round: the same bytes,
//! read by a bare loop and hashed. Rounds in turns, the least counts, because everything else on a machine only adds. Linux
//! tells a process's time in hundredths of a second, so there are as many ops as make that a few per cent at most.

mod clone;
mod cpu;
mod e3;
mod floor;
mod ls_remote;
mod peer;
mod push;
mod repository;
mod sshd;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use super::Options;
use super::steal::Stolen;
use crate::say::{say, verdict};
use crate::workspace::Workspace;
use crate::{binary, tools};

/// Measures clones.
///
/// # Errors
/// When a server cannot be started or an operation fails.
pub(super) fn clone(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    run("bench clone", workspace, options, async |bench| clone::measure(bench).await)
}

/// Measures ls-remotes.
///
/// # Errors
/// As for [`clone()`].
pub(super) fn ls_remote(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    run("bench ls-remote", workspace, options, async |bench| ls_remote::measure(bench).await)
}

/// Measures pushes.
///
/// # Errors
/// As for [`clone()`].
pub(super) fn push(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    tools::ensure_web_server()?;
    run("bench push", workspace, options, async |bench| push::measure(bench).await)
}

/// What every part has in hand.
struct Bench<'a> {
    e3: PathBuf,
    /// For homes, clones and sockets; gone afterwards.
    folder: &'a Path,
    /// Generated repositories, which are kept: `scm/BENCH/clone.git`, `scm/BENCH/refs.git`.
    repositories: PathBuf,
    rounds: usize,
    /// How long a measurement takes, roughly: more seconds are more ops.
    seconds: u64,
}

fn run(
    name: &str,
    workspace: &Workspace,
    options: &Options,
    measure: impl AsyncFnOnce(&Bench<'_>) -> Result<Vec<String>>,
) -> Result<ExitCode> {
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start a runtime")?;
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let problems = runtime.block_on(async {
        let repositories = repository::prepare(&target()?).await?;
        let bench = Bench {
            e3,
            folder: folder.path(),
            repositories,
            rounds: options.rounds.max(1),
            seconds: options.seconds.max(1),
        };
        let before = Stolen::now();
        let problems = measure(&bench).await;
        say(before.since());
        problems
    })?;
    Ok(verdict(name, &problems, "as cheap as it should be"))
}

/// Returns cargo's target directory, in which this program lies.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let folder =
        program.parent().and_then(Path::parent).context("this program lies in no target directory")?;
    Ok(folder.to_owned())
}

/// The least of several measurements of CPU time, in milliseconds an op.
#[derive(Debug, Clone, Copy)]
struct Least(f64);

impl Least {
    const NONE: Self = Self(f64::INFINITY);

    fn take(&mut self, milliseconds: f64) {
        self.0 = self.0.min(milliseconds);
    }

    /// Returns how many times as much another takes.
    fn times(self, other: Self) -> f64 {
        other.0 / self.0.max(f64::MIN_POSITIVE)
    }
}

/// Says a row of the table of ratios, and returns what is wrong with it; nothing is, where at least 0 is wanted.
fn judge(what: &str, native: Least, forked: Least, at_least: f64) -> Option<String> {
    let times = native.times(forked);
    let wanted = if at_least > 0.0 { format!(" (at least {at_least})") } else { String::new() };
    say(format!(
        "{what:<36} native {:>8.3} ms   git {:>8.2} ms   {times:>6.1} times less{wanted}",
        native.0, forked.0
    ));
    // A ratio that is no number is no success either.
    (times < at_least || times.is_nan())
        .then(|| format!("{what}: {times:.1} times less client CPU, at least {at_least} is wanted"))
}

/// The project of all repositories.
const PROJECT: &str = "BENCH";
