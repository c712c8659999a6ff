//! What a server says once, when it listens.

use std::net::SocketAddr;

use serde::Serialize;

/// The one line on stdout: `{"event":"ready","http":"http://127.0.0.1:7990","ssh":null,"node":"1","pid":123}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename = "ready")]
pub struct Ready {
    /// The base URL of HTTP, with the port that was really taken.
    pub http: String,
    /// The base URL of SSH; none while SSH is not served.
    pub ssh: Option<String>,
    /// The node's name; `balance` for the front.
    pub node: String,
    /// This process.
    pub pid: u32,
}

impl Ready {
    pub(crate) fn new(http: SocketAddr, node: &str) -> Self {
        Self { http: format!("http://{http}"), ssh: None, node: node.to_owned(), pid: std::process::id() }
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
            r#"{"event":"ready","http":"http://127.0.0.1:7990","ssh":null,"node":"1","pid":123}"#
        );
    }
}
