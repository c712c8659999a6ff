//! The plan: an experiment with every choice made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ClientId, Distribution, Document, Generate, GitClient, Header, JobId, Mix, OpDescriptor, Order,
    ProviderName, Reset, Seed, Span, StageRef, ThreadId, Threshold, WorkerId,
};

/// The plan: specific enough that execution has nothing left to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Format, version, parent.
    #[serde(flatten)]
    pub header: Header,
    /// The experiment's name.
    pub experiment: String,
    /// What is being found out, in a sentence.
    pub description: Option<String>,
    /// The seed from which every other seed is forked.
    pub seed: Seed,
    /// How the threads' stages are ordered.
    pub order: Order,
    /// Which Git client the scm scripts use.
    pub git_client: GitClient,
    /// What is done to a system under test before each of its stages but the first.
    pub reset: Reset,
    /// The thread that the others are compared with.
    pub baseline: ThreadId,
    /// The conditions that decide the exit code, as they were written.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Which metrics are gathered, and how often.
    #[serde(default)]
    pub collect: CollectPlan,
    /// The arms.
    pub threads: Vec<ThreadPlan>,
    /// The stages in the order in which they run.
    pub rounds: Vec<Round>,
}

/// Which metrics are gathered while stages run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CollectPlan {
    /// How often they are read.
    pub interval: Span,
    /// The sources by name, such as `proc` and `prometheus`; none gathers nothing.
    pub sources: Vec<String>,
}

impl CollectPlan {
    /// The sources that there are.
    pub const SOURCES: [&'static str; 2] = ["proc", "prometheus"];
}

impl Default for CollectPlan {
    /// Returns every source, once a second.
    fn default() -> Self {
        Self { interval: Span::from_secs(1), sources: Self::SOURCES.map(str::to_owned).to_vec() }
    }
}

/// Stages that run at the same time; a round begins when the one before it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    /// The stages, at most one per thread.
    pub stages: Vec<StageRef>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadPlan {
    /// The name that charts show; unique in the plan.
    pub name: String,
    /// The system under test.
    pub instance: InstancePlan,
    /// The workers, in order of their identifiers.
    pub workers: Vec<WorkerPlan>,
    /// Whether a worker shares its machine with the system under test.
    pub co_located: bool,
    /// The stages, in order.
    pub stages: Vec<StagePlan>,
}

/// The system under test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstancePlan {
    /// Who sets it up.
    pub provider: ProviderName,
    /// How many nodes serve it.
    pub nodes: u32,
    /// The dataset it gets.
    pub dataset: PlannedDataset,
}

/// The dataset that an instance gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedDataset {
    /// The snapshot's name.
    pub snapshot: String,
    /// How E3 makes it; none for a dataset that is there already.
    pub generate: Option<Generate>,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerPlan {
    /// Its identifier within the thread.
    pub worker: WorkerId,
    /// Who sets it up.
    pub provider: ProviderName,
}

/// One stage, with every client in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StagePlan {
    /// How long the load is held, warm-up included.
    pub duration: Span,
    /// After how many ops the stage ends, if that is before its duration; none when only time ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<u64>,
    /// How much of the beginning is left out of the results.
    pub warm_up: Span,
    /// How long operations that are under way at the end may take to finish.
    pub grace: Span,
    /// How long a client waits between two iterations.
    pub think_time: Distribution,
    /// What a job's weight is a share of.
    pub mix: Mix,
    /// The workload's name.
    pub workload: String,
    /// Its jobs with a weight above 0.
    pub jobs: Vec<JobPlan>,
    /// Every client; `clients[i].client` is i.
    pub clients: Vec<ClientPlan>,
}

/// A job of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobPlan {
    /// The script's name.
    pub script: String,
    /// The ops it records; a sample's op is an index into this list.
    pub ops: Vec<OpDescriptor>,
    /// The job's share.
    pub weight: f64,
    /// A factor on its throughput in the throughput chart only.
    pub scale: f64,
    /// How many clients keep this job for the stage; 0 when clients draw their jobs.
    pub clients: u32,
}

/// A client of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientPlan {
    /// Its identifier within the stage.
    pub client: ClientId,
    /// The worker that runs it.
    pub worker: WorkerId,
    /// The job it keeps; none when it draws its jobs by weight.
    pub job: Option<JobId>,
    /// The seed of its draws.
    pub seed: Seed,
    /// When it starts, from the stage's start.
    pub start_offset: Span,
}

impl Document for Plan {
    const FORMAT: &'static str = "e3/plan";
    const VERSION: u32 = 1;
    const FILE: &'static str = "plan.json";

    fn header(&self) -> &Header {
        &self.header
    }
}

impl Plan {
    /// Returns a stage and its thread.
    pub fn stage(&self, stage: StageRef) -> Option<(&ThreadPlan, &StagePlan)> {
        let thread = self.threads.get(stage.thread.index())?;
        Some((thread, thread.stages.get(stage.stage.index())?))
    }
}
