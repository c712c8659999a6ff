//! How a session talks to its server.

use e3_model::{Connections, HttpVersion};

use crate::Trust;

/// How a session talks to its server: the version of HTTP, how long its connection lives, whose certificates it trusts.
///
/// Cheap to clone; by default HTTP/1.1 over a connection that is kept, trusting what the machine trusts.
#[derive(Debug, Clone)]
pub struct HttpWay {
    /// The version that is spoken. HTTP/2 is agreed upon by ALPN over TLS, falling back to HTTP/1.1, and begun at once
    /// (prior knowledge) over plain TCP.
    pub version: HttpVersion,
    /// How long the connection lives: until the server closes it, or for one exchange.
    pub connections: Connections,
    /// Whose certificates a TLS server may show.
    pub trust: Trust,
}

impl Default for HttpWay {
    fn default() -> Self {
        Self { version: HttpVersion::default(), connections: Connections::KeepAlive, trust: Trust::default() }
    }
}
