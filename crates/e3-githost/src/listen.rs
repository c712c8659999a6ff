//! Accepting connections, a bounded number at once, and letting them end in order.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::GithostError;
use crate::faults::{Cut, FRONT, pass_on};
use crate::limits::Limits;
use crate::patience::Patient;
use crate::room::{Busy, Place, Room};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Takes the address; returns the listener and the address with its real port.
pub(crate) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), GithostError> {
    let failed = |source| GithostError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves every connection by a service made for its peer, until the shutdown; then lets requests end within the limit.
pub(crate) async fn accept<S, B>(
    listener: TcpListener,
    limits: &Limits,
    service: impl Fn(SocketAddr) -> S,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let room = Room::new(limits.connections);
    let mut connections = JoinSet::new();
    let stop = CancellationToken::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept_one(&listener, &room) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let stream = TokioIo::new(Patient::new(stream, limits.git_idle()));
                let place = Arc::new(place);
                let service = Heard { service: service(peer), place: Arc::clone(&place) };
                let connection = http(limits).serve_connection(stream, service);
                let stop = stop.clone();
                connections.spawn(async move {
                    tokio::pin!(connection);
                    let ended = tokio::select! {
                        ended = &mut connection => ended,
                        () = place.is_wanted() => {
                            if !place.has_spoken() {
                                return;
                            }
                            // A request that comes just now is still answered.
                            connection.as_mut().graceful_shutdown();
                            connection.await
                        }
                        () = stop.cancelled() => {
                            connection.as_mut().graceful_shutdown();
                            connection.await
                        }
                    };
                    if let Err(error) = ended {
                        tracing::debug!(%error, %peer, "a connection ended early");
                    }
                });
            }
            Err(error) => {
                // Out of descriptors or the like: connections that end will help, asking again at once will not.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.cancel();
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(limits.shutdown_seconds), all).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests were cut off by the shutdown");
        connections.shutdown().await;
    }
}

/// Waits for a place, then for a connection to take it.
pub(crate) async fn accept_one(
    listener: &TcpListener,
    room: &Room,
) -> io::Result<(TcpStream, SocketAddr, Place)> {
    let place = room.enter().await?;
    let (stream, peer) = listener.accept().await?;
    place.rests();
    // Answers are small and awaited.
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}

/// A service that notes when a request of its connection is under way.
struct Heard<S> {
    service: S,
    place: Arc<Place>,
}

impl<S, B> Service<Request<Incoming>> for Heard<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Answered<B>>;
    /// Ends the connection.
    type Error = Cut;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Cut>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let busy = Busy::begin(&self.place);
        let is_for_front = request.headers().contains_key(FRONT);
        let answer = self.service.call(request);
        Box::pin(async move {
            let Ok(answer) = answer.await;
            Ok(pass_on(answer, is_for_front)?.map(|body| Answered { body, _busy: busy }))
        })
    }
}

/// A response's body; its request is under way until it has been sent.
struct Answered<B> {
    body: B,
    _busy: Busy,
}

impl<B: Body + Unpin> Body for Answered<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.header_seconds.max(1)))
        .max_buf_size(MOST_BUFFERED);
    http
}

/// How long to wait after an error: out of descriptors or the like.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bounds a request's head too.
const MOST_BUFFERED: usize = 256 << 10;
