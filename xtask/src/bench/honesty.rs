//! The honesty meter in the flesh: it must speak when something takes the worker's CPU away, and never of an idle one.
//!
//! Once a few clients have the machine to themselves; then the same load runs at the lowest priority beside processes
//! that keep every CPU busy, which is what a throttled worker looks like from within.

use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Options;
use super::answers::Answers;
use super::steal::Stolen;
use crate::binary;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Measures, prints and judges.
///
/// # Errors
/// When the binary cannot be built or a load cannot be made.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let server = Answers::start()?;
    let url = format!("http://{}/", server.address());
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let before = Stolen::now();
    let mut problems = Vec::new();
    for round in 1..=options.rounds.max(1) {
        let seconds = options.seconds;
        let idle = load(&e3, &[], &url, &folder.path().join(format!("idle-{round}")), seconds)?;
        say(format!("round {round}, idle:      {idle}"));
        if idle.is_bound {
            problems.push(format!("round {round}: the meter spoke of an idle worker"));
        }
        let throttled = {
            let _siblings = Siblings::start()?;
            load(&e3, &["nice", "-n", "19"], &url, &folder.path().join(format!("busy-{round}")), seconds)?
        };
        say(format!("round {round}, throttled: {throttled}"));
        if !throttled.is_bound {
            problems.push(format!("round {round}: the meter said nothing of a throttled worker"));
        }
    }
    say(before.since());
    Ok(verdict("bench honesty", &problems, "as honest as it should be"))
}

/// What the meter said.
struct Word {
    is_bound: bool,
    lag_ms: f64,
    delay_ms: f64,
    cpus: f64,
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.is_bound { "client-bound" } else { "nothing" };
        let Self { lag_ms, delay_ms, cpus, .. } = self;
        write!(f, "{word} (p99 of lag {lag_ms:.2} ms and of delay {delay_ms:.2} ms, {cpus:.2} CPUs)")
    }
}

/// Runs a load that needs next to nothing, under another program if one is given.
fn load(e3: &Path, under: &[&str], url: &str, home: &Path, seconds: u64) -> Result<Word> {
    let mut command = match under {
        [] => Command::new(e3),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(e3);
            command
        }
    };
    command.args(["load", "--script", "http.Request", "--url", url, "--clients", "4", "--think-time", "5ms"]);
    command.args(["--duration", &format!("{seconds}s"), "--json", "--home"]).arg(home);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().context("cannot start e3")?;
    let said: Value = serde_json::from_slice(&output.stdout).context("e3 did not say what it measured")?;
    let number = |name: &str| {
        let value = said.pointer(&format!("/honesty/{name}")).and_then(Value::as_f64);
        value.with_context(|| format!("e3 did not say {name}"))
    };
    let stamps = said.pointer("/stamps").and_then(Value::as_array).context("e3 did not say its stamps")?;
    Ok(Word {
        is_bound: stamps.iter().any(|stamp| stamp == "client-bound"),
        lag_ms: number("scheduling_lag_p99_ms")?,
        delay_ms: number("event_loop_delay_p99_ms")?,
        cpus: number("worker_cpus")?,
    })
}

/// Processes that do nothing but keep CPUs busy, two for each; they end when this is dropped.
struct Siblings(Vec<Child>);

impl Siblings {
    fn start() -> Result<Self> {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut started = Self(Vec::new());
        for _ in 0..cpus * 2 {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]).stdin(Stdio::null());
            started.0.push(command.spawn().context("cannot start sh")?);
        }
        Ok(started)
    }
}

impl Drop for Siblings {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that is gone is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
