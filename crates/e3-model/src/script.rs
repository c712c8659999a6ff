//! What is known of a script before it runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A script as a plan sees it: its name, its ops, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptDescriptor {
    /// The name, as workloads write it: `scm.GitCloneOverHttp`.
    pub name: String,
    /// What a client of this script does, in one sentence.
    pub summary: String,
    /// The ops it records, in the order in which it first does them; never empty.
    pub ops: Vec<OpDescriptor>,
    /// The protocol it speaks.
    pub protocol: Protocol,
}

/// An op: one timed, user-meaningful act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpDescriptor {
    /// The op's name, unique within its script.
    pub name: String,
    /// What is timed: from where to where.
    pub summary: String,
}

/// The protocol that a script speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Git over smart HTTP.
    GitHttp,
    /// Git over SSH.
    GitSsh,
    /// Pages and REST over HTTP.
    Http,
}

impl ScriptDescriptor {
    /// Returns a descriptor from its parts; each op is a name and its summary.
    pub fn new(name: &str, summary: &str, protocol: Protocol, ops: &[(&str, &str)]) -> Self {
        Self {
            name: name.to_owned(),
            summary: summary.to_owned(),
            ops: ops
                .iter()
                .map(|(name, summary)| OpDescriptor {
                    name: (*name).to_owned(),
                    summary: (*summary).to_owned(),
                })
                .collect(),
            protocol,
        }
    }
}
