//! Counting requests by HTTP, from their head to the last byte of their answer.

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
use http::{Method, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::service::Service as HyperService;

use super::{Metrics, Present, Transport, load};
use crate::git::Service;
use crate::state::App;

/// Requests by method and by how they ended.
#[derive(Debug, Default)]
pub(super) struct Requests {
    each: [OfMethod; METHODS.len()],
    in_flight: AtomicU64,
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
}

/// Counts a request of any route but those for machines and for looks: `/status`, `/metrics`, style and icon.
pub(crate) async fn count(State(host): State<App>, request: Request, next: Next) -> Response {
    let metrics = Arc::clone(&host.metrics);
    let service = service_of(&request);
    let mut flight = Flight::begin(&metrics, request.method());
    let request = match service {
        Some(service) => {
            let metrics = Arc::clone(&metrics);
            let count = move |bytes| metrics.git_bytes(service, Transport::Http, (bytes, 0));
            request.map(|body| Body::new(Through { body, count, _flight: None }))
        }
        None => request,
    };
    let response = next.run(request).await;
    flight.status = Some(response.status());
    let count = move |bytes| {
        if let Some(service) = service {
            metrics.git_bytes(service, Transport::Http, (0, bytes));
        }
    };
    response.map(|body| Body::new(Through { body, count, _flight: Some(flight) }))
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

impl Flight {
    fn begin(metrics: &Arc<Metrics>, method: &Method) -> Self {
        metrics.requests.in_flight.fetch_add(1, Ordering::Relaxed);
        let method = METHODS.iter().position(|name| *name == method.as_str());
        let method = method.unwrap_or(METHODS.len() - 1);
        Self { metrics: Arc::clone(metrics), method, begun: Instant::now(), status: None }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
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

/// The service of one connection, which is counted as long as this lives.
pub(crate) struct Counting<S> {
    service: S,
    _connection: Present,
}

impl<S> Counting<S> {
    pub(crate) fn new(service: S, metrics: &Arc<Metrics>) -> Self {
        Self { service, _connection: metrics.connection() }
    }
}

impl<S: HyperService<R>, R> HyperService<R> for Counting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: R) -> Self::Future {
        self.service.call(request)
    }
}

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
