//! An instance file of the first E3: machines one already has.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Secret;

/// Machines one already has, as `instances/NAME.json` describes them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Instance {
    /// The machines, as `user@host`, or `localhost`.
    #[serde(rename = "ClusterNodes")]
    pub cluster_nodes: Vec<String>,
    /// The system's base URL.
    #[serde(rename = "URL", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The snapshot that describes its dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The first E3's run settings.
    #[serde(rename = "RunConfig", skip_serializing_if = "Option::is_none")]
    pub run_config: Option<RunConfig>,
    /// The shared file server.
    #[serde(rename = "FileServer", skip_serializing_if = "Option::is_none")]
    pub file_server: Option<String>,
    /// How the file server is reached, as `user@host`.
    #[serde(rename = "FileServerConnectionString", skip_serializing_if = "Option::is_none")]
    pub file_server_connection: Option<String>,
    /// Every other CloudFormation output.
    #[serde(flatten)]
    pub outputs: BTreeMap<String, serde_json::Value>,
}

/// The first E3's run settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunConfig {
    /// The administrator's password.
    #[serde(skip_serializing)]
    #[schemars(with = "Option<String>")]
    pub admin_password: Option<Secret>,
    /// The network stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}
