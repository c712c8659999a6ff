//! One node behind the front: whether it answers, and the connections to it that are free.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::proxy::Outgoing;
use crate::GithostError;

/// A node and its free connections.
pub(super) struct Node {
    /// `host:port`.
    pub(super) authority: String,
    /// `host:port` of its SSH.
    ssh: Option<String>,
    running: AtomicBool,
    free: Arc<Mutex<VecDeque<Free>>>,
}

struct Free {
    sender: SendRequest<Outgoing>,
    since: Instant,
}

/// A connection that carries one request at a time.
pub(super) struct Connection {
    sender: SendRequest<Outgoing>,
    free: Arc<Mutex<VecDeque<Free>>>,
}

/// Why a request got no response.
pub(super) enum Unanswered {
    /// Not a byte of it was sent; here it is again.
    Unsent(Box<Request<Outgoing>>),
    /// It was sent, or part of it.
    Lost(hyper::Error),
}

impl Node {
    /// Reads a base URL: `http`, a host, perhaps a port, no path.
    pub(super) fn parse(url: &str) -> Result<Self, GithostError> {
        let wrong = || GithostError::NodeUrl { url: url.to_owned() };
        let uri: http::Uri = url.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let plain = uri.path() == "/" && uri.query().is_none();
        if uri.scheme_str() != Some("http")
            || !plain
            || uri.authority().is_some_and(|it| it.as_str().contains('@'))
        {
            return Err(wrong());
        }
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        Ok(Self { authority, ssh: None, running: AtomicBool::new(false), free: Arc::default() })
    }

    /// Adds where it serves SSH: `ssh`, a host, perhaps a port, no path.
    pub(super) fn with_ssh(self, url: Option<&String>) -> Result<Self, GithostError> {
        let Some(url) = url else { return Ok(self) };
        let wrong = || GithostError::SshNodeUrl { url: url.clone() };
        let uri: http::Uri = url.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if uri.scheme_str() != Some("ssh")
            || !plain
            || uri.authority().is_some_and(|it| it.as_str().contains('@'))
        {
            return Err(wrong());
        }
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(22));
        Ok(Self { ssh: Some(authority), ..self })
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    /// Notes how the node is; a change is logged.
    pub(super) fn note(&self, running: bool) {
        if self.running.swap(running, Ordering::Relaxed) != running {
            tracing::info!(node = self.authority, running, "a node changed");
        }
    }

    /// Returns a free connection, or none.
    pub(super) fn reuse(&self) -> Option<Connection> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        // The latest first: those that idle can then grow old and go.
        while let Some(candidate) = free.pop_back() {
            if candidate.sender.is_ready() && candidate.since.elapsed() < LONGEST_IDLE {
                return Some(Connection { sender: candidate.sender, free: Arc::clone(&self.free) });
            }
        }
        None
    }

    /// Closes the connections that have been free for long.
    pub(super) fn close_idle(&self) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while free.front().is_some_and(|oldest| oldest.since.elapsed() > LONGEST_IDLE) {
            free.pop_front();
        }
    }

    /// Makes a new connection, within a bound.
    pub(super) async fn connect(&self) -> std::io::Result<Connection> {
        let stream = reach(&self.authority).await?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        // It ends when its sender is dropped, or the node closes it.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a node ended early");
            }
        });
        Ok(Connection { sender, free: Arc::clone(&self.free) })
    }

    /// Makes a new connection for SSH, within a bound.
    pub(super) async fn connect_ssh(&self) -> std::io::Result<TcpStream> {
        match &self.ssh {
            Some(authority) => reach(authority).await,
            None => Err(std::io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Connects within a bound.
async fn reach(authority: &str) -> std::io::Result<TcpStream> {
    let timed_out = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let stream =
        tokio::time::timeout(CONNECT_WAIT, TcpStream::connect(authority)).await.map_err(timed_out)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Connection {
    /// Sends a request; the connection is free again once the response's body has been read.
    pub(super) async fn send(
        mut self,
        request: Request<Outgoing>,
    ) -> Result<http::Response<Incoming>, Unanswered> {
        let response = self.send_last(request).await?;
        tokio::spawn(self.free_when_ready());
        Ok(response)
    }

    /// Sends a request after which the connection is closed.
    pub(super) async fn send_last(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<http::Response<Incoming>, Unanswered> {
        if let Err(error) = self.sender.ready().await {
            tracing::debug!(%error, "a kept connection was closed");
            return Err(Unanswered::Unsent(Box::new(request)));
        }
        self.sender.try_send_request(request).await.map_err(|mut unsent| match unsent.take_message() {
            Some(request) => Unanswered::Unsent(Box::new(request)),
            None => Unanswered::Lost(unsent.into_error()),
        })
    }

    async fn free_when_ready(mut self) {
        if self.sender.ready().await.is_ok() {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            if free.len() >= MOST_FREE {
                free.pop_front();
            }
            free.push_back(Free { sender: self.sender, since: Instant::now() });
        }
    }
}

const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// Well below the time after which a node closes an idle connection.
const LONGEST_IDLE: Duration = Duration::from_secs(15);
const MOST_FREE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_base_urls_are_nodes() {
        assert_eq!(Node::parse("http://127.0.0.1:7990").unwrap().authority, "127.0.0.1:7990");
        assert_eq!(Node::parse("http://[::1]:7990/").unwrap().authority, "[::1]:7990");
        assert_eq!(Node::parse("http://git.example").unwrap().authority, "git.example:80");
        for bad in
            ["", "127.0.0.1:7990", "https://x", "http://x/path", "http://a:b@x", "http://x?y", "http://"]
        {
            assert!(Node::parse(bad).is_err(), "{bad}");
        }
    }
    #[test]
    fn only_plain_ssh_urls_are_where_nodes_serve_ssh() {
        let parse = |url: &str| Node::parse("http://a").unwrap().with_ssh(Some(&url.to_owned()));
        assert_eq!(parse("ssh://127.0.0.1:7999").unwrap().ssh.as_deref(), Some("127.0.0.1:7999"));
        assert_eq!(parse("ssh://[::1]:7999").unwrap().ssh.as_deref(), Some("[::1]:7999"));
        assert_eq!(parse("ssh://git.example").unwrap().ssh.as_deref(), Some("git.example:22"));
        for bad in ["", "127.0.0.1:7999", "http://x:1", "ssh://x/path", "ssh://git@x:1", "ssh://"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
