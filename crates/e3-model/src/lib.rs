//! The words of E3: documents, identifiers, units and findings.
//!
//! Every phase of an experiment reads one of these documents and writes the next
//! (experiment → plan → topology → run → results → analysis). This crate holds values only:
//! no clock, no file, no network, no rule about what makes a good experiment.

mod analysis;
mod arrival;
mod cause;
mod client_bound;
mod comparison;
mod distribution;
mod document;
mod experiment;
mod fault;
mod finding;
mod id;
mod instance;
mod kind;
mod load_level;
mod metric;
mod plan;
mod process;
mod product;
mod properties;
pub mod quantity;
mod results;
mod run;
mod run_comparison;
mod sample;
mod schemas;
mod script;
mod search;
mod secret;
mod snapshot;
mod span;
mod teardown;
mod threshold;
mod topology;
mod transport;
mod workload;

pub use analysis::{
    Analysis, Bound, BoundedLatency, Bucket, Confidence, Headline, JobShare, Latency, LatencyIntervals,
    OpStatistics, StageAnalysis, Stamp, ThreadAnalysis, TimelinePoint,
};
pub use arrival::{Arrival, ArrivalPlan, Rate, RateRamp};
pub use cause::with_causes;
pub use comparison::{Answer, Comparison, Measure, Verdict};
pub use distribution::{Distribution, Shape};
pub use document::{Document, DocumentError, Header, Parent, from_json, schema_of, sha256_hex, to_json};
pub use experiment::{
    Collect, Experiment, ExperimentStage, ExperimentThread, GitClient, InstanceSpec, Load, Mix, Order,
    ProviderName, Reset, Search, Stack, WorkerSpec,
};
pub use fault::{Fault, FaultProblem, FaultRoute, Stall};
pub use finding::{Finding, Findings, Location, Severity};
pub use id::{ClientId, JobId, OpId, RunName, Seed, StageId, StageRef, ThreadId, WorkerId};
pub use instance::{Instance, RunConfig};
pub use kind::Kind;
pub use load_level::{LoadLevel, OfferedRate};
pub use metric::{MetricSeries, Reading};
pub use plan::{
    ClientPlan, CollectPlan, InstancePlan, JobPlan, Plan, PlannedDataset, Round, StagePlan, ThreadPlan,
    WorkerPlan,
};
pub use process::ProcessIdentity;
pub use product::ProductVersion;
pub use properties::{
    AdaptiveTickets, HostingTickets, PROPERTIES, PropertyDescriptor, PropertyFault, PropertyForm,
    PropertyLineError, RateLimit, ServerProperties, TicketCount, TicketRules, TicketStrategy, WrongProperty,
    property_line, property_lines,
};
pub use results::{Results, StageResults};
pub use run::{Arrivals, ClientBound, Honesty, LagBucket, Run, StageOutcome, StageRecord};
pub use run_comparison::{ComparedRun, RunComparison, ThreadPair};
pub use sample::{CacheState, GitPhases, Outcome, Sample};
pub use schemas::schemas;
pub use script::{
    ArgumentDescriptor, ArgumentFault, ArgumentForm, Arguments, Need, OpDescriptor, Protocol,
    ScriptDescriptor,
};
pub use search::{Probe, ProbePoint, ProbeVerdict, ProbedCondition, SearchAnalysis, SearchEnd, SearchPlan};
pub use secret::Secret;
pub use snapshot::{
    Branch, Comment, Generate, Project, PullRequest, PullRequestState, Repository, Sizes, Snapshot, User,
};
pub use span::{Span, SpanError};
pub use teardown::{Leftover, Teardown};
pub use threshold::{Relation, Statistic, Threshold, ThresholdResult, ThresholdState, ThresholdTarget};
pub use topology::{InstanceTopology, NodeTopology, SshEndpoint, ThreadTopology, Topology, WorkerTopology};
pub use transport::{Connections, HttpVersion, Transport, Verify};
pub use workload::{Job, Workload};
