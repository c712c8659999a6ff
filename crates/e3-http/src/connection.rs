//! One connection to the server and the task that drives it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use crate::{
    BaseUrl, HttpError,
    wire::{Trace, Wire},
};

/// An open connection; dropping it closes the socket at once.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    pub(crate) trace: Trace,
}

/// An exchange that failed before its response's head.
pub(crate) struct Failed {
    pub(crate) error: hyper::Error,
    /// The request, if not one byte of it left this process.
    pub(crate) unsent: Option<http::Request<Full<Bytes>>>,
    /// Whether the server had begun to answer.
    pub(crate) answered: bool,
}

impl Connection {
    /// Connects, within [`CONNECT_BOUND`].
    pub(crate) async fn open(base: &BaseUrl) -> Result<Self, HttpError> {
        let authority = || base.authority().to_owned();
        let stream = timeout(CONNECT_BOUND, TcpStream::connect((base.host(), base.port())))
            .await
            .map_err(|_| HttpError::ConnectTimeout { authority: authority(), bound: CONNECT_BOUND })?
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|source| HttpError::Connect { authority: authority(), source })?;
        let (wire, trace) = Wire::new(stream);
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(READ_BUFFER)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|source| HttpError::of_exchange(base.authority(), source))?;
        let driver = tokio::spawn(async move {
            // Whatever ends the connection also reaches the exchange that is under way, which reports it.
            let _ = connection.await;
        });
        Ok(Self { sender, driver, trace })
    }

    /// Waits until the previous exchange is wholly over; returns whether the connection can carry another.
    pub(crate) async fn is_reusable(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, Failed> {
        let read_before = self.trace.bytes_read();
        self.sender.try_send_request(request).await.map_err(|mut failure| Failed {
            unsent: failure.take_message(),
            error: failure.into_error(),
            answered: self.trace.bytes_read() > read_before,
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

const CONNECT_BOUND: Duration = Duration::from_secs(10);

/// The most that one read of the socket takes, which also bounds a response's head; hyper grows up to it while
/// reads come back full. Large, since small reads are what a client draining packs spends its time on.
const READ_BUFFER: usize = 256 << 10;
