//! How long `e3 orchestrate -e quickstart` takes besides the load itself, with an empty cache and with a filled one.
//!
//! The first run makes its dataset, the others find it in the cache. A machine only ever makes a run slower, so the best
//! cached run counts.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use e3_model::{Document as _, Plan, from_json};

use super::Options;
use super::steal::Stolen;
use crate::binary;
use crate::say::{say, verdict};
use crate::workspace::Workspace;

/// Measures, prints and judges.
///
/// # Errors
/// When the binary cannot be built or a run fails.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let e3 = match &options.e3 {
        Some(path) => path.clone(),
        None => binary::release(workspace)?,
    };
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let before = Stolen::now();
    let first = one(&e3, folder.path(), "first")?;
    say(format!("first run, empty cache:  {first:.1} s besides the load (at most {MOST_FIRST_S} s)"));
    let mut best = f64::INFINITY;
    for round in 1..=options.rounds.max(1) {
        let cached = one(&e3, folder.path(), &format!("cached-{round}"))?;
        say(format!("run {round}, dataset cached:   {cached:.1} s besides the load"));
        best = best.min(cached);
    }
    say(format!("best cached run:         {best:.1} s (at most {MOST_CACHED_S} s)"));
    say(before.since());
    let mut problems = Vec::new();
    for (name, seconds, most) in [("first", first, MOST_FIRST_S), ("best cached", best, MOST_CACHED_S)] {
        if seconds > most {
            problems.push(format!(
                "the {name} run took {seconds:.1} s besides the load, at most {most} s is wanted"
            ));
        }
    }
    Ok(verdict("bench quickstart", &problems, "as quick as it should be"))
}

/// Runs quickstart once; returns the seconds that it took besides its load.
fn one(e3: &Path, folder: &Path, name: &str) -> Result<f64> {
    let home = folder.join(name);
    std::fs::create_dir(&home).context("cannot make a home")?;
    let begun = Instant::now();
    let output = Command::new(e3)
        .args(["orchestrate", "-e", "quickstart", "--quiet", "--home"])
        .arg(&home)
        .env("E3_CACHE", folder.join("cache"))
        .stdin(Stdio::null())
        .output()
        .context("cannot start e3")?;
    let wall = begun.elapsed().as_secs_f64();
    if !output.status.success() {
        bail!("quickstart ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(wall - load_s(&home)?)
}

/// Returns how long the stages of a home's only run were planned to hold their load, one round after another.
fn load_s(home: &Path) -> Result<f64> {
    let mut runs = std::fs::read_dir(home.join("runs")).context("the home has no runs")?;
    let run = runs.next().context("the home has no run")?.context("the home cannot be read")?;
    let bytes = std::fs::read(run.path().join(Plan::FILE)).context("the plan cannot be read")?;
    let plan: Plan = from_json(&bytes).context("the plan cannot be used")?;
    let longest = |round: &e3_model::Round| {
        let stages = round.stages.iter().filter_map(|stage| plan.stage(*stage));
        stages.map(|(_, stage)| stage.duration.to_duration()).max().unwrap_or_default()
    };
    Ok(plan.rounds.iter().map(longest).sum::<std::time::Duration>().as_secs_f64())
}

/// The most that a run may take besides its load, in seconds, when its dataset is in the cache.
const MOST_CACHED_S: f64 = 12.0;
/// Likewise when the dataset has to be made first.
const MOST_FIRST_S: f64 = 25.0;
