//! The front of several nodes: each request goes to the next node that answers, in rounds.
//!
//! Bodies stream both ways, nothing is buffered or changed. Nodes are asked for their `/status` all the time; one that
//! refuses a connection is left out at once. A request goes to the next node if nothing of it was sent, or if it only
//! asks and has no body; any other that a dying node took is answered with 502.

mod health;
mod node;
mod proxy;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::service::service_fn;
use tokio_util::task::AbortOnDropHandle;

use crate::limits::Limits;
use crate::{BalanceOptions, GithostError, Ready, descriptors, listen};
use node::Node;
use proxy::Front;

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
    let nodes: Vec<Node> = options.nodes.iter().map(|url| Node::parse(url)).collect::<Result<_, _>>()?;
    let mut limits = Limits::default();
    // A request takes a connection to a node too.
    limits.connections = limits.connections.min(descriptors::room_for_connections(2));
    let (listener, address) = listen::bind(options.http).await?;
    let front = Arc::new(Front::new(nodes));
    health::ask_all(&front).await;
    let asking = AbortOnDropHandle::new(tokio::spawn(health::keep_asking(Arc::clone(&front))));
    tracing::info!(%address, nodes = options.nodes.len(), "balancing");
    on_ready(&Ready::new(address, "balance"));
    let service = |peer: SocketAddr| {
        let front = Arc::clone(&front);
        service_fn(move |request| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.serve(request, peer).await) }
        })
    };
    listen::accept(listener, &limits, service, shutdown).await;
    drop(asking);
    Ok(())
}
