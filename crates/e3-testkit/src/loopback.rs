//! HTTP servers on loopback, for what a real server would answer and for what none should.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// What a loopback server answers; a body that fails closes the connection in its middle.
pub type Answer = http::Response<UnsyncBoxBody<Bytes, io::Error>>;

/// Returns an answer with these headers and this body.
///
/// # Panics
/// If a header is none.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut answer = http::Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    answer.body(body).expect("the test's headers are valid")
}

/// A server on a free port of loopback that counts what reaches it; dropping it closes its connections.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Loopback {
    /// Starts an HTTP server that answers every request as the function does.
    ///
    /// # Panics
    /// If no port can be bound.
    pub async fn serve<F, R>(respond: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> R + Send + Sync + 'static,
        R: Future<Output = Answer> + Send + 'static,
    {
        let respond = Arc::new(respond);
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        Self::start(requests, move |stream, _| {
            let (respond, counted) = (Arc::clone(&respond), Arc::clone(&counted));
            async move {
                let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let (respond, counted) = (Arc::clone(&respond), Arc::clone(&counted));
                    async move {
                        let (head, body) = request.into_parts();
                        let body =
                            body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                        counted.fetch_add(1, Ordering::AcqRel);
                        Ok::<_, Infallible>(respond(http::Request::from_parts(head, body)).await)
                    }
                });
                // A client that leaves early is part of many tests.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            }
        })
        .await
    }

    /// Starts a server that hands every connection, with its number from 0, to the function.
    ///
    /// # Panics
    /// If no port can be bound.
    pub async fn raw<F, R>(talk: F) -> Self
    where
        F: Fn(TcpStream, usize) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::start(Arc::default(), talk).await
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many connections were accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Returns how many requests came whole; a raw server does not count them.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }

    async fn start<F, R>(requests: Arc<AtomicUsize>, talk: F) -> Self
    where
        F: Fn(TcpStream, usize) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { return };
                        open.spawn(talk(stream, counted.fetch_add(1, Ordering::AcqRel)));
                    }
                    Some(ended) = open.join_next() => {
                        // A script that panics is a broken test, not a closed connection.
                        if let Err(error) = ended { assert!(error.is_cancelled(), "the server's script failed: {error}"); }
                    }
                }
            }
        });
        Self { address, connections, requests, accepting }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
