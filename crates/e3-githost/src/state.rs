//! What all requests of one node share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::access_log::AccessLog;
use crate::compare;
use crate::credentials::Credentials;
use crate::faults::Faults;
use crate::git::{FetchCache, Git};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::pull_requests::Merging;
use crate::repositories::Repositories;
use crate::store::{Repository, Store, User};
use crate::throttle::Throttle;
use crate::web::Pages;

/// One node, as its requests see it.
pub(crate) struct Host {
    /// The node's name, part of every request's id.
    pub(crate) node: String,
    /// Where it listens, for links of requests without a usable `Host`.
    pub(crate) address: String,
    /// The port of SSH, if it is served.
    pub(crate) ssh_port: Option<u16>,
    pub(crate) limits: Limits,
    pub(crate) store: Store,
    pub(crate) credentials: Credentials,
    pub(crate) git: Git,
    pub(crate) throttle: Throttle,
    /// Answers to fetches that are kept.
    pub(crate) fetches: FetchCache,
    /// Whether refs are left to git each time.
    pub(crate) refs_uncached: bool,
    pub(crate) repositories: Repositories,
    pub(crate) pages: Pages,
    /// What was compared lately.
    pub(crate) compared: compare::Cache,
    /// Who waits for a merge, and which were tried.
    pub(crate) merging: Merging,
    pub(crate) traffic: Traffic,
    pub(crate) metrics: Arc<Metrics>,
    /// Who asked for what.
    pub(crate) access: Arc<AccessLog>,
    pub(crate) visits: Visits,
    /// How the node is disturbed on purpose.
    pub(crate) faults: Faults,
}

/// The state of every route.
pub(crate) type App = Arc<Host>;

/// How many requests there were and are, and whether the node is on its way out.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) requests: AtomicU64,
    pub(crate) running: AtomicU64,
    pub(crate) stopping: AtomicBool,
}

/// When this node last wrote down a visit, so that a client that polls does not write each time.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    written: Mutex<HashMap<(i64, i64), Instant>>,
}

impl Host {
    /// Writes down that the user was at the repository, at most once a minute; a failure is logged, not shown.
    pub(crate) async fn visit(&self, user: &User, repository: &Repository) {
        if !self.visits.is_due((user.id, repository.id)) {
            return;
        }
        self.store.note_visit(user, repository).await;
    }
}

impl Visits {
    fn is_due(&self, visit: (i64, i64)) -> bool {
        let now = Instant::now();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.get(&visit).is_some_and(|at| now.duration_since(*at) < VISIT_EVERY) {
            return false;
        }
        if written.len() >= MOST_VISITS {
            written.clear();
        }
        written.insert(visit, now);
        true
    }
}

/// A request that is being served, as long as this lives.
pub(crate) struct Running<'a>(&'a Traffic);

impl Traffic {
    /// Counts a request; returns its number, how many others are being served, and what ends the count.
    pub(crate) fn enter(&self) -> (u64, u64, Running<'_>) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let others = self.running.fetch_add(1, Ordering::Relaxed);
        (number, others, Running(self))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

const VISIT_EVERY: Duration = Duration::from_secs(60);
const MOST_VISITS: usize = 65_536;
