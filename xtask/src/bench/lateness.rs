//! How late constant arrivals begin, at half of what the server that they ask can do: 99.9th percentile at most 1 ms.
//!
//! The server is a timer in the worker's own process, so that nothing but the engine and the machine makes an arrival late.
//! The best of all rounds, because everything else on a machine only makes it later; how late a thread is there that does
//! nothing but look at the clock is said beside it.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::steal::Stolen;
use super::{Options, stalls};
use crate::binary;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Measures, prints and judges.
///
/// # Errors
/// When the example cannot be built, or fails.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let example = binary::example(workspace, "e3-load", "lateness")?;
    let before = Stolen::now();
    let mut best: Option<Lateness> = None;
    for round in 1..=options.rounds.max(ROUNDS) {
        let mut command = Command::new(&example);
        let output = command.arg(options.seconds.to_string()).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = output.output().context("cannot start the example")?;
        if !output.status.success() {
            bail!("the example failed");
        }
        let lateness: Lateness =
            serde_json::from_slice(&output.stdout).context("the example says something else")?;
        say(format!("round {round}: {lateness}"));
        let is_better = best.as_ref().is_none_or(|best| lateness.p999_us < best.p999_us);
        best = if is_better { Some(lateness) } else { best };
    }
    say(before.since());
    say(stalls::of_the_machine(STALLS));
    let late = best.filter(|best| best.p999_us > MOST_US);
    let problem = late.map(|late| format!("p99.9 is {} us, at most {MOST_US} is wanted", late.p999_us));
    let problems: Vec<String> = problem.into_iter().collect();
    Ok(verdict("bench lateness", &problems, "as punctual as it should be"))
}

/// What the example prints.
#[derive(Debug, Deserialize)]
struct Lateness {
    capacity: f64,
    rate: f64,
    arrivals: u64,
    p50_us: u64,
    p99_us: u64,
    p999_us: u64,
    max_us: u64,
}

impl std::fmt::Display for Lateness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { capacity, rate, arrivals, p50_us, p99_us, p999_us, max_us } = self;
        write!(
            f,
            "{arrivals} arrivals at {rate:.0} of {capacity:.0}/s: late by p50 {p50_us} us, p99 {p99_us} us, \
             p99.9 {p999_us} us, at most {max_us} us"
        )
    }
}

const ROUNDS: usize = 5;
/// Long enough for what happens once a second to be seen.
const STALLS: std::time::Duration = std::time::Duration::from_secs(5);
const MOST_US: u64 = 1_000;
