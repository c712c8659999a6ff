//! One request through the front.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::node::{Node, Unanswered};
use crate::faults::{Cut, FRONT, is_cut};
use crate::status;

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

/// The nodes, and whose turn it is.
pub(super) struct Front {
    nodes: Vec<Node>,
    turn: AtomicUsize,
    ssh_turn: AtomicUsize,
    ssh_port: Option<u16>,
}

/// A request's body on its way to a node.
pub(super) struct Outgoing(Option<Incoming>);

impl Front {
    /// Balances these nodes; the port is that of the front's own SSH.
    pub(super) fn new(nodes: Vec<Node>, ssh_port: Option<u16>) -> Self {
        Self { nodes, turn: AtomicUsize::new(0), ssh_turn: AtomicUsize::new(0), ssh_port }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Answers a request: by a node, or with what is known about the nodes.
    pub(super) async fn serve(&self, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        if request.method() == Method::GET && request.uri().path() == "/status" {
            return self.status();
        }
        let (mut head, body) = request.into_parts();
        let old = std::mem::take(&mut head.headers);
        head.headers = forward(old, peer, self.ssh_port);
        head.version = http::Version::HTTP_11;
        // What only asks, and sends nothing, may be asked again.
        let again = (head.method.is_safe() && body.is_end_stream()).then(|| head.clone());
        let mut request = Request::from_parts(head, Outgoing(Some(body)));
        for node in self.round(&self.turn) {
            match try_node(node, request, again.is_some()).await {
                Ok(response) if is_cut(response.headers()) => return cut(),
                Ok(mut response) => {
                    remove_hop_by_hop(response.headers_mut());
                    return response.map(BodyExt::boxed);
                }
                Err(Unanswered::Unsent(unsent)) => {
                    node.note(false);
                    request = *unsent;
                }
                Err(Unanswered::Lost(error)) => {
                    tracing::warn!(node = node.authority, %error, "a node did not answer");
                    if let Some(head) = again.clone() {
                        request = Request::from_parts(head, Outgoing::empty());
                        continue;
                    }
                    return plain(StatusCode::BAD_GATEWAY, "The node that had the request did not answer.\n");
                }
            }
        }
        plain(StatusCode::SERVICE_UNAVAILABLE, "No node answers. Please try again shortly.\n")
    }

    /// Returns the nodes in the order in which a connection by SSH should try them. It has rounds of its own: taking turns
    /// with requests, it could meet the same node each time.
    pub(super) fn ssh_round(&self) -> impl Iterator<Item = &Node> {
        self.round(&self.ssh_turn)
    }

    /// Returns the nodes in the order in which this request should try them: from the next one on, those that run
    /// before those that did not when they were last asked.
    fn round(&self, turn: &AtomicUsize) -> impl Iterator<Item = &Node> {
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        let from = turn.checked_rem(self.nodes.len()).unwrap_or(0);
        let order = self.nodes.iter().cycle().skip(from).take(self.nodes.len());
        order.clone().filter(|node| node.is_running()).chain(order.filter(|node| !node.is_running()))
    }

    fn status(&self) -> Answer {
        let running = self.nodes.iter().any(Node::is_running);
        let (code, body) = if running {
            (StatusCode::OK, status::RUNNING)
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, NOT_RUNNING)
        };
        let mut response = plain(code, body);
        let kind = HeaderValue::from_static("application/json;charset=UTF-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// Sends the request to a node. What may be asked again goes over a kept connection if there is one. Anything else takes
/// a new one: a kept one may be closing just now, and then nobody could tell whether the node had acted.
async fn try_node(
    node: &Node,
    mut request: Request<Outgoing>,
    may_be_asked_again: bool,
) -> Result<Response<Incoming>, Unanswered> {
    while may_be_asked_again && let Some(connection) = node.reuse() {
        match connection.send(request).await {
            Err(Unanswered::Unsent(unsent)) => request = *unsent,
            answered => return answered,
        }
    }
    match node.connect().await {
        Ok(connection) if may_be_asked_again => connection.send(request).await,
        // Kept, each of these would be one more than the front needs at once.
        Ok(mut connection) => connection.send_last(request).await,
        Err(error) => {
            tracing::debug!(node = node.authority, %error, "cannot connect to a node");
            Err(Unanswered::Unsent(Box::new(request)))
        }
    }
}

/// Returns the headers as the node should see them.
fn forward(mut headers: HeaderMap, peer: SocketAddr, ssh_port: Option<u16>) -> HeaderMap {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // Source: RFC 9112, section 6.3: of the two the encoding counts, and the length must not be passed on.
        headers.remove(header::CONTENT_LENGTH);
    }
    remove_hop_by_hop(&mut headers);
    // The front itself tells the client to continue, as it begins to read.
    headers.remove(header::EXPECT);
    let chain = headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok());
    let chain = chain.map_or_else(|| peer.ip().to_string(), |before| format!("{before}, {}", peer.ip()));
    if let Ok(value) = HeaderValue::from_str(&chain) {
        headers.insert(FORWARDED_FOR, value);
    }
    // Clone links lead to the front; what a client says about that is not to be believed.
    headers.remove(FORWARDED_SSH);
    headers.insert(FRONT, HeaderValue::from_static("1"));
    if let Some(port) = ssh_port {
        headers.insert(FORWARDED_SSH, HeaderValue::from(port));
    }
    headers
}

/// Removes what concerns one connection only. Source: RFC 9110, section 7.6.1.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Returns the answer in whose place the client's connection is cut.
fn cut() -> Answer {
    let mut response = plain(StatusCode::BAD_GATEWAY, "");
    response.extensions_mut().insert(Cut);
    response
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

impl Outgoing {
    pub(super) fn empty() -> Self {
        Self(None)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// The port of the front's SSH.
pub(crate) const FORWARDED_SSH: HeaderName = HeaderName::from_static("x-forwarded-ssh");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const NOT_RUNNING: &str = r#"{"state":"STARTING"}"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn front(count: usize) -> Front {
        Front::new(
            (1..=count).map(|port| Node::parse(&format!("http://127.0.0.1:{port}")).unwrap()).collect(),
            None,
        )
    }

    fn order(front: &Front) -> Vec<&str> {
        front.round(&front.turn).map(|node| node.authority.rsplit(':').next().unwrap()).collect()
    }

    #[test]
    fn rounds_begin_one_further_and_prefer_nodes_that_run() {
        let front = front(3);
        front.nodes[0].note(true);
        front.nodes[2].note(true);
        assert_eq!(order(&front), ["1", "3", "2"]);
        assert_eq!(order(&front), ["3", "1", "2"]);
        assert_eq!(order(&front), ["3", "1", "2"]);
        assert_eq!(order(&front), ["1", "3", "2"]);
    }

    #[test]
    fn what_concerns_one_connection_is_not_passed_on() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, x-private"),
            ("x-private", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "6"),
            ("expect", "100-continue"),
            ("host", "git.example"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-ssh", "1"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let forwarded = forward(headers.clone(), ([127, 0, 0, 1], 9).into(), Some(7999));
        assert_eq!(forwarded["x-forwarded-ssh"], "7999");
        let headers = forward(headers, ([127, 0, 0, 1], 9).into(), None);
        let mut left: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        left.sort_unstable();
        let expected =
            [("host", "git.example"), ("x-e3-front", "1"), ("x-forwarded-for", "10.0.0.1, 127.0.0.1")];
        assert_eq!(left, expected);
    }
}
