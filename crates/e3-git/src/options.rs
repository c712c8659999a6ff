//! How a remote talks, beside where and as whom.

use std::{fmt, sync::Arc};

use e3_http::HttpWay;
use e3_model::{Connections, Verify};

use crate::Negotiated;

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
    /// Who is told what an SSH connection negotiated, once a remote.
    pub on_negotiated: Option<OnNegotiated>,
}

/// What hears what was negotiated. Cheap to clone.
#[derive(Clone)]
pub struct OnNegotiated(Arc<dyn Fn(&Negotiated) + Send + Sync>);

impl OnNegotiated {
    /// Returns what calls a closure; a connection waits for it.
    pub fn new(listener: impl Fn(&Negotiated) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    pub(crate) fn tell(&self, negotiated: &Negotiated) {
        (self.0)(negotiated);
    }
}

impl fmt::Debug for OnNegotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnNegotiated")
    }
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
            on_negotiated: None,
        }
    }
}
