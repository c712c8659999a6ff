//! What can go wrong in an exchange, and which outcome of an op that is.

use std::{io, time::Duration};

use e3_model::Outcome;

use crate::{connection::Broken, parsing::Violation};

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
    /// The certificates to trust cannot be used.
    #[error("cannot tell whose certificates to trust: {reason}")]
    Trust {
        /// What is wrong with them.
        reason: String,
    },
    /// No encrypted connection came to be: the certificate is not trusted, not valid now or another's, or it is no TLS.
    #[error("cannot speak TLS with {authority}")]
    Tls {
        /// The server.
        authority: String,
        /// What the TLS library says.
        source: io::Error,
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
    /// The server's name has no address.
    #[error("cannot find the address of {host}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver says.
        source: io::Error,
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
        source: io::Error,
    },
    /// What came is not HTTP.
    #[error("{authority} does not speak HTTP as it should")]
    Malformed {
        /// The server.
        authority: String,
        /// How the server breaks HTTP.
        source: Violation,
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
            Self::Resolve { .. } | Self::Connect { .. } | Self::Tls { .. } | Self::Connection { .. } => {
                Outcome::Connection
            }
            Self::ConnectTimeout { .. } => Outcome::Timeout,
            Self::Malformed { .. } | Self::BodyTooLarge { .. } | Self::Encoding { .. } => Outcome::Protocol,
            Self::BaseUrl { .. } | Self::Trust { .. } | Self::Request { .. } | Self::ForeignOrigin { .. } => {
                Outcome::Unexpected
            }
        }
    }

    pub(crate) fn of_exchange(authority: &str, broken: Broken) -> Self {
        let authority = authority.to_owned();
        match broken {
            Broken::Io(source) => Self::Connection { authority, source },
            Broken::Violation(source) => Self::Malformed { authority, source },
        }
    }
}
