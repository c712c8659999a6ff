//! The contract.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use e3_model::{Fault, InstancePlan, InstanceTopology, NodeTopology, ProviderName, Reset, RunName, ThreadId};

use crate::{Journal, ProviderError, Resource};

/// Sets up systems under test, and removes all that it set up.
///
/// The laws, which [`crate::conformance`] checks:
/// - nothing is created before its intent is in the journal; what was created is journaled with all that later finds it;
/// - between an act and its `created` line nothing is awaited, so that a cancelled call leaves no more than an intent;
/// - what `provision` fails over stays in the journal: `deprovision` removes it, `provision` need not;
/// - `deprovision` needs the resources alone, in whatever state a crash left them, and may be repeated;
/// - a reset changes nothing that the topology says, and journals what it stops and starts as it does so;
/// - a resource is journaled as removed only when it was verified to be gone.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Returns the name by which plans ask for this provider.
    fn name(&self) -> ProviderName;

    /// Looks whether all is there that this provider needs from outside, such as programs; creates nothing.
    ///
    /// # Errors
    /// [`ProviderError::Needs`] for the first that is missing.
    async fn check(&self) -> Result<(), ProviderError>;

    /// Sets up one thread's system under test and returns when every node of it serves.
    ///
    /// # Errors
    /// When a part cannot be created, or does not serve in time.
    ///
    /// # Cancellation
    /// May be dropped at any await; the journal then tells what stands.
    async fn provision(
        &self,
        request: &ProvisionRequest<'_>,
        journal: &Journal,
    ) -> Result<InstanceTopology, ProviderError>;

    /// Keeps the system's data as it is now, for [`Reset::Restore`] to return to, and returns when it serves again; called
    /// once, when all data is loaded, and only for a plan that restores it.
    ///
    /// # Errors
    /// When this provider cannot do that, or the system does not serve in time afterwards.
    ///
    /// # Cancellation
    /// May be dropped at any await; the journal then tells what stands.
    async fn keep(&self, system: &Standing<'_>, journal: &Journal) -> Result<(), ProviderError>;

    /// Does to the system what the plan wants done between two stages, and returns when it serves again.
    ///
    /// # Errors
    /// When this provider cannot do that, or the system does not serve in time afterwards.
    ///
    /// # Cancellation
    /// May be dropped at any await; the journal then tells what stands.
    async fn reset(
        &self,
        system: &Standing<'_>,
        reset: Reset,
        journal: &Journal,
    ) -> Result<(), ProviderError>;

    /// Disturbs every node of the system by these faults and no others; none leave it alone. They concern what begins after
    /// this returns, and hold until the next call or reset. Those who set up real products cannot.
    ///
    /// # Errors
    /// When this provider cannot do that, or a node refuses; then no node is left with any of these faults, as far as
    /// nodes answer.
    ///
    /// # Cancellation
    /// May be dropped at any await; some nodes may be disturbed then, and others not.
    async fn disturb(&self, _system: &Standing<'_>, faults: &[Fault]) -> Result<(), ProviderError> {
        if faults.is_empty() {
            return Ok(());
        }
        let act = "disturb a system on purpose (\"faults\")".to_owned();
        Err(ProviderError::Unsupported { provider: self.name(), act })
    }

    /// Asks every node once how it is.
    ///
    /// # Errors
    /// When the topology cannot be understood; a node that does not answer is no error but an answer.
    async fn probe(&self, instance: &InstanceTopology) -> Result<Probe, ProviderError>;

    /// Removes resources, and journals each as it is verified to be gone; one entry per resource, in their order.
    async fn deprovision(&self, resources: &[Resource], journal: &Journal) -> Vec<Removal>;
}

/// What one thread's system under test should be.
pub struct ProvisionRequest<'a> {
    /// The run; part of every mark and tag.
    pub run: &'a RunName,
    /// The thread.
    pub thread: ThreadId,
    /// What the plan wants.
    pub instance: &'a InstancePlan,
    /// The run's directory for what goes away at teardown; it exists and is journaled.
    pub scratch: &'a Path,
    /// Returns where the child process of a name logs.
    pub log_file: &'a (dyn Fn(&str) -> PathBuf + Send + Sync),
    /// The administrator's name.
    pub admin: &'a str,
    /// The file, for its owner only, that holds the administrator's password and nothing else.
    pub admin_password_file: &'a Path,
    /// The thread's snapshot as a path within the run, for the topology.
    pub snapshot: &'a str,
    /// Is told of each node as it serves.
    pub node_ready: &'a (dyn Fn(&NodeTopology) + Send + Sync),
}

/// A thread's system under test that stands, with all that it takes to start its parts again.
#[derive(Clone, Copy)]
pub struct Standing<'a> {
    /// The run.
    pub run: &'a RunName,
    /// The thread.
    pub thread: ThreadId,
    /// What stands.
    pub instance: &'a InstanceTopology,
    /// The run's directory for what goes away at teardown, as at its provision.
    pub scratch: &'a Path,
    /// Returns where the child process of a name logs, as at its provision.
    pub log_file: &'a (dyn Fn(&str) -> PathBuf + Send + Sync),
    /// The file, for its owner only, that holds the administrator's password and nothing else.
    pub admin_password_file: &'a Path,
}

impl<'a> ProvisionRequest<'a> {
    /// Returns the system that was set up by this request.
    pub fn standing(&self, instance: &'a InstanceTopology) -> Standing<'a> {
        Standing {
            run: self.run,
            thread: self.thread,
            instance,
            scratch: self.scratch,
            log_file: self.log_file,
            admin_password_file: self.admin_password_file,
        }
    }
}

/// How a system under test is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// One entry per node, in the topology's order, then one for the front if there is one.
    pub nodes: Vec<NodeProbe>,
}

/// How one node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeProbe {
    /// The node's name.
    pub name: String,
    /// The state it reports, such as `RUNNING`; or why it reports none.
    pub state: Result<String, String>,
}

impl Probe {
    /// Returns whether every node serves.
    pub fn is_running(&self) -> bool {
        self.nodes.iter().all(NodeProbe::is_running)
    }
}

impl NodeProbe {
    /// Returns whether the node serves.
    pub fn is_running(&self) -> bool {
        self.state.as_deref() == Ok("RUNNING")
    }
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The resource.
    pub resource: Resource,
    /// What became of it.
    pub outcome: RemovalOutcome,
}

/// What became of a resource that should be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalOutcome {
    /// It was removed.
    Removed,
    /// It was gone before.
    Gone,
    /// It is still there, or may be.
    Left {
        /// Why, with the causes.
        reason: String,
    },
}
