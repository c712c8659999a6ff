//! What is noted of one request while it is served.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::FromRequestParts;
use http::request::Parts;
use time::OffsetDateTime;

use super::AccessLog;
use super::line::{Ended, Moment, line};
use crate::git::{Kind, Wanted};
use crate::metrics::{Metrics, Transport, Work};

/// One request, from its beginning to the last byte of its answer.
#[derive(Debug)]
pub(crate) struct Record {
    log: Arc<AccessLog>,
    metrics: Arc<Metrics>,
    transport: Transport,
    begun: Instant,
    head: OnceLock<Head>,
    /// Who asks, and in which session, once that is known.
    who: OnceLock<(String, String)>,
    read: AtomicU64,
    written: AtomicU64,
    labels: AtomicU16,
    ended: AtomicBool,
}

/// What is known of a request when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The client's address, behind those that it was forwarded for, with commas between them.
    pub(crate) address: String,
    /// `http`, `https` or `ssh`.
    pub(crate) protocol: &'static str,
    /// The request's id, without the letter before it.
    pub(crate) id: String,
    /// What is asked for.
    pub(crate) action: String,
    /// Where a browser comes from, and what kind of client it is.
    pub(crate) details: String,
    /// Who asks, if that is known already.
    pub(crate) user: Option<String>,
    /// A short name of the session, if there is one already.
    pub(crate) session: Option<String>,
    /// The id of the user whose key let them in over SSH.
    pub(crate) ssh_user: Option<i64>,
}

/// What a request turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// Refs were advertised.
    Refs,
    /// It was found out what client and server have in common.
    Negotiation,
    Clone,
    /// Of a clone: of a part of history.
    Shallow,
    Fetch,
    Push,
    /// It was answered from what was kept.
    CacheHit,
    /// It was not, but could have been.
    CacheMiss,
    /// It could not have been.
    CacheBypass,
}

/// The record of an HTTP request, if it has one.
pub(crate) struct Recorded(pub(crate) Option<Arc<Record>>);

impl Record {
    pub(crate) fn new(log: &Arc<AccessLog>, metrics: &Arc<Metrics>, transport: Transport) -> Arc<Self> {
        Arc::new(Self {
            log: Arc::clone(log),
            metrics: Arc::clone(metrics),
            transport,
            begun: Instant::now(),
            head: OnceLock::new(),
            who: OnceLock::new(),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            labels: AtomicU16::new(0),
            ended: AtomicBool::new(false),
        })
    }

    /// Notes what is asked for, and logs that it came in.
    pub(crate) fn open(&self, head: Head) {
        self.log.say(line(&head, &Moment::In, OffsetDateTime::now_utc()));
        // It is opened once.
        let _ = self.head.set(head);
    }

    /// Notes who asks, and in which session.
    pub(crate) fn identify(&self, user: &str, session: &str) {
        let _ = self.who.set((user.to_owned(), session.to_owned()));
    }

    /// Notes bytes that came from the client and went to it.
    pub(crate) fn note_bytes(&self, read: usize, written: usize) {
        self.read.fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.written.fetch_add(u64::try_from(written).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Notes what it turned out to be.
    pub(crate) fn label(&self, label: Label) {
        self.labels.fetch_or(label.bit(), Ordering::Relaxed);
    }

    /// Notes what it turned out to be by what the client wanted, and whether it got a pack.
    pub(crate) fn label_as(&self, wanted: Wanted, has_pack: bool) {
        // The pack may begin later than what was looked at.
        let has_pack = has_pack || wanted.is_done;
        match wanted.kind {
            Kind::Refs => self.label(Label::Refs),
            Kind::Clone | Kind::Fetch if !has_pack => self.label(Label::Negotiation),
            Kind::Clone => {
                self.label(Label::Clone);
                if wanted.is_shallow {
                    self.label(Label::Shallow);
                }
            }
            Kind::Fetch => self.label(Label::Fetch),
        }
    }

    /// Returns whether that was noted.
    pub(crate) fn has(&self, label: Label) -> bool {
        self.labels.load(Ordering::Relaxed) & label.bit() != 0
    }

    /// Logs and counts that it has ended; only the first time.
    pub(crate) fn end(&self, status: Option<u32>) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        let bytes = (self.read.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed));
        self.count(bytes);
        let Some(head) = self.head.get() else { return };
        let (user, session) = self.who.get().cloned().unzip();
        let ended = Ended {
            status,
            read: bytes.0,
            written: bytes.1,
            labels: self.labels(head),
            milliseconds: self.begun.elapsed().as_millis(),
            user,
            session,
        };
        self.log.say(line(head, &Moment::Out(ended), OffsetDateTime::now_utc()));
    }

    fn count(&self, bytes: (u64, u64)) {
        let work = [(Label::Clone, Work::Clone), (Label::Fetch, Work::Fetch), (Label::Push, Work::Push)];
        for (_, work) in work.into_iter().filter(|(label, _)| self.has(*label)) {
            self.metrics.hosted(self.transport, work, bytes);
        }
        for label in [Label::CacheHit, Label::CacheMiss, Label::CacheBypass] {
            if self.has(label) {
                self.metrics.cached(self.transport, label);
            }
        }
    }

    /// In the order of documented lines.
    fn labels(&self, head: &Head) -> Vec<String> {
        let mut labels = Vec::new();
        let known = [
            (Label::CacheHit, "cache:hit"),
            (Label::CacheMiss, "cache:miss"),
            (Label::Clone, if self.has(Label::Shallow) { "shallow clone" } else { "clone" }),
            (Label::Fetch, "fetch"),
            (Label::Push, "push"),
            (Label::Negotiation, "negotiation"),
            (Label::Refs, "refs"),
        ];
        labels
            .extend(known.into_iter().filter(|(label, _)| self.has(*label)).map(|(_, text)| text.to_owned()));
        labels.extend(head.ssh_user.map(|id| format!("ssh:user:id:{id}")));
        labels
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Whoever served it was cut off.
        self.end(None);
    }
}

impl Label {
    fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

impl<S: Sync> FromRequestParts<S> for Recorded {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Arc<Record>>().cloned()))
    }
}
