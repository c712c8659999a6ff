//! The experiment: all scripts alike often, or a workload of the library; and what its analysis must say.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use e3_home::Home;
use e3_model::{Analysis, Kind, ScriptDescriptor, Stamp, Workload};
use serde_json::{Value, json};

/// The name of the experiment, and of its workload where that has all scripts.
pub(super) const NAME: &str = "soak";

/// How much load.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) clients: u32,
    pub(super) seconds: u64,
    /// A workload of the library; none for all scripts.
    pub(super) workload: Option<String>,
}

/// Returns those of all scripts that a workload runs.
///
/// # Errors
/// When there is no such workload, or it names a script that there is not.
pub(super) fn of_workload(
    home: &Home,
    name: &str,
    scripts: &[ScriptDescriptor],
) -> Result<Vec<ScriptDescriptor>> {
    let text = home.find(Kind::Workload, name)?.text;
    let workload: Workload =
        serde_json::from_str(&text).with_context(|| format!("the workload {name} is none"))?;
    let find = |job: &e3_model::Job| scripts.iter().find(|script| script.name == job.script_name()).cloned();
    let found: Option<Vec<_>> = workload.0.iter().map(find).collect();
    match found {
        Some(found) if !found.is_empty() => Ok(found),
        _ => bail!("the workload {name} has scripts that e3 does not have"),
    }
}

/// Writes the experiment into a home, and its workload where that is not the library's.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(home: &Path, scripts: &[ScriptDescriptor], load: &Load) -> Result<()> {
    let workload = load.workload.as_deref();
    let mut documents = vec![("experiments", experiment(load))];
    if workload.is_none() {
        documents.push(("workloads", Value::Array(jobs(scripts))));
    }
    for (folder, document) in documents {
        let folder = home.join(folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let file = folder.join(format!("{NAME}.json"));
        std::fs::write(&file, document.to_string())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn experiment(load: &Load) -> Value {
    let (mix, snapshot) =
        if load.workload.is_some() { ("clients", "e3-small") } else { ("ops", "quickstart") };
    json!({
        "format": "e3/experiment",
        "version": 1,
        "name": NAME,
        "seed": 1,
        "mix": mix,
        "duration": format!("{}s", load.seconds),
        "warmUp": "0ms",
        "workload": load.workload.as_deref().unwrap_or(NAME),
        "threads": [{
            "name": "1 node",
            "instance": {"provider": "local", "nodes": 1, "snapshot": snapshot},
            "worker": {"provider": "local"},
            // The second one shows what is left of the first.
            "stages": [
                {"clients": load.clients},
                {"clients": 1, "mix": "ops", "duration": format!("{AFTERWARDS_SECONDS}s")}
            ],
        }],
    })
}

/// Returns a job per script, all of the same weight.
fn jobs(scripts: &[ScriptDescriptor]) -> Vec<Value> {
    #[expect(clippy::cast_precision_loss, reason = "some dozens of scripts")]
    let weight = 1.0 / scripts.len() as f64;
    let job = |script: &ScriptDescriptor| json!({"script": script.name, "weight": weight, "arguments": arguments(&script.name)});
    scripts.iter().map(job).collect()
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
        for op in script.ops.iter().filter(|op| !NOT_ALWAYS.contains(&op.name.as_str())) {
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
        Stamp::Disturbed => Some(format!("stage {number} was disturbed, which nobody asked for")),
    };
    stages
        .flat_map(|(number, stage)| stage.stamps.iter().filter_map(move |stamp| problem(number, stamp)))
        .collect()
}

/// How long the stage with one client lasts that comes after the load.
const AFTERWARDS_SECONDS: u64 = 6;
/// What is done only where a merge is refused, and what only a product since 9.0 is asked for.
const NOT_ALWAYS: [&str; 2] = ["Decline", "DefaultBranchCommit"];

#[cfg(test)]
mod tests {
    use e3_model::Protocol;

    use super::*;

    #[test]
    fn a_workload_brings_its_scripts_and_an_unknown_one_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let home = Home::at(home.path());
        let script = |name: &str| ScriptDescriptor::new(name, "Does it.", Protocol::Http, &[("op", "All.")]);
        let scripts = [script("web.Status"), script("web.PullRequestWorkflow")];
        let found = of_workload(&home, "pull-request", &scripts).unwrap();
        assert_eq!(found.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["web.PullRequestWorkflow"]);
        assert!(of_workload(&home, "pull-request", &scripts[..1]).is_err(), "its script is not there");
        assert!(of_workload(&home, "nowhere", &scripts).is_err());
    }

    #[test]
    fn what_is_written_is_of_the_librarys_workload_or_of_all_scripts() {
        let home = tempfile::tempdir().unwrap();
        let load =
            |workload: Option<&str>| Load { clients: 40, seconds: 60, workload: workload.map(str::to_owned) };
        write(home.path(), &[], &load(Some("mixed"))).unwrap();
        assert!(!home.path().join("workloads").exists(), "the library's own is used");
        let text = std::fs::read_to_string(home.path().join("experiments/soak.json")).unwrap();
        let experiment: e3_model::Experiment = serde_json::from_str(&text).unwrap();
        assert_eq!(experiment.load.workload.as_deref(), Some("mixed"));
        assert_eq!(experiment.threads[0].stages[0].clients, Some(40));
        write(home.path(), &[], &load(None)).unwrap();
        assert!(home.path().join("workloads/soak.json").exists());
    }
}
