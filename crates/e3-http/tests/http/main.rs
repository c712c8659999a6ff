//! The session against real sockets.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod bad_servers;
mod bodies;
mod http2;
mod session;
mod tls;

use e3_http::{BaseUrl, HttpSession};
use e3_testkit::Loopback;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn session(server: &Loopback) -> HttpSession {
    HttpSession::new(BaseUrl::parse(&server.url()).unwrap())
}

/// Reads one request without a body from the socket; false if the client hung up before.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
            _ => return false,
        }
    }
    true
}

/// A server that answers every connection's first request with these bytes and closes it.
async fn scripted(bytes: &'static [u8]) -> Loopback {
    Loopback::raw(move |mut stream, _| async move {
        if read_request(&mut stream).await {
            let _ = stream.write_all(bytes).await;
        }
    })
    .await
}
