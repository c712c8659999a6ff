//! HTTP servers on loopback that speak TLS, HTTP/2, or both.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    rt::{Read, Write},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::{Answer, Loopback};

/// How a loopback server speaks.
#[derive(Debug, Clone)]
pub enum Speech {
    /// HTTP/2 over plain TCP, which clients must know beforehand.
    PlainHttp2,
    /// TLS, and then what both agreed on: HTTP/2 for `h2`, else HTTP/1.1.
    Tls(Arc<ServerConfig>),
}

/// A loopback server, and how many requests it answered.
#[derive(Debug)]
pub struct Secure {
    /// The server; its own count of requests stays 0.
    pub loopback: Loopback,
    requests: Arc<AtomicUsize>,
}

impl Secure {
    /// Starts a server that answers every request as the function does.
    ///
    /// # Panics
    /// If no port can be bound.
    pub async fn serve<F, R>(speech: Speech, respond: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> R + Send + Sync + 'static,
        R: Future<Output = Answer> + Send + 'static,
    {
        let respond = Arc::new(respond);
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let loopback = Loopback::raw(move |stream, _| {
            let (speech, respond, counted) = (speech.clone(), Arc::clone(&respond), Arc::clone(&counted));
            async move {
                match speech {
                    Speech::PlainHttp2 => talk(TokioIo::new(stream), true, respond, counted).await,
                    Speech::Tls(config) => {
                        // A client that does not trust the certificate leaves, as many tests want.
                        let Ok(stream) = TlsAcceptor::from(config).accept(stream).await else { return };
                        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        talk(TokioIo::new(stream), is_http2, respond, counted).await;
                    }
                }
            }
        })
        .await;
        Self { loopback, requests }
    }

    /// Returns `https://NAME:PORT`.
    pub fn https(&self, name: &str) -> String {
        let url = self.loopback.url();
        let port = url.rsplit(':').next().unwrap_or_default();
        format!("https://{name}:{port}")
    }

    /// Returns how many requests came whole.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }
}

async fn talk<S, F, R>(stream: S, is_http2: bool, respond: Arc<F>, counted: Arc<AtomicUsize>)
where
    S: Read + Write + Unpin + Send + 'static,
    F: Fn(http::Request<Bytes>) -> R + Send + Sync + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (respond, counted) = (Arc::clone(&respond), Arc::clone(&counted));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            counted.fetch_add(1, Ordering::AcqRel);
            Ok::<_, std::convert::Infallible>(respond(http::Request::from_parts(head, body)).await)
        }
    });
    // A client that leaves early is part of many tests.
    if is_http2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(stream, service).await;
    }
}
