//! SSH through the front: each connection goes to the next node, and its bytes are passed on as they are.
//!
//! Who the client is and what it may is between it and the node, which all nodes answer under the same host key.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::proxy::Front;
use crate::limits::Limits;
use crate::listen;
use crate::room::{Place, Room};

/// Passes every connection on until the shutdown; then lets them end within the limit.
pub(super) async fn accept(
    listener: TcpListener,
    limits: &Limits,
    front: Arc<Front>,
    shutdown: impl Future<Output = ()>,
) {
    let room = Room::new(limits.ssh_connections);
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listen::accept_one(&listener, &room) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let front = Arc::clone(&front);
                connections.spawn(async move {
                    tokio::select! {
                        () = pass(&front, stream, peer, &place) => {}
                        () = place.is_wanted() => tracing::debug!(%peer, "others want the place of a silent client"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(listen::ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(limits.shutdown_seconds), all).await.is_err() {
        tracing::warn!(connections = connections.len(), "SSH connections were cut off by the shutdown");
        connections.shutdown().await;
    }
}

/// Connects the client with the first node that can be reached. If there is none, the client is told by the end of it.
async fn pass(front: &Front, mut client: TcpStream, peer: SocketAddr, place: &Place) {
    for node in front.ssh_round() {
        match node.connect_ssh().await {
            Ok(stream) => return join(&mut client, stream, place).await,
            Err(error) => {
                tracing::debug!(node = node.authority, %error, "cannot connect to a node by SSH");
                node.note(false);
            }
        }
    }
    tracing::warn!(%peer, "no node answers by SSH");
}

/// Copies both ways until both have ended. One that ends alone is passed on as such: a client that has said all still reads.
async fn join(client: &mut TcpStream, mut node: TcpStream, place: &Place) {
    let (from_client, to_client) = client.split();
    let (from_node, to_node) = node.split();
    let up = copy(Heard { stream: from_client, said: Said::Nothing, place }, to_node);
    let down = copy(from_node, to_client);
    tokio::pin!(up, down);
    tokio::select! {
        copied = &mut up => if copied.is_ok() {
            // A node ends what nobody uses.
            let _ = down.await;
        },
        copied = &mut down => if copied.is_ok() {
            // Nobody is interested any more in what a client sends now.
            let _ = tokio::time::timeout(LAST_WORDS, up).await;
        },
    }
}

/// Copies with a buffer that grows with what comes at once: thousands of connections may say a few words and rest.
async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut buffer = vec![0; FEW_WORDS];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..read).unwrap_or_default()).await?;
        if read == buffer.len() && read < CHUNK {
            buffer = vec![0; read.saturating_mul(4).min(CHUNK)];
        }
    }
}

/// What a client sends. Its first bytes after its identification show that it speaks; from then on it may stay as long
/// as its node lets it, as nobody else can tell what is under way. Source: RFC 4253, section 4.2.
struct Heard<'a, R> {
    stream: R,
    said: Said,
    place: &'a Place,
}

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Identification,
    Something,
}

impl Said {
    /// Returns how far it has come with these bytes.
    fn and(self, bytes: &[u8]) -> Self {
        let after = match self {
            Self::Something => return self,
            Self::Identification => bytes,
            Self::Nothing => match bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => bytes.get(end + 1..).unwrap_or_default(),
                None => return self,
            },
        };
        if after.is_empty() { Self::Identification } else { Self::Something }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Heard<'_, R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        if self.said != Said::Something {
            self.said = self.said.and(into.filled().get(before..).unwrap_or_default());
            if self.said == Said::Something {
                self.place.is_busy();
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What both sides say before anything is transferred fits into it, or nearly.
const FEW_WORDS: usize = 2 << 10;
/// A few of the largest packets of SSH.
const CHUNK: usize = 128 << 10;
const LAST_WORDS: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_speaks_with_the_first_byte_after_its_identification() {
        for (pieces, said, why) in [
            (&[][..], Said::Nothing, "it is silent"),
            (&["SSH-2.0-x"], Said::Nothing, "a line without its end"),
            (&["SSH-2.0-x", "\r\n"], Said::Identification, "what everybody sends before it knows the server"),
            (&["SSH-2.0-x\r\n", ""], Said::Identification, "nothing is not something"),
            (&["SSH-2.0-x\r\n\0"], Said::Something, "in one piece"),
            (&["SSH-2.0-x\r\n", "\0"], Said::Something, "in two"),
            (&["SSH-2.0-x\r", "\n\0", "\0"], Said::Something, "for good"),
        ] {
            let come = pieces.iter().fold(Said::Nothing, |said, piece| said.and(piece.as_bytes()));
            assert_eq!(come, said, "{why}");
        }
    }
}
