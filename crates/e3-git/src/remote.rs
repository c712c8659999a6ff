//! How one client reaches a server's repositories.

use std::fmt;

use e3_http::{BaseUrl, HttpSession};
use e3_model::{Secret, SshEndpoint};

use crate::{GitError, SshKey, ssh::SshServer};

/// How one client reaches a server's repositories: where, in which protocol, and as whom.
///
/// Every operation opens a connection of its own and closes it, as `git` does; so one remote serves any number of
/// operations at a time. Cheap to clone.
#[derive(Clone)]
pub struct Remote {
    pub(crate) way: Way,
}

#[derive(Clone)]
pub(crate) enum Way {
    Http { base: BaseUrl, credentials: Option<(String, Secret)> },
    Ssh(SshServer),
}

impl Remote {
    /// Returns the way over smart HTTP, with a user's password sent from the first request on.
    pub fn http(base: BaseUrl, user: &str, password: &Secret) -> Self {
        Self { way: Way::Http { base, credentials: Some((user.to_owned(), password.clone())) } }
    }

    /// Returns the way over smart HTTP without credentials, for what everybody may read.
    pub fn anonymous_http(base: BaseUrl) -> Self {
        Self { way: Way::Http { base, credentials: None } }
    }

    /// Returns the way over SSH with this key, as the user `git` if the endpoint's URL names no other; a server that
    /// shows another host key than the endpoint's is refused.
    ///
    /// # Errors
    /// Fails if the endpoint's URL or its host key cannot be read.
    pub fn ssh(endpoint: &SshEndpoint, key: SshKey) -> Result<Self, GitError> {
        Ok(Self { way: Way::Ssh(SshServer::new(endpoint, key)?) })
    }
}

/// Returns a session that has no connection yet.
pub(crate) fn session(base: &BaseUrl, credentials: Option<&(String, Secret)>) -> HttpSession {
    let session = HttpSession::new(base.clone());
    match credentials {
        Some((user, password)) => session.with_basic(user, password),
        None => session,
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Http { base, .. } => write!(f, "Remote({base})"),
            Way::Ssh(server) => write!(f, "Remote({})", server.address()),
        }
    }
}
