//! What there is to watch.

use e3_model::ProcessIdentity;

/// What is watched while a stage runs, beside the machine itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// Processes of this machine.
    pub processes: Vec<WatchedProcess>,
    /// Servers that tell about themselves.
    pub endpoints: Vec<Endpoint>,
}

/// A process to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedProcess {
    /// The subject of its readings, such as a node's name or `worker`.
    pub subject: String,
    /// The process.
    pub process: ProcessIdentity,
    /// The subject of the readings about all that it has started, such as `githost-1 git`; none if that is not watched.
    pub children: Option<String>,
}

/// A server that serves metrics as Prometheus text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The subject of its readings, such as a node's name.
    pub subject: String,
    /// The URL of the text, by plain HTTP.
    pub url: String,
}
