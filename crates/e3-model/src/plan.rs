//! The plan: an experiment with every choice made.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Arguments, ArrivalPlan, ClientId, Distribution, Document, Fault, Generate, GitClient, Header, JobId, Mix,
    OpDescriptor, Order, ProviderName, Reset, SearchPlan, Seed, Span, StageRef, ThreadId, Threshold,
    Transport, WorkerId,
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
    /// Its lines of `bitbucket.properties`, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
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
    /// When iterations start, in the open model; none in the closed one, where each client starts its next when its last
    /// has ended and been thought about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalPlan>,
    /// How clients talk to the system under test.
    #[serde(default)]
    pub transport: Transport,
    /// How the system under test is disturbed meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The search for which this is the pattern of every probe; none for a stage that is run as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchPlan>,
    /// Every client; `clients[i].client` is i. In the open model they are those that may be busy at a time.
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
    /// What the script is told; files that the author named are here with their content.
    #[serde(default, skip_serializing_if = "Arguments::is_empty")]
    pub arguments: Arguments,
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

impl StagePlan {
    /// Returns how many ops a worker may begin; none when only time ends the stage.
    ///
    /// The stage's count is dealt to the workers in proportion to their clients, by the largest remainder, the first of
    /// equal ones first: the shares add up to the count, whatever the number of workers and clients. In the open model it
    /// is dealt as arrivals are, in turns.
    pub fn operations_of(&self, worker: WorkerId) -> Option<u64> {
        if self.arrivals.is_some() {
            let (turn, workers) = self.turn_of(worker)?;
            let earlier = u64::from(workers - 1 - turn);
            return Some(self.operations?.saturating_add(earlier) / u64::from(workers));
        }
        let operations = u128::from(self.operations?);
        let mut clients: BTreeMap<WorkerId, u128> = BTreeMap::new();
        for client in &self.clients {
            *clients.entry(client.worker).or_default() += 1;
        }
        let all: u128 = clients.values().sum();
        let own = operations * clients.get(&worker)?;
        let given: u128 = clients.values().map(|clients| operations * clients / all).sum();
        let remainder = |clients: u128| operations * clients % all;
        let mut by_remainder: Vec<(WorkerId, u128)> =
            clients.iter().map(|(worker, clients)| (*worker, remainder(*clients))).collect();
        by_remainder.sort_by(|(_, left), (_, right)| right.cmp(left));
        let place = by_remainder.iter().position(|(other, _)| *other == worker)?;
        let gets_one_more = u128::try_from(place).is_ok_and(|place| place < operations - given);
        u64::try_from(own / all + u128::from(gets_one_more)).ok()
    }
}

impl StagePlan {
    /// Returns which of the stage's workers one is, from 0, and how many there are; none when it has no client.
    pub fn turn_of(&self, worker: WorkerId) -> Option<(u32, u32)> {
        let workers: BTreeSet<WorkerId> = self.clients.iter().map(|client| client.worker).collect();
        let turn = workers.iter().position(|other| *other == worker)?;
        Some((u32::try_from(turn).ok()?, u32::try_from(workers.len()).ok()?))
    }
}

impl Plan {
    /// Returns a stage and its thread.
    pub fn stage(&self, stage: StageRef) -> Option<(&ThreadPlan, &StagePlan)> {
        let thread = self.threads.get(stage.thread.index())?;
        Some((thread, thread.stages.get(stage.stage.index())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(operations: u64, clients_of_workers: &[u32]) -> StagePlan {
        let workers = (0..).zip(clients_of_workers);
        let clients = workers.flat_map(|(worker, count)| (0..*count).map(move |_| WorkerId(worker)));
        let clients = (0..).zip(clients).map(|(client, worker)| ClientPlan {
            client: ClientId(client),
            worker,
            job: None,
            seed: Seed(1),
            start_offset: Span::ZERO,
        });
        StagePlan {
            duration: Span::from_secs(1),
            operations: Some(operations),
            warm_up: Span::ZERO,
            grace: Span::ZERO,
            think_time: Distribution::NONE,
            mix: Mix::Ops,
            workload: String::new(),
            jobs: Vec::new(),
            arrivals: None,
            transport: Transport::default(),
            clients: clients.collect(),
            faults: Vec::new(),
            search: None,
        }
    }

    #[test]
    fn the_count_is_dealt_by_the_largest_remainder() {
        for (operations, clients, expected, why) in [
            (10, &[3_u32, 2] as &[u32], &[Some(6_u64), Some(4)] as &[Option<u64>], "exact shares"),
            (10, &[1, 1, 1], &[Some(4), Some(3), Some(3)], "of equal remainders the first"),
            (2, &[1, 4], &[Some(0), Some(2)], "0.4 and 1.6"),
            (1, &[1, 1], &[Some(1), Some(0)], "fewer than workers"),
            (7, &[3, 0, 1], &[Some(5), None, Some(2)], "a worker without clients begins nothing"),
            (u64::MAX, &[1, 1], &[Some(1 << 63), Some((1 << 63) - 1)], "no count is too large"),
        ] {
            let stage = stage(operations, clients);
            let shares: Vec<_> =
                (0..).zip(clients).map(|(worker, _)| stage.operations_of(WorkerId(worker))).collect();
            assert_eq!(shares, expected, "{why}");
        }
        let by_time = StagePlan { operations: None, ..stage(1, &[1]) };
        assert_eq!(by_time.operations_of(WorkerId(0)), None);
    }

    #[test]
    fn the_open_model_deals_in_turns() {
        let arrivals = ArrivalPlan {
            arrival: crate::Arrival::Constant,
            from: 1.0,
            to: 1.0,
            ramp: Span::ZERO,
            seed: Seed(1),
        };
        for (operations, expected) in [(10, [4, 3, 3]), (11, [4, 4, 3]), (12, [4, 4, 4]), (1, [1, 0, 0])] {
            let stage = StagePlan { arrivals: Some(arrivals.clone()), ..stage(operations, &[9, 1, 1]) };
            let shares = [0, 1, 2].map(|worker| stage.operations_of(WorkerId(worker)).unwrap());
            assert_eq!(shares, expected, "{operations}");
        }
    }

    #[test]
    fn the_shares_add_up() {
        for operations in [1, 2, 99, 1_000, 123_457] {
            for clients in [&[1_u32, 2, 3, 4] as &[u32], &[50], &[7, 7, 7], &[1, 49], &[13, 11, 2, 2, 2]] {
                let stage = stage(operations, clients);
                let shares =
                    (0..).zip(clients).filter_map(|(worker, _)| stage.operations_of(WorkerId(worker)));
                assert_eq!(shares.sum::<u64>(), operations, "{clients:?}");
            }
        }
    }
}
