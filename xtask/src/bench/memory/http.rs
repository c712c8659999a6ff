//! The answers over smart HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::{JoinHandle, JoinSet};

use super::answers::{Answers, Asked};

/// A server on a free port of loopback; dropping it ends it.
pub(super) struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server that sends no pack before so many clients as the barrier has room for ask for one.
    ///
    /// # Errors
    /// When no port can be bound.
    pub(super) async fn start(answers: Arc<Answers>, all_wait: Arc<Barrier>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port is free")?;
        let address = listener.local_addr().context("a bound socket has no address")?;
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // A client that leaves ends its connection.
                open.spawn(talk(stream, Arc::clone(&answers), Arc::clone(&all_wait)));
            }
        });
        Ok(Self { address, accepting })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn talk(stream: TcpStream, answers: Arc<Answers>, all_wait: Arc<Barrier>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let (what, body) = request(&mut stream).await?;
        let (kind, answer) = if what.starts_with("GET ") {
            ("advertisement", &answers.capabilities)
        } else {
            match Asked::by(&body) {
                Some(Asked::Refs) => ("result", &answers.refs),
                Some(Asked::Pack) => {
                    all_wait.wait().await;
                    ("result", &answers.pack)
                }
                None => bail!("{what} asks for nothing that is known"),
            }
        };
        respond(stream.get_mut(), kind, answer).await?;
    }
}

/// Reads a request: its first line and its body.
async fn request(stream: &mut BufReader<TcpStream>) -> Result<(String, Vec<u8>)> {
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            bail!("the client has left");
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((first, body))
}

async fn respond(stream: &mut TcpStream, kind: &str, answer: &Bytes) -> Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-{kind}\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await?;
    Ok(stream.write_all(answer).await?)
}
