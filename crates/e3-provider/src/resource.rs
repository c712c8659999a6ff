//! What a provider creates and must remove.

use std::fmt;
use std::path::PathBuf;

use e3_model::{ProcessIdentity, ProviderName};
use serde::{Deserialize, Serialize};

/// Something that was created for a run and must be gone after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Resource {
    /// A process on this machine.
    Process {
        /// Its name for people, such as `thread-001-githost-1`; also its log's name.
        name: String,
        /// What it carries in its environment; no other process, of this run or any other, has the same.
        mark: String,
        /// The program.
        program: PathBuf,
        /// Which process it is; none until it was started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<ProcessIdentity>,
    },
    /// A directory on this machine, with all that is in it.
    Directory {
        /// Its absolute path.
        path: PathBuf,
    },
}

impl Resource {
    /// Returns who creates and removes resources of this kind.
    pub fn provider(&self) -> ProviderName {
        match self {
            Self::Process { .. } | Self::Directory { .. } => ProviderName::Local,
        }
    }

    /// Returns whether both are the same resource, known more or less well.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Process { mark, .. }, Self::Process { mark: other, .. }) => mark == other,
            (Self::Directory { path }, Self::Directory { path: other }) => path == other,
            (Self::Process { .. }, Self::Directory { .. })
            | (Self::Directory { .. }, Self::Process { .. }) => false,
        }
    }

    /// Returns this resource with the identity of its process, if it is one.
    #[must_use]
    pub fn identified(mut self, process: &ProcessIdentity) -> Self {
        if let Self::Process { identity, .. } = &mut self {
            *identity = Some(process.clone());
        }
        self
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { name, identity: Some(process), .. } => write!(f, "{name} ({process})"),
            Self::Process { name, identity: None, .. } => write!(f, "{name}"),
            Self::Directory { path } => write!(f, "directory {}", path.display()),
        }
    }
}
