//! The experiment: all scripts alike often, on the library's largest dataset; and what its analysis must say.

use std::path::Path;

use anyhow::{Context as _, Result};
use e3_model::{Analysis, ScriptDescriptor, Stamp};
use serde_json::{Value, json};

/// The name of the experiment and of its workload.
pub(super) const NAME: &str = "soak";

/// How much load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) clients: u32,
    pub(super) seconds: u64,
}

/// Writes experiment and workload into a home.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(home: &Path, scripts: &[ScriptDescriptor], load: &Load) -> Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "some dozens of scripts")]
    let weight = 1.0 / scripts.len() as f64;
    let jobs: Vec<Value> = scripts
        .iter()
        .map(|script| json!({"script": script.name, "weight": weight, "arguments": arguments(&script.name)}))
        .collect();
    let experiment = json!({
        "format": "e3/experiment",
        "version": 1,
        "name": NAME,
        "seed": 1,
        "mix": "ops",
        "duration": format!("{}s", load.seconds),
        "warmUp": "0ms",
        "workload": NAME,
        "threads": [{
            "name": "1 node",
            "instance": {"provider": "local", "nodes": 1, "snapshot": "quickstart"},
            "worker": {"provider": "local"},
            // The second one shows what is left of the first.
            "stages": [{"clients": load.clients}, {"clients": 1, "duration": format!("{AFTERWARDS_SECONDS}s")}],
        }],
    });
    for (folder, document) in [("experiments", experiment), ("workloads", Value::Array(jobs))] {
        let folder = home.join(folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = folder.join(format!("{NAME}.json"));
        std::fs::write(&file, document.to_string())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Returns what a script is told; most are told nothing.
fn arguments(script: &str) -> Value {
    match script {
        "http.Request" => json!({"path": "/status"}),
        // Its step has the name under which the list of scripts has every step.
        "http.Sequence" => json!({"steps": [{"name": "STEP", "path": "/status"}]}),
        _ => json!({}),
    }
}

/// Says which stages cannot be believed, which ops failed, and which have no sample.
pub(super) fn problems(analysis: &Analysis, scripts: &[ScriptDescriptor]) -> Vec<String> {
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    let ops: Vec<_> = stages.flat_map(|stage| &stage.ops).collect();
    let mut problems = beyond_belief(analysis);
    for op in &ops {
        for (outcome, count) in &op.errors {
            problems.push(format!("{} {} failed {count} times: {outcome}", op.script, op.op));
        }
    }
    for script in scripts {
        for op in script.ops.iter().filter(|op| !ONLY_AFTER_A_REFUSAL.contains(&op.name.as_str())) {
            let ok: u64 = ops
                .iter()
                .filter(|found| (&found.script, &found.op) == (&script.name, &op.name))
                .map(|op| op.ok)
                .sum();
            if ok == 0 {
                problems.push(format!("{} {} has no sample", script.name, op.name));
            }
        }
    }
    problems
}

/// Says which stages' numbers are wrong for another reason than a busy worker, which is no failure here.
fn beyond_belief(analysis: &Analysis) -> Vec<String> {
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages).enumerate();
    let problem = |number: usize, stamp: &Stamp| match stamp {
        Stamp::CoLocated | Stamp::ClientBound | Stamp::ConcurrencyBound => None,
        Stamp::Incomplete => Some(format!("stage {number} did not run for its whole time")),
        Stamp::SamplesLost => Some(format!("stage {number} lost samples")),
    };
    stages
        .flat_map(|(number, stage)| stage.stamps.iter().filter_map(move |stamp| problem(number, stamp)))
        .collect()
}

/// How long the stage with one client lasts that comes after the load.
const AFTERWARDS_SECONDS: u64 = 6;
/// What is not done where nothing is refused.
const ONLY_AFTER_A_REFUSAL: [&str; 1] = ["Decline"];
