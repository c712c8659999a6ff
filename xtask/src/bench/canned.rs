//! A web server in this process that gives again from memory what git's own http-backend answered once.
//!
//! The first request of its kind is put to the backend; every later one that is the same to the byte gets the same answer,
//! in one write. So clients that ask differently are each answered as the backend answers them, and a client that is
//! measured never waits for a server that thinks.

mod backend;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use rustix::net::sockopt::set_tcp_congestion;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The server, as long as this lives.
pub(super) struct Canned {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    /// Repositories lie below it; `/scm/P/r.git` is `scm/P/r.git`.
    root: PathBuf,
    answers: Mutex<HashMap<Vec<u8>, Bytes>>,
    /// The requests of the last connection that fetched a pack.
    last_clone: Mutex<Vec<Exchange>>,
}

/// A request as it came, and how many bytes it was answered with.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    /// Head and body.
    pub(super) request: Vec<u8>,
    /// The size of the answer with its head.
    pub(super) answer_bytes: usize,
}

impl Canned {
    /// Serves all repositories below a directory on a free port of loopback.
    ///
    /// # Errors
    /// When there is no free port.
    pub(super) async fn start(root: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("there is no free port")?;
        // Of an algorithm that paces what it sends, such as BBR, a client on the same machine pays the timers.
        set_tcp_congestion(&listener, "reno").context("cannot choose how congestion is avoided")?;
        let port = listener.local_addr().context("there is no free port")?.port();
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            answers: Mutex::default(),
            last_clone: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { port, shared, accepting })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the requests of the last clone, in their order.
    pub(super) fn last_clone(&self) -> Vec<Exchange> {
        self.shared.last_clone.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A client that goes away is no concern of the server; one that is refused fails its own measurement.
        tokio::spawn(async move { converse(stream, &shared).await });
    }
}

async fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(16 << 10);
    let mut exchanges = Vec::new();
    loop {
        let length = loop {
            if let Some(length) = length_of(&received).filter(|length| received.len() >= *length) {
                break length;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let request: Vec<u8> = received.drain(..length).collect();
        let answer = shared.answer(&request).await?;
        stream.write_all(&answer).await?;
        let is_pack = request.windows(PACK.len()).any(|window| window == PACK) || answer.len() > LARGE;
        exchanges.push(Exchange { request, answer_bytes: answer.len() });
        if is_pack {
            let exchanges = std::mem::take(&mut exchanges);
            *shared.last_clone.lock().unwrap_or_else(PoisonError::into_inner) = exchanges;
        }
    }
}

impl Shared {
    async fn answer(&self, request: &[u8]) -> io::Result<Bytes> {
        let known = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(request).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = Bytes::from(backend::answer(&self.root, request).await?);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(request.to_vec(), answer.clone());
        Ok(answer)
    }
}

/// Returns the size of the request that begins here, once its head is whole.
fn length_of(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|window| window == b"\r\n\r\n")?.saturating_add(4);
    let text = String::from_utf8_lossy(received.get(..head)?).to_ascii_lowercase();
    let field = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some(head.saturating_add(field.and_then(|value| value.trim().parse().ok()).unwrap_or(0)))
}

/// What asks for a pack, where the request is not compressed.
const PACK: &[u8] = b"command=fetch";
/// No answer but a pack is as large.
const LARGE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_where_its_head_says() {
        let body = b"POST /x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET";
        assert_eq!(length_of(body), Some(body.len() - 3));
        assert_eq!(length_of(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Some(27));
        assert_eq!(length_of(b"GET / HTTP/1.1\r\nHost"), None);
    }
}
