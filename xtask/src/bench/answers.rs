//! A server that does nothing but answer: the same bytes for every request, over connections that stay open.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The server; it ends when this is dropped.
pub(super) struct Answers {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Answers {
    /// Starts it on a free port of the loopback, with one thread of its own.
    pub(super) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.context("cannot start a runtime")?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("cannot listen")?;
        let address = listener.local_addr().context("the listener has no address")?;
        runtime.spawn(async move {
            // A connection that cannot be accepted fails its client, which says so.
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(answer(stream));
                }
            }
        });
        Ok(Self { address, _runtime: runtime })
    }

    /// Returns where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Answers one connection's requests, each without a body, until the client closes it.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {BODY}\r\n\r\n");
    let whole = [head.as_bytes(), &[b'x'; BODY]].concat();
    let mut request = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            stream.write_all(&whole).await?;
        }
    }
}

/// How many bytes each answer's body has.
const BODY: usize = 1024;
