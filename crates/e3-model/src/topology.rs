//! The topology: what stands, after everything was set up and loaded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Document, Header, ProviderName, ThreadId, WorkerId};

/// What stands: written once, when all of it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Topology {
    /// Format, version, parent.
    #[serde(flatten)]
    pub header: Header,
    /// When all stood, as RFC 3339 in UTC.
    pub provisioned_at: String,
    /// One entry per thread, in the plan's order.
    pub threads: Vec<ThreadTopology>,
}

/// What stands for one thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadTopology {
    /// The thread.
    pub thread: ThreadId,
    /// Its system under test.
    pub instance: InstanceTopology,
    /// Its workers.
    pub workers: Vec<WorkerTopology>,
}

/// A system under test that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceTopology {
    /// Who set it up.
    pub provider: ProviderName,
    /// The base URL that clients use, without a final slash.
    pub url: String,
    /// Where Git over SSH is served; none if the system does not serve it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshEndpoint>,
    /// The certificates, in PEM, that its TLS certificate must lead to; none for those that the machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The administrator's name; the password is among the run's secrets.
    pub admin: String,
    /// Its nodes; "direct" scripts go round-robin over them.
    pub nodes: Vec<NodeTopology>,
    /// The snapshot that describes its dataset, as a path within the run.
    pub snapshot: String,
}

/// One node of a system under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeTopology {
    /// The node's name.
    pub name: String,
    /// The node's own base URL, without a final slash.
    pub url: String,
    /// Where the node itself serves Git over SSH; none if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshEndpoint>,
    /// The resource, as the journal names it, whose processes on this machine are the node: how metrics find them, also
    /// after a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Where the node serves metrics as Prometheus text; none if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_url: Option<String>,
}

/// Where Git over SSH is served, and how to know that it is the right server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SshEndpoint {
    /// The base URL, such as `ssh://127.0.0.1:7999`: no user, no path.
    pub url: String,
    /// The server's public host key in OpenSSH's form, such as `ssh-ed25519 AAAA…`; a server with another one is refused.
    pub host_key: String,
}

/// A worker that is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerTopology {
    /// The worker.
    pub worker: WorkerId,
    /// Where it runs: `in-process`, or `user@host`.
    pub address: String,
}

impl Document for Topology {
    const FORMAT: &'static str = "e3/topology";
    const VERSION: u32 = 1;
    const FILE: &'static str = "topology.json";

    fn header(&self) -> &Header {
        &self.header
    }
}
