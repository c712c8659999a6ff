//! What a server says once, when it listens.

use std::net::SocketAddr;

use serde::Serialize;

/// The one line on stdout: `{"event":"ready","http":"http://127.0.0.1:7990","ssh":"ssh://127.0.0.1:7999","hostKey":
/// "ssh-ed25519 AAAA...","node":"1","pid":123}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename = "ready")]
pub struct Ready {
    /// The base URL of HTTP, with the port that was really taken.
    pub http: String,
    /// The base URL of SSH, with the port that was really taken; none if SSH is not served.
    pub ssh: Option<String>,
    /// The preferred public host key of SSH, without a comment; none if SSH is not served, and none from the front, which
    /// only passes on what the nodes say.
    #[serde(rename = "hostKey")]
    pub host_key: Option<String>,
    /// The node's name; `balance` for the front.
    pub node: String,
    /// This process.
    pub pid: u32,
}

impl Ready {
    pub(crate) fn new(http: SocketAddr, node: &str) -> Self {
        Self {
            http: format!("http://{http}"),
            ssh: None,
            host_key: None,
            node: node.to_owned(),
            pid: std::process::id(),
        }
    }

    /// Adds where SSH is served, and under which host key.
    pub(crate) fn with_ssh(self, address: Option<SocketAddr>, host_key: Option<String>) -> Self {
        Self { ssh: address.map(|address| format!("ssh://{address}")), host_key, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_line_of_the_documented_shape() {
        let ready = Ready { pid: 123, ..Ready::new(([127, 0, 0, 1], 7990).into(), "1") };
        assert_eq!(
            serde_json::to_string(&ready).unwrap(),
            r#"{"event":"ready","http":"http://127.0.0.1:7990","ssh":null,"hostKey":null,"node":"1","pid":123}"#
        );
        let ready = ready.with_ssh(Some(([127, 0, 0, 1], 7999).into()), Some("ssh-ed25519 AAAA".to_owned()));
        assert_eq!(
            serde_json::to_string(&ready).unwrap(),
            r#"{"event":"ready","http":"http://127.0.0.1:7990","ssh":"ssh://127.0.0.1:7999","hostKey":"ssh-ed25519 AAAA","node":"1","pid":123}"#
        );
    }
}
