//! The front of several nodes: each request goes to the next node that answers, in rounds.
//!
//! Bodies stream both ways, nothing is buffered or changed. Nodes are asked for their `/status` all the time; one that
//! refuses a connection is left out at once. A request goes to the next node if nothing of it was sent, or if it only
//! asks and has no body; any other that a dying node took is answered with 502. SSH is passed on connection by connection.

mod health;
mod node;
mod passage;
mod proxy;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::service::service_fn;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::limits::Limits;
use crate::{BalanceOptions, GithostError, Ready, descriptors, listen};
use node::Node;
use proxy::Front;

pub(crate) use proxy::FORWARDED_SSH;

/// Serves the front until the shutdown future ends.
///
/// `on_ready` is called once, when requests are accepted and every node has been asked once how it is. `GET /status` is
/// answered by the front itself: it is `RUNNING` as long as any node is.
///
/// # Errors
/// Whatever keeps the front from starting; nodes that are down do not.
///
/// # Cancellation
/// Dropping the future cuts every request off.
pub async fn balance(
    options: BalanceOptions,
    on_ready: impl FnOnce(&Ready),
    shutdown: impl Future<Output = ()>,
) -> Result<(), GithostError> {
    if options.nodes.is_empty() {
        return Err(GithostError::NoNodes);
    }
    let nodes = nodes(&options)?;
    let mut limits = Limits::default();
    // A request takes a connection to a node too.
    let room = descriptors::room_for_connections(2);
    limits.ssh_connections = options.ssh.map_or(0, |_| limits.ssh_connections.min(room / 4));
    limits.connections = limits.connections.min(room.saturating_sub(limits.ssh_connections));
    let (listener, address) = listen::bind(options.http).await?;
    let ssh = match options.ssh {
        Some(address) => Some(listen::bind(address).await?),
        None => None,
    };
    let ssh_address = ssh.as_ref().map(|(_, address)| *address);
    let front = Arc::new(Front::new(nodes, ssh_address.map(|address| address.port())));
    health::ask_all(&front).await;
    let asking = AbortOnDropHandle::new(tokio::spawn(health::keep_asking(Arc::clone(&front))));
    tracing::info!(%address, ssh = ?ssh_address, nodes = options.nodes.len(), "balancing");
    on_ready(&Ready::new(address, "balance").with_ssh(ssh_address, None));
    let stop = CancellationToken::new();
    let shutdown = async {
        shutdown.await;
        stop.cancel();
    };
    let service = |peer: SocketAddr| {
        let front = Arc::clone(&front);
        service_fn(move |request| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.serve(request, peer).await) }
        })
    };
    let http = listen::accept(listener, &limits, service, shutdown);
    let ssh = async {
        if let Some((listener, _)) = ssh {
            passage::accept(listener, &limits, Arc::clone(&front), stop.cancelled()).await;
        }
    };
    tokio::join!(http, ssh);
    drop(asking);
    Ok(())
}

fn nodes(options: &BalanceOptions) -> Result<Vec<Node>, GithostError> {
    let (nodes, ssh_nodes) = (options.nodes.len(), options.ssh_nodes.len());
    if options.ssh.is_some() && nodes != ssh_nodes {
        return Err(GithostError::SshNodes { nodes, ssh_nodes });
    }
    let ssh = options.ssh_nodes.iter().map(Some).chain(std::iter::repeat(None));
    options.nodes.iter().zip(ssh).map(|(url, ssh)| Node::parse(url)?.with_ssh(ssh)).collect()
}
