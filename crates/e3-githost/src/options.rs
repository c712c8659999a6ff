//! What the two servers are told when they start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use e3_model::Secret;

/// How one node is to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The home directory; made if it does not exist. Nodes of one server share it.
    pub home: PathBuf,
    /// Where HTTP listens; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where SSH listens; port 0 takes a free one, none serves no SSH.
    pub ssh: Option<SocketAddr>,
    /// The password of the user `admin`, who is made at the first start and gets this password at every later one.
    pub admin_password: Secret,
    /// The database's URL, `sqlite:PATH`; none means `data/githost.sqlite` in the home.
    pub database: Option<String>,
    /// The node's name among its peers: 1 to 32 letters, digits, `-` or `_`; it is part of every request's id.
    pub node: String,
    /// Lines of `bitbucket.properties` by name; each goes before the home's `config/bitbucket.properties`.
    pub properties: BTreeMap<String, String>,
}

/// How the front of several nodes is to serve.
#[derive(Debug, Clone)]
pub struct BalanceOptions {
    /// Where HTTP listens; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where SSH listens; port 0 takes a free one, none passes no SSH on.
    pub ssh: Option<SocketAddr>,
    /// The nodes' base URLs, such as `http://127.0.0.1:7990`, in the order of the rounds.
    pub nodes: Vec<String>,
    /// Where the nodes serve SSH, such as `ssh://127.0.0.1:7999`: one for each node, in the same order, if SSH is passed on.
    pub ssh_nodes: Vec<String>,
}
