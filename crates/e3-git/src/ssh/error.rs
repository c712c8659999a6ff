//! What can go wrong below Git on an SSH connection.

use std::{io, sync::Arc, time::Duration};

use e3_model::Outcome;

/// Why a connection to an SSH server came to nothing or broke; each names the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SshError {
    /// No connection came to be.
    #[error("cannot connect to {server}")]
    Connect {
        /// The server.
        server: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Something took too long.
    #[error("waited {} s for {what} of {server}", bound.as_secs())]
    Timeout {
        /// The server.
        server: String,
        /// What was awaited.
        what: &'static str,
        /// How long.
        bound: Duration,
    },
    /// The server is not the one that was meant, as its host key tells.
    #[error(
        "{server} shows the host key {found} instead of {expected}, so it is another server than was set up"
    )]
    HostKey {
        /// The server.
        server: String,
        /// The fingerprint of the pinned key.
        expected: String,
        /// The fingerprint of the key that the server showed.
        found: String,
    },
    /// The server does not let this key in.
    #[error("{server} does not let the key {fingerprint} in; is it registered there?")]
    Denied {
        /// The server.
        server: String,
        /// The fingerprint of the user's public key.
        fingerprint: String,
    },
    /// The server took leave in the middle.
    #[error("{server} ended the connection: {message}")]
    Disconnected {
        /// The server.
        server: String,
        /// Its words.
        message: String,
    },
    /// The server opens no channel on a connection that it let in.
    #[error("{server} opens no channel for a command: {reason}")]
    NoChannel {
        /// The server.
        server: String,
        /// Its reason.
        reason: &'static str,
    },
    /// The connection broke, or what came over it is not SSH.
    #[error("the SSH connection to {server} failed during {during}")]
    Broken {
        /// The server.
        server: String,
        /// What was under way.
        during: &'static str,
        /// What broke it.
        source: Arc<russh::Error>,
    },
}

impl SshError {
    /// Returns the outcome of an op that ended with this error.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Connect { source, .. } => match source.kind() {
                io::ErrorKind::ConnectionRefused => Outcome::Refused,
                io::ErrorKind::TimedOut => Outcome::Timeout,
                _ => Outcome::Connection,
            },
            Self::Timeout { .. } => Outcome::Timeout,
            // The server works; it was told other keys, or lets nobody do this.
            Self::HostKey { .. } | Self::Denied { .. } | Self::NoChannel { .. } => Outcome::Git,
            Self::Disconnected { .. } => Outcome::Connection,
            Self::Broken { source, .. } => outcome_of(source),
        }
    }
}

fn outcome_of(error: &russh::Error) -> Outcome {
    match error {
        russh::Error::IO(_)
        | russh::Error::Disconnect
        | russh::Error::HUP
        | russh::Error::SendError
        | russh::Error::RecvError
        | russh::Error::Join(_) => Outcome::Connection,
        russh::Error::ConnectionTimeout
        | russh::Error::KeepaliveTimeout
        | russh::Error::InactivityTimeout
        | russh::Error::Elapsed(_) => Outcome::Timeout,
        _ => Outcome::Protocol,
    }
}
