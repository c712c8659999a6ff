//! The server of a remote over HTTP: its address, who the client is there, and the session that is kept.

use std::sync::{Arc, Mutex, PoisonError};

use e3_http::{BaseUrl, HttpSession, HttpWay};
use e3_model::{Connections, Secret};

use crate::{Authentication, GitOptions};

/// An HTTP server as one user's client knows it. Cheap to clone; clones share the session that is kept.
#[derive(Clone)]
pub(crate) struct HttpServer {
    shared: Arc<Shared>,
}

struct Shared {
    base: BaseUrl,
    credentials: Option<(String, Secret)>,
    way: HttpWay,
    authentication: Authentication,
    connections: Connections,
    /// The session of an operation that ended well, until the next takes it; none while one has it.
    kept: Mutex<Option<Kept>>,
}

/// A session, and whether it sends credentials.
pub(super) struct Kept {
    pub(super) session: HttpSession,
    pub(super) is_authorized: bool,
}

impl HttpServer {
    pub(crate) fn new(base: BaseUrl, credentials: Option<(String, Secret)>) -> Self {
        Self::talked_to(base, credentials, &GitOptions::default())
    }

    /// Returns the same server, talked to in this way.
    pub(crate) fn with_options(&self, options: &GitOptions) -> Self {
        Self::talked_to(self.shared.base.clone(), self.shared.credentials.clone(), options)
    }

    fn talked_to(base: BaseUrl, credentials: Option<(String, Secret)>, options: &GitOptions) -> Self {
        // Between the requests of one operation the connection is kept, whatever happens to it afterwards.
        let way = HttpWay { connections: Connections::KeepAlive, ..options.way.clone() };
        let (authentication, connections) = (options.authentication, options.connections);
        let kept = Mutex::default();
        Self { shared: Arc::new(Shared { base, credentials, way, authentication, connections, kept }) }
    }

    pub(crate) fn base(&self) -> &BaseUrl {
        &self.shared.base
    }

    /// Returns the kept session, or one that has no connection yet.
    pub(super) fn session(&self) -> Kept {
        let kept = self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.unwrap_or_else(|| {
            let session = self.session_with(&self.shared.base);
            match self.shared.authentication {
                Authentication::Preemptive => self.authorized(session),
                Authentication::Challenge => Kept { session, is_authorized: false },
            }
        })
    }

    /// Returns a session with a server to which this one has sent the client; it gets no credentials.
    pub(super) fn session_with(&self, base: &BaseUrl) -> HttpSession {
        HttpSession::new(base.clone()).with_way(&self.shared.way)
    }

    /// Returns the session, from now on with credentials; without them, if there are none.
    pub(super) fn authorized(&self, session: HttpSession) -> Kept {
        let session = match &self.shared.credentials {
            Some((user, password)) => session.with_basic(user, password),
            None => session,
        };
        Kept { session, is_authorized: true }
    }

    /// Takes back the session of an operation that ended well.
    pub(super) fn keep(&self, mut kept: Kept) {
        if self.shared.connections == Connections::KeepAlive {
            // `git` has no cookies from earlier runs.
            kept.session.clear_cookies();
            *self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
    }
}
