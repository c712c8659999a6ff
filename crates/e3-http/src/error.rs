//! What can go wrong in an exchange, and which outcome of an op that is.

use std::{error::Error, io, time::Duration};

use e3_model::Outcome;

/// Why an exchange did not come to a whole response; a response with an error status is not an error here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The text is not the address of a server.
    #[error("{url:?} is not a base URL: {reason}")]
    BaseUrl {
        /// The text, without credentials.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address asks for TLS.
    #[error("{url} asks for TLS, which e3 does not speak yet: use an http:// address")]
    TlsUnsupported {
        /// The address.
        url: String,
    },
    /// The request cannot be written.
    #[error("cannot ask for {path:?}: {reason}")]
    Request {
        /// The request's path.
        path: String,
        /// What is wrong with the request.
        reason: String,
    },
    /// The request's URL leads to another server than the session's.
    #[error("{url} is not on {origin}, to which this session belongs")]
    ForeignOrigin {
        /// The request's URL.
        url: String,
        /// The session's origin.
        origin: String,
    },
    /// No connection came to be.
    #[error("cannot connect to {authority}")]
    Connect {
        /// The server.
        authority: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// No connection came to be in time.
    #[error("cannot connect to {authority} within {} s", bound.as_secs())]
    ConnectTimeout {
        /// The server.
        authority: String,
        /// How long the session waited.
        bound: Duration,
    },
    /// The connection broke before the response was whole.
    #[error("the connection to {authority} broke")]
    Connection {
        /// The server.
        authority: String,
        /// What broke it.
        source: hyper::Error,
    },
    /// What came is not HTTP/1.
    #[error("{authority} does not speak HTTP/1")]
    Malformed {
        /// The server.
        authority: String,
        /// What was malformed.
        source: hyper::Error,
    },
    /// The body is larger than the request allows.
    #[error("the body of {path} has more than {limit} bytes")]
    BodyTooLarge {
        /// The request's path.
        path: String,
        /// The most that was allowed, in bytes.
        limit: usize,
    },
    /// The body's content encoding is unknown or broken.
    #[error("cannot decode a body in encoding {encoding:?}")]
    Encoding {
        /// The value of `Content-Encoding`.
        encoding: String,
        /// What the decoder says.
        source: io::Error,
    },
}

impl HttpError {
    /// Returns the outcome of an op that ended with this error.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
                Outcome::Refused
            }
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::TimedOut => Outcome::Timeout,
            Self::Connect { .. } | Self::Connection { .. } => Outcome::Connection,
            Self::ConnectTimeout { .. } => Outcome::Timeout,
            Self::Malformed { .. } | Self::BodyTooLarge { .. } | Self::Encoding { .. } => Outcome::Protocol,
            Self::BaseUrl { .. }
            | Self::TlsUnsupported { .. }
            | Self::Request { .. }
            | Self::ForeignOrigin { .. } => Outcome::Unexpected,
        }
    }

    pub(crate) fn of_exchange(authority: &str, source: hyper::Error) -> Self {
        let authority = authority.to_owned();
        if is_malformed(&source) {
            Self::Malformed { authority, source }
        } else {
            Self::Connection { authority, source }
        }
    }
}

/// Returns whether the peer broke HTTP rather than the connection.
///
/// Source: hyper reports a malformed chunk as an I/O error of these two kinds (`proto/h1/decode.rs`).
fn is_malformed(error: &hyper::Error) -> bool {
    let chunk =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    error.is_parse()
        || error.is_parse_too_large()
        || error.is_user()
        || error.source().and_then(|source| source.downcast_ref::<io::Error>()).is_some_and(chunk)
}
