//! SSH through the front: each connection goes to the next node, and its bytes are passed on as they are.
//!
//! Who the client is and what it may is between it and the node, which all nodes answer under the same host key.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::proxy::Front;
use crate::limits::Limits;
use crate::listen;
use crate::room::Room;

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
                // Only the node sees what a client says, and ends one that does not sign in.
                place.spoke();
                connections.spawn(async move {
                    let _place = place;
                    pass(&front, stream, peer).await;
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
async fn pass(front: &Front, mut client: TcpStream, peer: SocketAddr) {
    for node in front.ssh_round() {
        match node.connect_ssh().await {
            Ok(stream) => return join(&mut client, stream).await,
            Err(error) => {
                tracing::debug!(node = node.authority, %error, "cannot connect to a node by SSH");
                node.note(false);
            }
        }
    }
    tracing::warn!(%peer, "no node answers by SSH");
}

/// Copies both ways until both have ended. One that ends alone is passed on as such: a client that has said all still reads.
async fn join(client: &mut TcpStream, mut node: TcpStream) {
    let (from_client, to_client) = client.split();
    let (from_node, to_node) = node.split();
    let up = copy(from_client, to_node);
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

async fn copy(from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut from = BufReader::with_capacity(CHUNK, from);
    tokio::io::copy_buf(&mut from, &mut to).await?;
    to.shutdown().await
}

/// A few of the largest packets of SSH.
const CHUNK: usize = 128 << 10;
const LAST_WORDS: Duration = Duration::from_secs(5);
