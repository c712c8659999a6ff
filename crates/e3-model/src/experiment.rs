//! The experiment as its author writes it: a file of the first E3 loads unchanged; camelCase keys are additions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Arrival, Connections, Distribution, Fault, HttpVersion, Rate, Seed, Span, Verify};

/// An experiment: threads that are compared with each other, and the load that each gets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct Experiment {
    /// `e3/experiment`; may be left out.
    #[schemars(pattern("^e3/experiment$"))]
    pub format: Option<String>,
    /// The format's version; may be left out.
    #[schemars(range(min = 1, max = 1))]
    pub version: Option<u32>,
    /// A name for people; the file's stem is what commands use.
    pub name: Option<String>,
    /// What is being found out, in a sentence; the report opens with it.
    pub description: Option<String>,
    /// The independent arms of the experiment.
    #[schemars(length(min = 1, max = 100))]
    pub threads: Vec<ExperimentThread>,
    /// What every stage inherits unless it sets its own.
    #[serde(flatten)]
    pub load: Load,
    /// The seed of every draw; the default is 1.
    pub seed: Option<Seed>,
    /// How the threads' stages are ordered in time.
    pub order: Option<Order>,
    /// Which Git client the scm scripts use; the default is `native`.
    pub git_client: Option<GitClient>,
    /// What is done to the system under test between stages; the default is `none`.
    pub reset: Option<Reset>,
    /// Which metrics are gathered, and how often.
    pub collect: Option<Collect>,
    /// Conditions that decide the exit code, such as `p99(GitCloneOverSsh) < 2s`.
    pub thresholds: Vec<String>,
    /// The thread that others are compared with; the default is the first.
    pub compare: Option<String>,
}

/// What a stage does: set at the stage, or at the top of the experiment for every stage that sets nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Load {
    /// How long a stage holds its load, warm-up included.
    pub duration: Option<Span>,
    /// The workload's name.
    pub workload: Option<String>,
    /// How long clients take to start, evenly spread, or how long an open load takes to reach its rate; the default is none.
    pub ramp_up: Option<Span>,
    /// How much of the stage's beginning is left out of the results; the default is none.
    pub warm_up: Option<Span>,
    /// How long a client waits between two iterations; the default is none.
    pub think_time: Option<Distribution>,
    /// What a job's weight is a share of; the default is `clients`, and in the open model `ops`.
    pub mix: Option<Mix>,
    /// How long one op may take before it is recorded as timed out; the default is five minutes.
    pub op_timeout: Option<Span>,
    /// How long a client's connections live, `keepAlive` or `perOp`; by default web and HTTP clients keep theirs, and Git
    /// clients open one for every op, as `git` does.
    pub connections: Option<Connections>,
    /// The version of HTTP, `1.1` or `2`; the default is `1.1`.
    pub http: Option<HttpVersion>,
    /// Which packs have their checksum verified, `always` or `sampled` (one in 16); the default is `always`.
    pub verify: Option<Verify>,
}

/// One arm: a system under test, the workers that load it, and the stages it goes through.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ExperimentThread {
    /// The thread's name, as charts show it.
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<String>,
    /// The system under test.
    pub instance: InstanceSpec,
    /// The machines that run the clients.
    pub worker: WorkerSpec,
    /// The load levels, one after another.
    #[schemars(length(min = 1, max = 1000))]
    pub stages: Vec<ExperimentStage>,
}

/// A load level held for a time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(deny_unknown_fields)]
pub struct ExperimentStage {
    /// Clients of the closed model: each starts its next op when the last has ended.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub clients: Option<u32>,
    /// Iterations that the open model starts per second, over all workers: a number, or a ramp such as
    /// `{"from": 10, "to": 200}`.
    pub rate: Option<Rate>,
    /// The most clients that an open stage may have at a time; what is due when all are busy starts late, and counts from
    /// when it was due. The default is ten seconds' worth of the highest rate, at least 16 and at most 4096.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_clients: Option<u32>,
    /// Ends the stage after so many ops, over all clients and warm-up included, if that is before its duration.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub operations: Option<u64>,
    /// How the starts of the open model are spaced; the default is `constant`.
    pub arrival: Option<Arrival>,
    /// Finds the highest load that meets a condition, up to the stage's own.
    pub search: Option<Search>,
    /// How often the stage is repeated; the default is 1.
    #[schemars(range(min = 1, max = 1000))]
    pub repeat: Option<u32>,
    /// How a githost is disturbed while the stage runs, for a rehearsal; the default is not at all.
    pub faults: Vec<Fault>,
    /// The stage's own load settings.
    #[serde(flatten)]
    pub load: Load,
}

/// The system under test.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct InstanceSpec {
    /// A name for people.
    pub name: Option<String>,
    /// The product's version.
    pub version: Option<serde_json::Value>,
    /// The snapshot that describes the dataset.
    pub snapshot: Option<String>,
    /// The CloudFormation template, as in the first E3.
    pub template: Option<String>,
    /// Lines for `bitbucket.properties`.
    pub properties: Vec<String>,
    /// CloudFormation parameters.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Machines that one already has: the name of an instance file.
    pub stack: Option<Stack>,
    /// Who sets the system up; the default follows from `stack` (ssh) or `template` (aws).
    pub provider: Option<ProviderName>,
    /// How many nodes serve the system; the default is 1.
    #[schemars(range(min = 1, max = 64))]
    pub nodes: Option<u32>,
    /// How many mirrors follow it; the default is none.
    #[schemars(range(min = 0, max = 64))]
    pub mirrors: Option<u32>,
    /// Where githost keeps its metadata: `sqlite` or `postgresql`.
    #[schemars(pattern("^(sqlite|postgresql)$"))]
    pub database: Option<String>,
    /// How long the machines may live without being renewed.
    pub lease: Option<Span>,
    /// The most that may be spent, in US dollars.
    #[schemars(range(min = 0.0))]
    pub budget: Option<f64>,
}

/// The machines that run the clients.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct WorkerSpec {
    /// A name for people.
    pub name: Option<String>,
    /// The CloudFormation template, as in the first E3.
    pub template: Option<String>,
    /// CloudFormation parameters; `ClusterSize` is the number of workers.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Machines that one already has: the name of an instance file.
    pub stack: Option<Stack>,
    /// Who sets the workers up; the default follows from `stack` (ssh) or `template` (aws).
    pub provider: Option<ProviderName>,
    /// How many workers there are; the default is 1.
    #[schemars(range(min = 1, max = 1000))]
    pub nodes: Option<u32>,
    /// How long the machines may live without being renewed.
    pub lease: Option<Span>,
    /// The most that may be spent, in US dollars.
    #[schemars(range(min = 0.0))]
    pub budget: Option<f64>,
}

/// A search for the highest load that the system bears.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// The conditions that must hold, such as `p99(GitCloneOverHttp) < 2s`.
    #[schemars(length(min = 1))]
    pub slo: Vec<String>,
    /// The load that is probed first, in the unit of the stage's own; the default is a sixteenth of that, at least 1.
    #[schemars(range(min = 0.0))]
    pub from: Option<f64>,
    /// How close the answer shall be, as a share of it; the default is 0.1.
    #[schemars(range(min = 0.001, max = 1.0))]
    pub precision: Option<f64>,
    /// The most probes, repeats included; the default is 12.
    #[schemars(range(min = 2, max = 100))]
    pub probes: Option<u32>,
    /// How many probes of the answer must agree; the default is 2.
    #[schemars(range(min = 1, max = 10))]
    pub repeats: Option<u32>,
}

/// A reference to machines that one already has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Stack {
    /// The instance file's name.
    #[serde(rename = "Name")]
    pub name: Option<String>,
    /// What the first E3's run files add.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

/// Which metrics are gathered, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Collect {
    /// The interval; the default is one second.
    pub interval: Option<Span>,
    /// The sources, `proc` and `prometheus`; the default is all of them, and an empty list gathers nothing.
    pub sources: Option<Vec<String>>,
}

/// Who sets machines up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderName {
    /// githost on this machine.
    Local,
    /// Machines one already has.
    Ssh,
    /// Amazon Web Services.
    Aws,
    /// Nobody: a system that is there already, which E3 neither sets up nor removes.
    Existing,
}

/// How the threads' stages are ordered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// All threads at once, each on machines of its own.
    Parallel,
    /// Stage by stage, the first thread first in even stages and last in odd ones (ABBA); the idle systems get no load.
    Interleaved,
}

/// What a job's weight is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mix {
    /// Of the clients: a client keeps its job for the stage, as in the first E3.
    Clients,
    /// Of the iterations: every client draws its next job by weight.
    Ops,
}

/// Which Git client the scm scripts use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GitClient {
    /// The client in E3's own process: no fork, no disk.
    Native,
    /// The real `git`.
    Git,
}

/// What is done to the system under test between stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// Nothing.
    None,
    /// The product is restarted.
    Restart,
    /// The dataset is put back as it was loaded.
    Restore,
}

impl std::fmt::Display for ProviderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Ssh => "ssh",
            Self::Aws => "aws",
            Self::Existing => "existing",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_of_the_first_e3_loads() {
        let text = r#"{
            "duration": 300000, "workload": "mixed",
            "threads": [{
                "name": "two nodes",
                "instance": {
                    "name": "i", "version": "4.11.0", "snapshot": "e3-small", "template": "BitbucketDataCenter",
                    "properties": ["throttle.resource.scm-hosting.strategy=adaptive"],
                    "parameters": {"ClusterNodeMin": "2", "HomeIops": "5000"}
                },
                "worker": {"name": "w", "template": "WorkerCluster", "parameters": {"ClusterSize": "2"}},
                "stages": [{"clients": 40}, {"clients": 80, "duration": 600000, "workload": "build-load"}]
            }]
        }"#;
        let experiment: Experiment = serde_json::from_str(text).unwrap();
        assert_eq!(experiment.load.duration, Some(Span::from_secs(300)));
        let stages = &experiment.threads[0].stages;
        assert_eq!(stages[1].load.workload.as_deref(), Some("build-load"));
        assert_eq!(stages[0].load.duration, None);
    }

    #[test]
    fn the_schema_knows_every_key_and_refuses_others() {
        let schema = crate::schema_of::<Experiment>();
        let refuses = |schema: &serde_json::Value| {
            schema.get("additionalProperties") == Some(&serde_json::Value::Bool(false))
                || schema.get("unevaluatedProperties") == Some(&serde_json::Value::Bool(false))
        };
        assert!(refuses(&schema), "{schema:#}");
        let stage = &schema["$defs"]["ExperimentStage"];
        assert!(refuses(stage), "{stage:#}");
        for key in ["clients", "duration", "warmUp", "thinkTime", "mix", "workload", "repeat"] {
            assert!(stage["properties"].get(key).is_some(), "{key} in {stage:#}");
        }
    }
}
