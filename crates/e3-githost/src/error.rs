//! Why a server could not start or go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Why [`serve`](crate::serve) or [`balance`](crate::balance) ended with an error.
#[derive(Debug, thiserror::Error)]
pub enum GithostError {
    /// The host key of SSH could not be read or made.
    #[error("cannot {doing} the host key {}", path.display())]
    HostKey {
        /// What was tried, such as `read`.
        doing: &'static str,
        /// The key's file.
        path: PathBuf,
        /// Why.
        source: russh::keys::ssh_key::Error,
    },
    /// A node of the front is not an SSH address.
    #[error("node {url:?} is not an SSH address such as ssh://127.0.0.1:7999")]
    SshNodeUrl {
        /// What was given.
        url: String,
    },
    /// The front was told of more or fewer SSH addresses than nodes.
    #[error(
        "the front has {nodes} nodes, but {ssh_nodes} SSH addresses; give one for each node, in the same order"
    )]
    SshNodes {
        /// How many nodes.
        nodes: usize,
        /// How many SSH addresses.
        ssh_nodes: usize,
    },
    /// The node's name cannot be one.
    #[error("node name {name:?} is not 1 to 32 letters, digits, '-' or '_'")]
    NodeName {
        /// The name.
        name: String,
    },
    /// The administrator's password cannot be one.
    #[error("the administrator's password must have 1 to 1024 bytes and no control characters")]
    AdminPassword,
    /// A file or directory of the home could not be used.
    #[error("cannot {doing} {}", path.display())]
    Home {
        /// What was tried, such as `create`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another node held the home's lock for too long.
    #[error("waited {waited:?} for another node to finish opening the home {}", path.display())]
    HomeBusy {
        /// The lock file.
        path: PathBuf,
        /// How long.
        waited: Duration,
    },
    /// `config/limits.json` is not a set of limits.
    #[error("cannot read the limits in {}", path.display())]
    Limits {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The lines of `bitbucket.properties` cannot be kept to.
    #[error("bitbucket.properties cannot be kept to: {why}")]
    Properties {
        /// Every line that is wrong, and why.
        why: String,
    },
    /// The database URL names something other than SQLite.
    #[error("database {scheme:?} is not served by this version; use sqlite:PATH or leave it out")]
    Database {
        /// The URL's scheme; the rest may hold a password.
        scheme: String,
    },
    /// The database refused.
    #[error("cannot {doing} in the database {}", path.display())]
    Store {
        /// What was tried.
        doing: &'static str,
        /// The database's file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// Git is missing, too old or failed.
    #[error("git cannot be used: {why}")]
    Git {
        /// What happened, and what is needed.
        why: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A node of the front is not a base URL.
    #[error("node {url:?} is not a base URL such as http://127.0.0.1:7990")]
    NodeUrl {
        /// What was given.
        url: String,
    },
    /// The front has no nodes.
    #[error("the front needs at least one node")]
    NoNodes,
}
