//! What a node counts of itself, for `GET /metrics`.
//!
//! Counters are relaxed atomics that nobody waits for; together they are read at nearly, not exactly, one moment.

mod bitbucket;
mod faults;
mod http;
mod page;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::access_log::Label;
use crate::git::Service;

pub(crate) use http::{Counting, Peer, count};
pub(crate) use page::serve;

/// The counters of one node.
#[derive(Debug)]
pub(crate) struct Metrics {
    started: Instant,
    requests: http::Requests,
    connections: Presence,
    ssh_sessions: Presence,
    calls: [[Calls; TRANSPORTS.len()]; SERVICES.len()],
    hosted: [Hosted; TRANSPORTS.len()],
    ssh_most: AtomicU64,
    ssh_broken: AtomicU64,
    advertisements_hit: AtomicU64,
    advertisements_missed: AtomicU64,
}

/// What a hosting operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Clone,
    Fetch,
    Push,
}

/// What was hosted over one transport.
#[derive(Debug, Default)]
struct Hosted {
    clones: Moved,
    fetches: Moved,
    pushes: Moved,
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
    cache_bypasses: AtomicU64,
}

/// How many operations have ended, and how many bytes they read and wrote.
#[derive(Debug, Default)]
struct Moved {
    count: AtomicU64,
    read: AtomicU64,
    written: AtomicU64,
}

/// How git's services are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Ssh,
}

/// Calls of one service over one transport.
#[derive(Debug, Default)]
struct Calls {
    presence: Presence,
    received: AtomicU64,
    sent: AtomicU64,
}

/// How many of something there have been, and how many there are.
#[derive(Debug, Default)]
struct Presence {
    total: AtomicU64,
    now: AtomicU64,
}

/// Something that is there, as long as this lives.
#[derive(Debug)]
pub(crate) struct Present {
    metrics: Arc<Metrics>,
    which: fn(&Metrics) -> &Presence,
}

/// A call of a git service, as long as this lives.
#[derive(Debug)]
pub(crate) struct GitCall {
    metrics: Arc<Metrics>,
    service: Service,
    transport: Transport,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            requests: http::Requests::default(),
            connections: Presence::default(),
            ssh_sessions: Presence::default(),
            calls: Default::default(),
            hosted: Default::default(),
            ssh_most: AtomicU64::new(0),
            ssh_broken: AtomicU64::new(0),
            advertisements_hit: AtomicU64::new(0),
            advertisements_missed: AtomicU64::new(0),
        }
    }

    /// Counts a connection by HTTP.
    pub(crate) fn connection(self: &Arc<Self>) -> Present {
        self.enter(|metrics| &metrics.connections)
    }

    /// Counts a connection by SSH.
    pub(crate) fn ssh_session(self: &Arc<Self>) -> Present {
        let session = self.enter(|metrics| &metrics.ssh_sessions);
        self.ssh_most.fetch_max(load(&self.ssh_sessions.now), Ordering::Relaxed);
        session
    }

    /// Counts a connection by SSH that ended with an error.
    pub(crate) fn ssh_broken(&self) {
        self.ssh_broken.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a hosting operation that has ended, with the bytes that it read and wrote.
    pub(crate) fn hosted(&self, transport: Transport, work: Work, (read, written): (u64, u64)) {
        let hosted = self.hosted_over(transport);
        let moved = match work {
            Work::Clone => &hosted.clones,
            Work::Fetch => &hosted.fetches,
            Work::Push => &hosted.pushes,
        };
        moved.count.fetch_add(1, Ordering::Relaxed);
        moved.read.fetch_add(read, Ordering::Relaxed);
        moved.written.fetch_add(written, Ordering::Relaxed);
    }

    /// Counts what the cache of fetches did for an operation.
    pub(crate) fn cached(&self, transport: Transport, label: Label) {
        let hosted = self.hosted_over(transport);
        let counter = match label {
            Label::CacheHit => &hosted.cache_hits,
            Label::CacheMiss => &hosted.cache_misses,
            _ => &hosted.cache_bypasses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn hosted_over(&self, transport: Transport) -> &Hosted {
        let [http, ssh] = &self.hosted;
        if transport == Transport::Http { http } else { ssh }
    }

    /// Counts a call of a service.
    pub(crate) fn git_call(self: &Arc<Self>, service: Service, transport: Transport) -> GitCall {
        self.calls(service, transport).presence.enter();
        GitCall { metrics: Arc::clone(self), service, transport }
    }

    /// Counts bytes that a service was sent and has sent, outside a call too.
    pub(crate) fn git_bytes(&self, service: Service, transport: Transport, (received, sent): (usize, usize)) {
        let calls = self.calls(service, transport);
        add(&calls.received, received);
        add(&calls.sent, sent);
    }

    /// Counts a question for refs: whether this node could answer it without git.
    pub(crate) fn advertisement(&self, without_git: bool) {
        let counter = if without_git { &self.advertisements_hit } else { &self.advertisements_missed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(self: &Arc<Self>, which: fn(&Self) -> &Presence) -> Present {
        which(self).enter();
        Present { metrics: Arc::clone(self), which }
    }

    fn calls(&self, service: Service, transport: Transport) -> &Calls {
        let [upload, receive] = &self.calls;
        let [http, ssh] = if service == Service::UploadPack { upload } else { receive };
        if transport == Transport::Http { http } else { ssh }
    }
}

impl GitCall {
    /// Counts bytes that came from the client and went to it.
    pub(crate) fn bytes(&self, received: usize, sent: usize) {
        self.metrics.git_bytes(self.service, self.transport, (received, sent));
    }
}

impl Presence {
    fn enter(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
        self.now.fetch_add(1, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        (self.which)(&self.metrics).leave();
    }
}

impl Drop for GitCall {
    fn drop(&mut self) {
        self.metrics.calls(self.service, self.transport).presence.leave();
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// In the order of [`Metrics::calls`].
const SERVICES: [Service; 2] = [Service::UploadPack, Service::ReceivePack];
const TRANSPORTS: [Transport; 2] = [Transport::Http, Transport::Ssh];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_present_no_more() {
        let metrics = Arc::new(Metrics::new());
        let first = metrics.git_call(Service::ReceivePack, Transport::Ssh);
        let second = metrics.git_call(Service::ReceivePack, Transport::Ssh);
        second.bytes(3, 4);
        drop(first);
        let calls = metrics.calls(Service::ReceivePack, Transport::Ssh);
        assert_eq!((load(&calls.presence.total), load(&calls.presence.now)), (2, 1));
        assert_eq!((load(&calls.received), load(&calls.sent)), (3, 4));
        let others = metrics.calls(Service::UploadPack, Transport::Ssh);
        assert_eq!(load(&others.presence.total), 0);
        let session = metrics.ssh_session();
        assert_eq!(load(&metrics.ssh_sessions.now), 1);
        drop(session);
        assert_eq!((load(&metrics.ssh_sessions.now), load(&metrics.connections.total)), (0, 0));
    }
}
