//! One connection to the server, of whichever version of HTTP.

use std::{io, time::Instant};

use e3_model::HttpVersion;

use crate::{
    BaseUrl, HttpError, HttpWay, headers::Headers, http1::Http1, http2::Http2, message::Message,
    parsing::Violation, stream::Stream,
};

/// An open connection; dropping it closes the socket at once.
pub(crate) enum Connection {
    Http1(Box<Http1>),
    Http2(Box<Http2>),
}

/// The head of a response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) sets_cookies: bool,
    /// The length of the body; none if the server did not tell.
    pub(crate) announced: Option<u64>,
    /// When the request's last byte was handed to the operating system.
    pub(crate) sent_at: Instant,
    /// When the head was there.
    pub(crate) head_at: Instant,
}

/// What ended an exchange before its time.
#[derive(Debug)]
pub(crate) enum Broken {
    Io(io::Error),
    Violation(Violation),
}

/// An exchange that failed before its response's head.
pub(crate) struct Failed {
    pub(crate) error: Broken,
    /// Whether the server cannot have acted on the request.
    pub(crate) unsent: bool,
    /// Whether the server had begun to answer.
    pub(crate) answered: bool,
}

impl Connection {
    /// Connects, within ten seconds.
    pub(crate) async fn open(base: &BaseUrl, way: &HttpWay) -> Result<Self, HttpError> {
        let (stream, version) = Stream::open(base, way).await?;
        Ok(match version {
            HttpVersion::Http1 => Self::Http1(Box::new(Http1::new(stream))),
            HttpVersion::Http2 => {
                let opened = Http2::open(stream).await;
                Self::Http2(Box::new(
                    opened.map_err(|error| HttpError::of_exchange(base.authority(), error))?,
                ))
            }
        })
    }

    /// Returns whether the connection, idle until now, can carry another exchange.
    pub(crate) fn is_reusable(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_reusable(),
            Self::Http2(connection) => connection.is_reusable(),
        }
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn exchange(&mut self, message: &Message<'_>) -> Result<Answer, Failed> {
        match self {
            Self::Http1(connection) => connection.exchange(message).await,
            Self::Http2(connection) => Box::pin(connection.exchange(message)).await,
        }
    }

    /// Makes [`Connection::piece`] the next piece of the body; returns its length and whether it had to be waited for, none
    /// at the body's end.
    pub(crate) async fn next(&mut self) -> Result<Option<(usize, bool)>, Broken> {
        match self {
            Self::Http1(connection) => connection.next().await,
            Self::Http2(connection) => connection.next().await,
        }
    }

    /// Returns the piece of the body that was handed out last.
    pub(crate) fn piece(&self) -> &[u8] {
        match self {
            Self::Http1(connection) => connection.piece(),
            Self::Http2(connection) => connection.piece(),
        }
    }

    /// Returns whether the whole body was handed out.
    pub(crate) fn is_drained(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_drained(),
            Self::Http2(connection) => connection.is_drained(),
        }
    }

    /// Ends the exchange, whose body was drained; returns whether another may follow.
    pub(crate) fn rest(&mut self) -> bool {
        match self {
            Self::Http1(connection) => connection.rest(),
            Self::Http2(_) => true,
        }
    }

    /// Takes back the memory of an answer's headers.
    pub(crate) fn recycle(&mut self, headers: Headers) {
        if let Self::Http1(connection) = self {
            connection.recycle(headers);
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}
