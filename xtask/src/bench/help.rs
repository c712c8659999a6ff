//! How long `e3 --help` takes: what a person waits for who only wants to look.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Options;
use crate::binary;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Measures, prints and judges.
///
/// # Errors
/// When the binary cannot be built or started.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let mut problems = Vec::new();
    for arguments in [&["--help"][..], &["--version"], &["orchestrate", "--help"]] {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let begun = Instant::now();
            let status =
                Command::new(&e3).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status();
            if !status.context("cannot start e3")?.success() {
                bail!("e3 {} failed", arguments.join(" "));
            }
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let median = times.get(STARTS / 2).copied().unwrap_or_default();
        let line = format!("e3 {:<20} median {:.1} ms of {STARTS}", arguments.join(" "), ms(median));
        say(&line);
        if median > MOST {
            problems.push(format!("{line}; at most {:.0} ms is wanted", ms(MOST)));
        }
    }
    Ok(verdict("bench help", &problems, "as quick as it should be"))
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

const STARTS: usize = 51;
const MOST: Duration = Duration::from_millis(10);
