//! How near a capacity search comes to a knee that is known, and in how many probes.
//!
//! A githost works on four requests at once, each for a tenth of a second: it bears 40 a second, and not one more. Each
//! round searches for the highest rate at which nine of ten answers take less than 400 ms. The seed is another in
//! each, and so is the rate that the search begins with, so that no round profits from where its probes happen to lie.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use e3_model::{Analysis, Document as _, SearchAnalysis, SearchEnd, from_json};
use serde_json::json;

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
    let mut problems = Vec::new();
    for round in 1..=options.rounds.max(1) {
        let found = one(&e3, folder.path(), round, options.seconds.max(SHORTEST_S))?;
        say(format!("round {round}: {}", found.sentence));
        let loads: Vec<String> = found
            .probes
            .iter()
            .map(|probe| format!("{:.1} {}", probe.load, probe.verdict.map_or("–", |verdict| verdict.name())))
            .collect();
        say(format!("         {} probes: {}", loads.len(), loads.join(", ")));
        problems.extend(fault(&found).map(|fault| format!("round {round}: {fault}")));
    }
    say(before.since());
    Ok(verdict("bench search", &problems, "within 10 % of the knee in at most 12 probes"))
}

/// Returns what is wrong with an answer, if anything is.
fn fault(found: &SearchAnalysis) -> Option<String> {
    let probes = found.probes.len();
    match (found.end, found.highest_held) {
        (SearchEnd::Found, Some(held)) if (held / KNEE_PER_S - 1.0).abs() > WITHIN => {
            Some(format!("{held:.1}/s was found, and the knee is at {KNEE_PER_S}/s"))
        }
        (SearchEnd::Found, Some(_)) if probes <= MOST_PROBES => None,
        (SearchEnd::Found, Some(_)) => Some(format!("{probes} probes are too many")),
        (end, _) => Some(format!("no answer: {end:?}")),
    }
}

/// Searches once.
fn one(e3: &Path, folder: &Path, round: usize, seconds: u64) -> Result<SearchAnalysis> {
    let home = folder.join(format!("round-{round}"));
    let write = |relative: &str, text: String| -> Result<()> {
        let path = home.join(relative);
        std::fs::create_dir_all(path.parent().unwrap_or(&home)).context("cannot make a home")?;
        std::fs::write(path, text).context("cannot write into the home")
    };
    let job =
        json!([{"script": "http.Request", "weight": 1, "arguments": {"path": "/rest/api/latest/projects"}}]);
    write("workloads/projects.json", job.to_string())?;
    write("experiments/knee.json", experiment(round, seconds).to_string())?;
    let output = Command::new(e3)
        .args(["orchestrate", "-e", "knee", "--quiet", "--home"])
        .arg(&home)
        .env("E3_CACHE", folder.join("cache"))
        .stdin(Stdio::null())
        .output()
        .context("cannot start e3")?;
    // A worker that was late in a probe far above the knee is told by the code, and judged by what was found.
    if !matches!(output.status.code(), Some(0 | 32)) {
        bail!("the search ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let mut runs = std::fs::read_dir(home.join("runs")).context("the home has no runs")?;
    let run = runs.next().context("the home has no run")?.context("the home cannot be read")?;
    let bytes = std::fs::read(run.path().join(Analysis::FILE)).context("the analysis cannot be read")?;
    let analysis: Analysis = from_json(&bytes).context("the analysis cannot be used")?;
    analysis.searches.into_iter().next().context("the analysis has no search")
}

fn experiment(round: usize, seconds: u64) -> serde_json::Value {
    let from = FIRST_PER_S.get(round % FIRST_PER_S.len()).copied().unwrap_or(5.0);
    json!({
        "format": "e3/experiment", "version": 1, "seed": round, "workload": "projects",
        "duration": format!("{seconds}s"), "warmUp": "1s", "opTimeout": "60s",
        "threads": [{
            "name": "four slots",
            "instance": {"provider": "local", "snapshot": "smoke"},
            "worker": {"provider": "local"},
            "stages": [{
                "rate": from * 24.0,
                "search": {"slo": ["p90(Request) < 400ms"], "from": from, "precision": 0.05},
                "faults": [{"route": "rest", "slots": 4, "latency": "100ms"}],
            }],
        }],
    })
}

/// Four slots over a tenth of a second.
const KNEE_PER_S: f64 = 40.0;
/// How far the answer may lie from it, as a share.
const WITHIN: f64 = 0.1;
const MOST_PROBES: usize = 12;
/// Above the knee a queue needs time to grow: 5 % above it answers take 400 ms after about 6 s.
const SHORTEST_S: u64 = 12;
/// Where the rounds begin, per second.
const FIRST_PER_S: [f64; 3] = [5.0, 6.1, 7.7];

#[cfg(test)]
mod tests {
    use e3_model::{StageId, StageRef, ThreadId};

    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_distance_its_probes_and_its_end() {
        let found = |end, highest_held| SearchAnalysis {
            stage: StageRef { thread: ThreadId(0), stage: StageId(0) },
            thread: String::new(),
            slo: Vec::new(),
            conditions: Vec::new(),
            is_open: true,
            highest_held,
            lowest_broken: None,
            end,
            sentence: String::new(),
            probes: Vec::new(),
        };
        for (held, is_right) in [(35.9, false), (36.1, true), (43.9, true), (44.1, false)] {
            assert_eq!(fault(&found(SearchEnd::Found, Some(held))).is_none(), is_right, "{held}");
        }
        assert!(fault(&found(SearchEnd::ProbesUsedUp, Some(40.0))).is_some());
        assert!(fault(&found(SearchEnd::HeldNowhere, None)).is_some());
    }
}
