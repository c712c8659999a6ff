//! How one client reaches a server's repositories.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use e3_http::BaseUrl;
use e3_model::{Secret, SshEndpoint, Verify};

use crate::{GitError, GitOptions, Negotiated, SshKey, http::HttpServer, ssh::SshServer};

/// How one client reaches a server's repositories: where, in which protocol, and as whom.
///
/// By default every operation opens a connection of its own and closes it, as `git` does; see [`GitOptions`]. One remote
/// serves any number of operations at a time. Cheap to clone; clones share the connection that is kept.
#[derive(Clone)]
pub struct Remote {
    pub(crate) way: Way,
    verify: Verify,
    /// How many packs were begun.
    packs: Arc<AtomicU32>,
}

#[derive(Clone)]
pub(crate) enum Way {
    Http(HttpServer),
    Ssh(SshServer),
}

impl Remote {
    /// Returns the way over smart HTTP, with a user's password sent from the first request on.
    pub fn http(base: BaseUrl, user: &str, password: &Secret) -> Self {
        Self::over(Way::Http(HttpServer::new(base, Some((user.to_owned(), password.clone())))))
    }

    /// Returns the way over smart HTTP without credentials, for what everybody may read.
    pub fn anonymous_http(base: BaseUrl) -> Self {
        Self::over(Way::Http(HttpServer::new(base, None)))
    }

    /// Returns the way over SSH with this key, as the user `git` if the endpoint's URL names no other; a server that
    /// shows another host key than the endpoint's is refused.
    ///
    /// # Errors
    /// Fails if the endpoint's URL or its host key cannot be read.
    pub fn ssh(endpoint: &SshEndpoint, key: SshKey) -> Result<Self, GitError> {
        Ok(Self::over(Way::Ssh(SshServer::new(endpoint, key)?)))
    }

    /// Returns the same remote, talked to in this way; it shares no connection with the one that it was made from.
    #[must_use]
    pub fn with_options(self, options: &GitOptions) -> Self {
        let way = match self.way {
            Way::Ssh(server) => Way::Ssh(server.with_options(options)),
            Way::Http(server) => Way::Http(server.with_options(options)),
        };
        Self { way, verify: options.verify, packs: Arc::default() }
    }

    /// Returns what was negotiated with the SSH server; none before the first operation, and over HTTP.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        match &self.way {
            Way::Ssh(server) => server.negotiated(),
            Way::Http(_) => None,
        }
    }

    /// Returns whether the next pack is verified, which counts it.
    pub(crate) fn verifies_next(&self) -> bool {
        let number = self.packs.fetch_add(1, Ordering::Relaxed);
        match self.verify {
            Verify::Always => true,
            Verify::Sampled => number.is_multiple_of(Verify::SAMPLE),
        }
    }

    fn over(way: Way) -> Self {
        Self { way, verify: Verify::Always, packs: Arc::default() }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Http(server) => write!(f, "Remote({})", server.base()),
            Way::Ssh(server) => write!(f, "Remote({})", server.address()),
        }
    }
}
