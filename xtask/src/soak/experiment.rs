//! The experiment: all scripts alike often, on the library's largest dataset; and what its analysis must say.

use std::path::Path;

use anyhow::{Context as _, Result};
use e3_model::{Analysis, ScriptDescriptor};
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
    let jobs: Vec<Value> =
        scripts.iter().map(|script| json!({"script": script.name, "weight": weight})).collect();
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
            "stages": [{"clients": load.clients}],
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

/// Says which ops failed, and which have no sample.
pub(super) fn problems(analysis: &Analysis, scripts: &[ScriptDescriptor]) -> Vec<String> {
    let stages = analysis.threads.iter().flat_map(|thread| &thread.stages);
    let ops: Vec<_> = stages.flat_map(|stage| &stage.ops).collect();
    let mut problems = Vec::new();
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

/// What is not done where nothing is refused.
const ONLY_AFTER_A_REFUSAL: [&str; 1] = ["Decline"];
