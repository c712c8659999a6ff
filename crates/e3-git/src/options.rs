//! How a remote talks, beside where and as whom.

use e3_http::HttpWay;
use e3_model::{Connections, Verify};

/// How a remote talks to its server: by default as `git` does, one connection an operation, every pack verified.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// How long connections live.
    pub connections: Connections,
    /// Which packs have their checksum verified; where they are sampled, a remote's first and then every sixteenth.
    pub verify: Verify,
    /// How HTTP is spoken; its own word on connections does not count, since an operation has one at any rate.
    pub way: HttpWay,
    /// When a user's password is sent over HTTP.
    pub authentication: Authentication,
}

/// When a user's password is sent over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Authentication {
    /// With the first request, as `git` does when told to by `http.proactiveAuth`.
    #[default]
    Preemptive,
    /// When the server asks for it (401), as `git` does by default: one more request an operation.
    Challenge,
}

impl Default for GitOptions {
    fn default() -> Self {
        Self {
            connections: Connections::PerOp,
            verify: Verify::Always,
            way: HttpWay::default(),
            authentication: Authentication::default(),
        }
    }
}
