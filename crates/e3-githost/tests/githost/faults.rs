//! Faults by HTTP: who may switch them, what each does to REST and pages, and what they leave alone.

use std::time::{Duration, Instant};

use http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Place, Server, authorization, basic};

const SWITCH: &str = "/rest/e3/1.0/faults";
const PROPERTIES: &str = "/rest/api/1.0/application-properties";

impl Server {
    /// Disturbs the node by these faults and no others.
    pub(crate) async fn disturb(&self, faults: &Value) {
        let answer = self.switch(faults).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    async fn switch(&self, faults: &Value) -> Answer {
        let request = Request::put(self.url(SWITCH)).header("authorization", basic());
        self.send(request.header("content-type", "application/json"), faults.to_string()).await
    }

    /// Returns how often each effect was felt, as `kind route count`.
    pub(crate) async fn injected(&self) -> Vec<String> {
        let text = self.fetch_anonymous("/metrics").await.text();
        let lines =
            text.lines().filter_map(|line| line.strip_prefix("e3_githost_faults_injected_total{kind=\""));
        lines.map(|line| line.replace("\",route=\"", " ").replace("\"}", "")).collect()
    }

    /// Waits until an effect was felt so often.
    pub(crate) async fn until_injected(&self, expected: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.injected().await.iter().any(|line| line == expected) {
            assert!(Instant::now() < deadline, "{expected} is not among {:?}", self.injected().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends a request and keeps the connection, without reading.
    async fn begin(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.host()).await.unwrap();
        let (host, length) = (self.host(), body.len());
        let text = format!(
            "{head} HTTP/1.1\r\nhost: {host}\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}",
            basic()
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }
}

/// Returns all that a connection still says; nothing more of one that is reset.
async fn rest_of(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let read = stream.read_to_end(&mut said);
    let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("the connection ends");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_switch_and_what_they_switch_is_listed() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.create_user("ada", "secret").await;
    let faults = json!([{"route": "fetch", "latency": 200}, {"errorRate": 0.5, "status": 503, "slots": 4}]);
    for credentials in [None, Some(authorization("ada", "secret"))] {
        for method in ["GET", "PUT", "DELETE"] {
            let mut request = Request::builder().method(method).uri(server.url(SWITCH));
            if let Some(credentials) = &credentials {
                request = request.header("authorization", credentials);
            }
            let request = request.header("content-type", "application/json");
            assert_eq!(server.send(request, faults.to_string()).await.status, 401, "{method}");
        }
    }
    assert_eq!(server.get(SWITCH).await.json(), json!([]), "nothing has come of that");
    server.disturb(&faults).await;
    assert_eq!(server.get("/rest/e3/latest/faults").await.json(), faults);
    for (wrong, message) in [
        (json!([{"slots": 1}, {"route": "clone", "slots": 1}]), "/1/route: there is no route \"clone\"."),
        (json!([{"errorRate": 2}]), "/0/errorRate: \"errorRate\" is 2; it is a share, from 0 to 1."),
        (json!(vec![json!({"slots": 1}); 33]), "There may be 32 faults at a time."),
    ] {
        let refused = server.switch(&wrong).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["errors"][0]["message"]),
            (400, &json!(message))
        );
    }
    assert_eq!(server.switch(&json!([{"latncy": 1}])).await.status, 400);
    assert_eq!(server.get(SWITCH).await.json(), faults, "what is refused changes nothing");
    assert_eq!(server.delete(SWITCH).await.status, 204);
    assert_eq!(server.get(SWITCH).await.json(), json!([]));

    // A node that is started again has none.
    server.disturb(&faults).await;
    server.stop().await.unwrap();
    let again = Server::start(&place.home(), "1").await;
    assert_eq!(again.get(SWITCH).await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_tells_how_a_node_is_and_the_switch_are_never_disturbed() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.disturb(&json!([{"stall": {"for": "1h"}, "errorRate": 1}, {"route": "/", "dropRate": 1}])).await;
    for path in ["/status", "/metrics"] {
        assert_eq!(server.fetch_anonymous(path).await.status, 200);
    }
    assert_eq!(server.get(SWITCH).await.json().as_array().unwrap().len(), 2);
    assert_eq!(server.injected().await, [""; 0]);
    assert_eq!(server.delete(SWITCH).await.status, 204);
    assert_eq!(server.get(PROPERTIES).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_and_pages_fail_in_their_own_way_and_by_their_own_routes() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.disturb(&json!([{"route": "rest", "errorRate": 1, "status": 503}])).await;
    let failed = server.get(PROPERTIES).await;
    assert_eq!((failed.status.as_u16(), failed.header("retry-after")), (503, "5"));
    let message = "this request was made to fail: the server is being disturbed on purpose";
    assert_eq!(
        failed.json(),
        json!({"errors": [{"context": null, "message": message, "exceptionName": null}]})
    );
    assert_eq!(server.fetch_anonymous("/login").await.status, 200, "a page is no REST");

    server.disturb(&json!([{"route": "web", "errorRate": 1}])).await;
    for path in ["/login", "/favicon.ico"] {
        let failed = server.fetch_anonymous(path).await;
        assert_eq!(failed.status, 500, "{path}");
        assert!(failed.header("content-type").starts_with("text/html"), "{path}");
    }
    assert_eq!(server.get(PROPERTIES).await.status, 200);

    server.disturb(&json!([{"route": "/rest/api/1.0/projects", "errorRate": 1, "status": 429}])).await;
    assert_eq!(server.get("/rest/api/1.0/projects/NONE").await.status, 429);
    assert_eq!(server.get(PROPERTIES).await.status, 200);
    let injected = server.injected().await;
    assert_eq!(injected, ["error /rest/api/1.0/projects 1", "error rest 1", "error web 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_takes_longer_and_a_slow_answer_is_whole() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let plain = server.fetch_anonymous("/rest/openapi.json").await;
    server.disturb(&json!([{"latency": 150}, {"route": "rest", "latency": 100}])).await;
    let begun = Instant::now();
    assert_eq!(server.get(PROPERTIES).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(250), "both of them: {:?}", begun.elapsed());

    let rate = plain.body.len() * 2;
    server.disturb(&json!([{"route": "rest", "bytesPerSecond": rate}, {"bytesPerSecond": rate * 50}])).await;
    let begun = Instant::now();
    let slow = server.fetch_anonymous("/rest/openapi.json").await;
    assert_eq!(
        (slow.body == plain.body, slow.header("content-length")),
        (true, plain.header("content-length"))
    );
    assert!(begun.elapsed() >= Duration::from_millis(490), "half a second's worth: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_says_nothing_through_a_front_too() {
    let place = Place::new();
    let nodes = [Server::start(&place.home(), "1").await, Server::start(&place.home(), "2").await];
    let front = Server::balance(nodes.iter().map(|node| node.base.clone()).collect()).await;
    for node in &nodes {
        node.disturb(&json!([{"route": "rest", "dropRate": 1}])).await;
    }
    for server in [&nodes[0], &front, &front] {
        for (head, body) in
            [(format!("GET {PROPERTIES}"), ""), ("POST /rest/api/1.0/projects".to_owned(), "{}")]
        {
            let said = rest_of(server.begin(&head, body).await).await;
            assert_eq!(String::from_utf8_lossy(&said), "", "{head}");
        }
    }
    let cut = [nodes[0].injected().await, nodes[1].injected().await];
    assert_eq!(cut, [["cut rest 4"], ["cut rest 2"]], "the front asks no other node instead");
    let counted = nodes[1].fetch_anonymous("/metrics").await.text();
    assert!(counted.contains("githost_http_requests_total{method=\"POST\",status=\"none\"} 2"), "{counted}");
    assert_eq!(front.get("/login").await.status, 200);

    // Behind a front every node has its own switch.
    for method in ["GET", "PUT", "DELETE"] {
        let request =
            Request::builder().method(method).uri(front.url(SWITCH)).header("authorization", basic());
        let refused = front.send(request.header("content-type", "application/json"), "[]").await;
        assert_eq!(refused.status, 421, "{method}");
        assert!(refused.text().contains("ask each at its own address"), "{}", refused.text());
    }
    assert_eq!(nodes[0].get(SWITCH).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_holds_requests_up_until_it_is_over_or_taken_away() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.disturb(&json!([{"stall": {"for": "400ms"}}])).await;
    let begun = Instant::now();
    server.fetch_anonymous("/login").await;
    let early = begun.elapsed();
    // Switched on a moment before the clock was read.
    assert!(early >= Duration::from_millis(200), "{early:?}");
    assert_eq!(server.injected().await, ["stall every 1"]);

    server.disturb(&json!([{"stall": {"for": "1h"}}])).await;
    let waits = server.begin(&format!("GET {PROPERTIES}"), "").await;
    server.until_injected("stall every 2").await;
    server.delete(SWITCH).await;
    let mut waits = waits;
    let mut first = [0; 15];
    let read = waits.read_exact(&mut first);
    tokio::time::timeout(Duration::from_secs(20), read).await.expect("it goes on").unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_gives_up_its_slot_at_once() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    let faults = json!([{"route": "rest", "slots": 1}, {"route": PROPERTIES, "latency": "1h"}]);
    let body = format!("{{\"padding\": \"{}\"}}", "x".repeat(100_000));
    for (number, (head, body)) in [
        (format!("GET {PROPERTIES}"), ""),
        // A body that nobody has read yet must not hide that its sender has left.
        (format!("POST {PROPERTIES}"), body.as_str()),
    ]
    .into_iter()
    .enumerate()
    {
        server.disturb(&faults).await;
        let holder = server.begin(&head, body).await;
        server.until_injected(&format!("latency {PROPERTIES} {}", number + 1)).await;
        let waits = server.get("/rest/api/1.0/projects");
        let leaves = async {
            server.until_injected(&format!("wait rest {}", number + 1)).await;
            drop(holder);
        };
        let (answer, ()) = tokio::join!(waits, leaves);
        assert_eq!(answer.status, 200, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_lets_its_held_requests_go() {
    let place = Place::new();
    let server = Server::start(&place.home(), "1").await;
    server.disturb(&json!([{"stall": {"for": "1h"}}])).await;
    let waits = server.begin(&format!("GET {PROPERTIES}"), "").await;
    server.until_injected("stall every 1").await;
    server.stop().await.unwrap();
    let said = rest_of(waits).await;
    assert!(
        said.starts_with(b"HTTP/1.1 200 OK"),
        "answered, not cut off: {}",
        String::from_utf8_lossy(&said)
    );
}
