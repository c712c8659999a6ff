//! Asking the nodes how they are.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};

use super::node::Node;
use super::proxy::{Front, Outgoing};
use crate::status;

/// Asks every node once, all at the same time, within a bound.
pub(super) async fn ask_all(front: &Front) {
    join_all(front.nodes().iter().map(|node| async {
        let running = tokio::time::timeout(ANSWER_WAIT, ask(node)).await.ok().flatten().is_some();
        node.note(running);
    }))
    .await;
}

/// Asks every node again and again, and closes connections to it that nobody uses.
pub(super) async fn keep_asking(front: Arc<Front>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        ask_all(&front).await;
        front.nodes().iter().for_each(Node::close_idle);
    }
}

/// Returns something if the node says that it is running; on a new connection, as one that is kept proves less.
async fn ask(node: &Node) -> Option<()> {
    let request =
        Request::get("/status").header(header::HOST, &node.authority).body(Outgoing::empty()).ok()?;
    let response = node.connect().await.ok()?.send_last(request).await.ok()?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, 1024).collect().await.ok()?.to_bytes();
    (head.status == StatusCode::OK && body == status::RUNNING.as_bytes()).then_some(())
}

const INTERVAL: Duration = Duration::from_millis(500);
const ANSWER_WAIT: Duration = Duration::from_secs(2);
