//! One stage from the command line, without a file: planned and checked as an experiment's are.

use e3_model::{
    ArgumentFault, Arguments, Experiment, ExperimentStage, ExperimentThread, GitClient, InstanceSpec, Kind,
    OpDescriptor, ProviderName, ScriptDescriptor, Seed, WorkerSpec,
};
use serde_json::json;

use crate::context::{Context, EXPERIMENT};
use crate::document::Document;
use crate::library::Library;
use crate::plan::Planned;
use crate::report::{Place, Report};
use crate::{build, check};

/// One script's load on a system that is there already.
#[derive(Debug, Clone, PartialEq)]
pub struct OneStage {
    /// The experiment's name, from which the run has its own.
    pub name: String,
    /// What is done, in a sentence.
    pub description: String,
    /// The system's name, as reports show it.
    pub system: String,
    /// Whether the worker shares its machine with the system.
    pub co_located: bool,
    /// The script's name.
    pub script: String,
    /// What the script is told; files are still named by their paths.
    pub arguments: Arguments,
    /// The load, as an experiment's stage has it; its workload is the script alone.
    pub stage: ExperimentStage,
    /// Which Git client the scm scripts use.
    pub git_client: GitClient,
    /// Conditions that decide the exit code.
    pub thresholds: Vec<String>,
    /// The seed of every draw.
    pub seed: Seed,
}

/// Returns the plan of one stage, or all that is wrong with it.
///
/// Findings have a line and a column only in files that arguments name.
pub fn one_stage(stage: &OneStage, library: &dyn Library) -> Planned {
    let experiment = experiment(stage);
    let workload = json!([{"script": stage.script, "weight": 1, "arguments": stage.arguments}]);
    let library = Flags { library, workload: workload.to_string() };
    let mut report = Report::default();
    let mut documents = vec![Document::none(COMMAND_LINE)];
    let context = Context::of(&experiment, &library, &mut documents, &mut report);
    check::of_flags(&context, &mut report);
    let mut plan = if report.has_errors() { None } else { build::plan(&stage.name, &context) };
    if plan.is_none() && !report.has_errors() {
        report.form("no-plan", Place::value(EXPERIMENT, ""), "no plan can be made of these flags");
    }
    for thread in plan.iter_mut().flat_map(|plan| &mut plan.threads) {
        thread.co_located = stage.co_located;
    }
    let mut findings = report.finish(&documents);
    for finding in &mut findings.0 {
        finding.location.take_if(|location| location.file == COMMAND_LINE);
    }
    Planned { findings, plan }
}

fn experiment(stage: &OneStage) -> Experiment {
    let mut spec = stage.stage.clone();
    spec.load.workload = Some(STAND_IN.to_owned());
    let thread = ExperimentThread {
        name: Some(stage.system.clone()),
        instance: InstanceSpec {
            provider: Some(ProviderName::Existing),
            snapshot: Some(STAND_IN.to_owned()),
            ..InstanceSpec::default()
        },
        worker: WorkerSpec { provider: Some(ProviderName::Local), ..WorkerSpec::default() },
        stages: vec![spec],
    };
    Experiment {
        description: Some(stage.description.clone()),
        threads: vec![thread],
        seed: Some(stage.seed),
        git_client: Some(stage.git_client),
        thresholds: stage.thresholds.clone(),
        ..Experiment::default()
    }
}

/// A library whose only workload and snapshot are what the flags say.
struct Flags<'a> {
    library: &'a dyn Library,
    workload: String,
}

impl Library for Flags<'_> {
    fn workload(&self, _: &str) -> Option<(String, String)> {
        Some((COMMAND_LINE.to_owned(), self.workload.clone()))
    }

    fn snapshot(&self, _: &str) -> Option<(String, String)> {
        Some((COMMAND_LINE.to_owned(), "{}".to_owned()))
    }

    fn instance(&self, _: &str) -> Option<(String, String)> {
        None
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        self.library.names(kind)
    }

    fn scripts(&self) -> &[ScriptDescriptor] {
        self.library.scripts()
    }

    fn ops(
        &self,
        script: &ScriptDescriptor,
        arguments: &Arguments,
    ) -> Result<Vec<OpDescriptor>, Vec<ArgumentFault>> {
        self.library.ops(script, arguments)
    }

    fn file(&self, _: &str, path: &str) -> Result<(String, String), String> {
        self.library.file("", path)
    }
}

/// What stands for a file in findings; taken out again before anybody sees it.
const COMMAND_LINE: &str = "the command line";
/// The name of the workload and of the snapshot.
const STAND_IN: &str = "load";
