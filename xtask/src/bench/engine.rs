//! The load engine against itself: how much more two threads do than one, and what an op costs with either.
//!
//! Once against a sink in the same process, asked over a pipe in memory, where nearly all that is measured is the
//! engine, and once over loopback sockets. Each run has as many CPUs as threads, so that what the engine does beside
//! them, such as the encoding of samples, counts in both. In turns, the best of all rounds, because everything else on a
//! machine only makes it slower.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::Options;
use super::answers::Answers;
use super::steal::Stolen;
use crate::binary;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Measures, prints and judges.
///
/// # Errors
/// When the example cannot be built, or loses a sample.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let sink = binary::example(workspace, "e3-load", "sink")?;
    let server = Answers::start()?;
    let address = server.address().to_string();
    let before = Stolen::now();
    let (mut sink_best, mut sockets) = ([Best::default(); 2], [Best::default(); 2]);
    for round in 0..options.rounds.max(ROUNDS) {
        say(format!("round {}", round + 1));
        for (threads, best) in (1..).zip(&mut sink_best) {
            best.take(&once(&sink, options, threads, &[])?);
        }
        for (threads, best) in (1..).zip(&mut sockets) {
            best.take(&once(&sink, options, threads, &["--server", &address])?);
        }
    }
    say(before.since());
    say("against           threads        ops/s   CPU us/op");
    for (name, bests) in [("sink in process", &sink_best), ("loopback sockets", &sockets)] {
        for (threads, best) in (1..).zip(bests) {
            say(format!("{name:<16}  {threads:>7}  {:>11.0}  {:>10.2}", best.rate, best.cpu_us));
        }
    }
    Ok(verdict("bench engine", &judge(sink_best, sockets), "as scalable as it should be"))
}

fn judge([one, two]: [Best; 2], [lone, pair]: [Best; 2]) -> Vec<String> {
    let mut problems = Vec::new();
    let (gain, cost) = (two.rate / one.rate, pair.cpu_us / lone.cpu_us);
    say(format!(
        "two threads do {gain:.2} times the ops of one; over sockets an op costs {cost:.2} times the CPU"
    ));
    if gain < LEAST_GAIN {
        problems.push(format!("two threads do {gain:.2} times the ops, at least {LEAST_GAIN} is wanted"));
    }
    if cost > MOST_COST {
        problems.push(format!("an op costs {cost:.2} times the CPU, at most {MOST_COST} is wanted"));
    }
    problems
}

/// The best figures of all rounds.
#[derive(Debug, Clone, Copy)]
struct Best {
    rate: f64,
    cpu_us: f64,
}

impl Default for Best {
    fn default() -> Self {
        Self { rate: 0.0, cpu_us: f64::INFINITY }
    }
}

impl Best {
    fn take(&mut self, once: &Once) {
        self.rate = self.rate.max(once.ops / once.wall_s);
        self.cpu_us = self.cpu_us.min(once.cpu_s * 1e6 / once.ops);
    }
}

/// What the example prints.
#[derive(Debug, Deserialize)]
struct Once {
    ops: f64,
    lost: u64,
    failures: u64,
    cpu_s: f64,
    wall_s: f64,
}

fn once(sink: &Path, options: &Options, threads: usize, more: &[&str]) -> Result<Once> {
    // Source: taskset(1) of util-linux, which every Linux has.
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &format!("0-{}", threads - 1)]).arg(sink);
    command.args(["--threads", &threads.to_string(), "--clients", CLIENTS]);
    command.args(["--seconds", &options.seconds.to_string()]).args(more);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot start the example under taskset, of the package util-linux")?;
    if !output.status.success() {
        bail!("the example failed");
    }
    let once: Once = serde_json::from_slice(&output.stdout).context("the example says something else")?;
    if once.lost + once.failures > 0 || once.ops < 1.0 {
        bail!("the example lost {} samples and failed {} of {} ops", once.lost, once.failures, once.ops);
    }
    Ok(once)
}

const CLIENTS: &str = "64";
const ROUNDS: usize = 5;
const LEAST_GAIN: f64 = 1.8;
const MOST_COST: f64 = 1.1;
