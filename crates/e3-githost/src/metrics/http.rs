//! Counting requests by HTTP, from their head to the last byte of their answer.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Buf as _, Bytes};
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::service::Service as HyperService;

use super::{Metrics, Present, Transport, load};
use crate::access_log::Record;
use crate::faults;
use crate::git::Service;
use crate::state::App;

/// Requests by method and by how they ended.
#[derive(Debug, Default)]
pub(super) struct Requests {
    each: [OfMethod; METHODS.len()],
    areas: [OfArea; AREAS.len()],
    in_flight: AtomicU64,
}

/// Requests of one area that have ended.
#[derive(Debug, Default)]
struct OfArea {
    ended: AtomicU64,
    nanoseconds: AtomicU64,
}

#[derive(Debug, Default)]
struct OfMethod {
    by_status: [AtomicU64; STATUSES.len()],
    ended: AtomicU64,
    nanoseconds: AtomicU64,
}

/// What was counted of one method.
pub(super) struct Counted {
    pub(super) method: &'static str,
    /// By status, in the order of [`STATUSES`].
    pub(super) by_status: [(&'static str, u64); STATUSES.len()],
    pub(super) ended: u64,
    pub(super) seconds: f64,
}

/// A request under way. Dropped, it is over: answered, or cut off before it was.
struct Flight {
    metrics: Arc<Metrics>,
    method: usize,
    begun: Instant,
    status: Option<StatusCode>,
    /// In the order of [`AREAS`].
    area: usize,
    record: Option<Arc<Record>>,
}

/// From where a connection comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Counts a request of any route but those for machines and for looks: `/status`, `/metrics`, style and icon.
pub(crate) async fn count(State(host): State<App>, request: Request, next: Next) -> Response {
    let metrics = Arc::clone(&host.metrics);
    let service = service_of(&request);
    let mut flight = Flight::begin(&metrics, request.method());
    flight.area = area_of(request.uri().path());
    let record = Record::new(&host.access, &metrics, Transport::Http);
    flight.record = Some(Arc::clone(&record));
    let mut request = match service {
        Some(service) => {
            let (metrics, record) = (Arc::clone(&metrics), Arc::clone(&record));
            let count = move |bytes| {
                metrics.git_bytes(service, Transport::Http, (bytes, 0));
                record.note_bytes(bytes, 0);
            };
            request.map(|body| Body::new(Through { body, count, _flight: None }))
        }
        None => {
            // Small bodies, which come with their length, need no look at each piece.
            let length = request.headers().get(CONTENT_LENGTH);
            record.note_bytes(length.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0), 0);
            request
        }
    };
    request.extensions_mut().insert(Arc::clone(&record));
    let response = faults::serve(&host, request, next).await;
    // A connection that is cut on purpose gets no answer.
    flight.status = Some(response.status()).filter(|status| !status.is_informational());
    let count = move |bytes| {
        record.note_bytes(0, bytes);
        if let Some(service) = service {
            metrics.git_bytes(service, Transport::Http, (0, bytes));
        }
    };
    response.map(|body| Body::new(Through { body, count, _flight: Some(flight) }))
}

/// Returns the place of a path's area in [`AREAS`].
fn area_of(path: &str) -> usize {
    let area = match path.split('/').nth(1) {
        Some("rest") => "rest",
        Some("scm") => "scm",
        _ => "web",
    };
    AREAS.iter().position(|name| *name == area).unwrap_or_default()
}

/// Returns the service that a request is for, by its address.
fn service_of(request: &Request) -> Option<Service> {
    let path = request.uri().path();
    if !path.starts_with("/scm/") {
        return None;
    }
    let (_, last) = path.rsplit_once('/')?;
    let name = if last == "refs" { request.uri().query()?.strip_prefix("service=")? } else { last };
    [Service::UploadPack, Service::ReceivePack].into_iter().find(|service| service.name() == name)
}

impl Requests {
    pub(super) fn in_flight(&self) -> u64 {
        load(&self.in_flight)
    }

    pub(super) fn counted(&self) -> impl Iterator<Item = Counted> {
        self.each.iter().zip(METHODS).map(|(of, method)| {
            let mut by_status = STATUSES.map(|status| (status, 0));
            for ((_, count), counter) in by_status.iter_mut().zip(&of.by_status) {
                *count = load(counter);
            }
            let seconds = std::time::Duration::from_nanos(load(&of.nanoseconds)).as_secs_f64();
            Counted { method, by_status, ended: load(&of.ended), seconds }
        })
    }
}

impl Requests {
    /// Returns each area with how many of its requests have ended, and how long they took together, in seconds.
    pub(super) fn by_area(&self) -> impl Iterator<Item = (&'static str, u64, f64)> {
        self.areas.iter().zip(AREAS).map(|(of, area)| {
            let seconds = std::time::Duration::from_nanos(load(&of.nanoseconds)).as_secs_f64();
            (area, load(&of.ended), seconds)
        })
    }
}

impl Flight {
    fn begin(metrics: &Arc<Metrics>, method: &Method) -> Self {
        metrics.requests.in_flight.fetch_add(1, Ordering::Relaxed);
        let method = METHODS.iter().position(|name| *name == method.as_str());
        let method = method.unwrap_or(METHODS.len() - 1);
        Self {
            metrics: Arc::clone(metrics),
            method,
            begun: Instant::now(),
            status: None,
            area: 0,
            record: None,
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(record) = &self.record {
            record.end(self.status.map(|status| u32::from(status.as_u16())));
        }
        let requests = &self.metrics.requests;
        requests.in_flight.fetch_sub(1, Ordering::Relaxed);
        let Some(of) = requests.each.get(self.method) else { return };
        // 1xx is no answer; the last is for those that got none.
        let class = self.status.map_or(0, |status| usize::from(status.as_u16() / 100));
        let index = if (2..=5).contains(&class) { class - 2 } else { STATUSES.len() - 1 };
        if let Some(counter) = of.by_status.get(index) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let nanoseconds = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        of.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        of.ended.fetch_add(1, Ordering::Relaxed);
        if let Some(of) = requests.areas.get(self.area) {
            of.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
            of.ended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A body whose bytes are counted as they pass; with it ends the request, if it is an answer's.
struct Through<C> {
    body: Body,
    count: C,
    _flight: Option<Flight>,
}

impl<C: Fn(usize) + Unpin> http_body::Body for Through<C> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            (self.count)(data.remaining());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The service of one connection, which is counted as long as this lives; requests are told from where they come.
pub(crate) struct Counting<S> {
    service: S,
    peer: Peer,
    _connection: Present,
}

impl<S> Counting<S> {
    pub(crate) fn new(service: S, peer: IpAddr, metrics: &Arc<Metrics>) -> Self {
        Self { service, peer: Peer(peer), _connection: metrics.connection() }
    }
}

impl<S: HyperService<http::Request<B>>, B> HyperService<http::Request<B>> for Counting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: http::Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.service.call(request)
    }
}

/// Source: the names of Bitbucket's request timers for the first; pages and git after it.
const AREAS: [&str; 3] = ["rest", "web", "scm"];
/// The last is for all others.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "other"];
/// The last is for requests that were cut off before they had an answer.
const STATUSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "none"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_known_by_its_addresses() {
        let request = |uri: &str| Request::builder().uri(uri).body(Body::empty()).unwrap();
        for (uri, service) in [
            ("/scm/a/b.git/info/refs?service=git-upload-pack", Some(Service::UploadPack)),
            ("/scm/a/b.git/info/refs?service=git-receive-pack", Some(Service::ReceivePack)),
            ("/scm/a/b.git/git-upload-pack", Some(Service::UploadPack)),
            ("/scm/a/b.git/git-receive-pack", Some(Service::ReceivePack)),
            ("/scm/a/b.git/info/refs", None),
            ("/scm/a/b.git/HEAD", None),
            ("/projects/git-upload-pack", None),
        ] {
            assert_eq!(service_of(&request(uri)), service, "{uri}");
        }
    }

    #[test]
    fn a_request_ends_with_its_answer_or_without() {
        let metrics = Arc::new(Metrics::new());
        let mut answered = Flight::begin(&metrics, &Method::POST);
        let cut_off = Flight::begin(&metrics, &Method::PATCH);
        assert_eq!(metrics.requests.in_flight(), 2);
        answered.status = Some(StatusCode::NOT_FOUND);
        drop(answered);
        drop(cut_off);
        assert_eq!(metrics.requests.in_flight(), 0);
        let counted: Vec<_> = metrics
            .requests
            .counted()
            .flat_map(|of| of.by_status.map(|(status, count)| (of.method, status, count)))
            .filter(|(.., count)| *count > 0)
            .collect();
        assert_eq!(counted, [("POST", "4xx", 1), ("other", "none", 1)]);
    }
}
