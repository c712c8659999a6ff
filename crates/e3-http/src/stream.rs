//! The bytes to and from a server, encrypted or not.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use e3_model::HttpVersion;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{BaseUrl, HttpError, HttpWay, trust::HTTP2};

/// The bytes to and from a server.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Connects within [`CONNECT_BOUND`], the TLS handshake included; returns the version of HTTP that both sides speak.
    pub(crate) async fn open(base: &BaseUrl, way: &HttpWay) -> Result<(Self, HttpVersion), HttpError> {
        let bound = CONNECT_BOUND;
        timeout(bound, Self::connect(base, way))
            .await
            .map_err(|_| HttpError::ConnectTimeout { authority: base.authority().to_owned(), bound })?
    }

    async fn connect(base: &BaseUrl, way: &HttpWay) -> Result<(Self, HttpVersion), HttpError> {
        let authority = || base.authority().to_owned();
        let connect_error = |source| HttpError::Connect { authority: authority(), source };
        let addresses = lookup_host((base.host(), base.port()))
            .await
            .map_err(|source| HttpError::Resolve { host: base.host().to_owned(), source })?;
        let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
        let mut connected = None;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    connected = Some(stream);
                    break;
                }
                Err(error) => last = error,
            }
        }
        let Some(stream) = connected else { return Err(connect_error(last)) };
        stream.set_nodelay(true).map_err(connect_error)?;
        if !base.is_tls() {
            return Ok((Self::Plain(stream), way.version));
        }
        let tls_error = |source| HttpError::Tls { authority: authority(), source };
        let name = ServerName::try_from(base.host().to_owned())
            .map_err(|error| tls_error(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let connector = TlsConnector::from(way.trust.config(way.version)?.clone());
        let stream = connector.connect(name, stream).await.map_err(tls_error)?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        let version = if is_http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
        Ok((Self::Tls(Box::new(stream)), version))
    }

    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }

    /// Writes as much as the operating system takes at once.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        head: &[u8],
        body: &[u8],
    ) -> Poll<io::Result<usize>> {
        if body.is_empty() || head.is_empty() {
            let bytes = if head.is_empty() { body } else { head };
            return AsyncWrite::poll_write(Pin::new(self), cx, bytes);
        }
        AsyncWrite::poll_write_vectored(Pin::new(self), cx, &[IoSlice::new(head), IoSlice::new(body)])
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Self::poll_read(&mut self, cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

const CONNECT_BOUND: Duration = Duration::from_secs(10);
