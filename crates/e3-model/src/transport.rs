//! How clients talk to the system under test: the same for every client of a stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Span;

/// How the clients of a stage talk to the system under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", default)]
pub struct Transport {
    /// How long one op may take before it is recorded as timed out.
    pub op_timeout: Span,
    /// How long connections live; none for what each kind of client does by itself: web and HTTP clients keep theirs,
    /// Git clients open one for every op, as `git` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Connections>,
    /// The version of HTTP that is spoken.
    pub http: HttpVersion,
    /// Which packs have their checksum verified.
    pub verify: Verify,
}

impl Transport {
    /// How long an op may take where nothing is said; Bitbucket itself gives up a queued Git operation after five minutes.
    pub const OP_TIMEOUT: Span = Span::from_secs(300);
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            op_timeout: Self::OP_TIMEOUT,
            connections: None,
            http: HttpVersion::default(),
            verify: Verify::default(),
        }
    }
}

/// How long a client's connections live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Connections {
    /// From op to op, until the server closes them: one HTTP connection, or one SSH connection with a channel an op.
    KeepAlive,
    /// For one op.
    PerOp,
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2: over TLS when the server agrees (ALPN), over plain connections with prior knowledge.
    #[serde(rename = "2")]
    Http2,
}

/// Which packs have their checksum verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// Every one.
    #[default]
    Always,
    /// One in [`Verify::SAMPLE`], and of all others the header, the framing and the end; reports say so.
    Sampled,
}

impl Verify {
    /// Of how many packs one is verified where they are sampled.
    pub const SAMPLE: u32 = 16;
}
