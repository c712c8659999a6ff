//! Where bodies end, what of them is kept in memory, and bodies that are sent.

use bytes::Bytes;
use e3_http::{BaseUrl, HttpSession, HttpWay, Request};
use e3_model::{Connections, Outcome};
use e3_testkit::{Loopback, answer};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{read_request, scripted, session};

/// A server that answers the requests of each connection with these bytes, one after the other.
async fn answers(all: &'static [&'static [u8]]) -> Loopback {
    Loopback::raw(move |mut stream, _| async move {
        for bytes in all {
            if !read_request(&mut stream).await || stream.write_all(bytes).await.is_err() {
                return;
            }
        }
        // Whether the connection is kept is the client's to say.
        let _ = read_request(&mut stream).await;
    })
    .await
}

#[tokio::test]
async fn bodies_end_as_their_heads_say() {
    for (bytes, body, is_kept) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"[..], "ok", true),
        (b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok", "ok", true),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x\r\nk\r\n0\r\nt: 1\r\n\r\n",
            "ok",
            true,
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\na: b\r\n\r\nHTTP/1.1 204 Nothing\r\n\r\n",
            "",
            true,
        ),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n", "", true),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", "ok", false),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok", false),
        // The body is what was announced; where the next answer would begin is no longer known.
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more", "ok", false),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore", "ok", false),
    ] {
        let all: &'static [&'static [u8]] = Box::leak(Box::new([bytes, bytes]));
        let server = answers(all).await;
        let mut session = session(&server);
        for _ in 0..2 {
            let response = session.send(Request::get("/")).await.unwrap();
            assert_eq!(response.body, body, "{:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(server.connections(), if is_kept { 1 } else { 2 }, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_its_connection() {
    let server = scripted(b"HTTP/1.1 200 OK\r\n\r\nall of it").await;
    let mut session = session(&server);
    for _ in 0..2 {
        assert_eq!(session.send(Request::get("/")).await.unwrap().body, "all of it");
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_whatever_its_length() {
    const LONG: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n";
    let server = answers(&[LONG; 2]).await;
    let mut session = session(&server);
    for _ in 0..2 {
        let response = session.send(Request::new(Method::HEAD, "/")).await.unwrap();
        assert_eq!((response.body.len(), response.header("content-length")), (0, Some("5000")));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn pieces_are_handed_out_where_they_were_read_to() {
    let body: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let sent = Bytes::from(body.clone());
    let server = Loopback::serve(move |_| {
        let sent = sent.clone();
        async move { answer(200, &[("x-kind", "large")], sent) }
    })
    .await;
    let mut session = session(&server);
    for _ in 0..2 {
        let mut streaming = session.start(Request::get("/")).await.unwrap();
        let (mut seen, mut largest) = (Vec::new(), 0);
        while let Some(piece) = streaming.next().await.unwrap() {
            assert!(!piece.is_empty());
            largest = largest.max(piece.len());
            seen.extend_from_slice(piece);
        }
        assert!(seen == body, "{} bytes", seen.len());
        assert!(largest <= 64 << 10, "{largest} bytes in one piece");
        assert_eq!(streaming.headers.get("X-Kind").and_then(|kind| kind.to_str().ok()), Some("large"));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_request_that_is_lent_is_sent_as_often_as_asked() {
    let server = Loopback::serve(|request| async move { answer(200, &[], request.into_body()) }).await;
    let mut session = session(&server);
    let request = Request::post("/", vec![b'x'; 300_000]);
    for _ in 0..2 {
        assert_eq!(session.send(&request).await.unwrap().body, request.body);
    }
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[tokio::test]
async fn a_connection_per_op_is_announced_and_closed() {
    let server = Loopback::serve(|request| async move {
        let asked = request.headers().get("connection").map_or("-", |value| value.to_str().unwrap());
        answer(200, &[], asked.to_owned())
    })
    .await;
    let way = HttpWay { connections: Connections::PerOp, ..HttpWay::default() };
    let mut session = HttpSession::new(BaseUrl::parse(&server.url()).unwrap()).with_way(&way);
    for _ in 0..3 {
        assert_eq!(session.send(Request::get("/")).await.unwrap().body, "close");
    }
    assert_eq!(server.connections(), 3);
}

/// Answers once the head is there, and reads nothing of the body.
async fn refuses_bodies(close: bool) -> Loopback {
    Loopback::raw(move |mut stream, _| async move {
        let mut head = [0; 512];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig").await;
        if !close {
            std::future::pending::<()>().await;
        }
    })
    .await
}

#[tokio::test]
async fn a_server_that_refuses_a_body_before_it_has_all_is_heard() {
    let request = Request::post("/", vec![b'x'; 20 << 20]);
    let server = refuses_bodies(false).await;
    let mut session = session(&server);
    for _ in 0..2 {
        let response = session.send(&request).await.unwrap();
        assert_eq!((response.status, &response.body[..]), (413, &b"big"[..]));
    }
    // What is left of the body would be the next request.
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_server_that_closes_while_a_body_is_sent_is_a_connection_error() {
    let server = Loopback::raw(|mut stream, _| async move {
        let mut head = [0; 512];
        let _ = stream.read(&mut head).await;
    })
    .await;
    let error = session(&server).send(Request::put("/", vec![b'x'; 20 << 20])).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{error:?}");
    assert_eq!(server.connections(), 1);
}
