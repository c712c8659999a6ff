//! HTTP/2 with prior knowledge.

use bytes::Bytes;
use e3_http::{BaseUrl, HttpError, HttpSession, HttpWay, Request};
use e3_model::{Connections, HttpVersion, Outcome, Secret};
use e3_testkit::{Loopback, Secure, Speech, answer};
use tokio::io::AsyncWriteExt;

use super::scripted;

fn session(server: &Loopback) -> HttpSession {
    let way = HttpWay { version: HttpVersion::Http2, ..HttpWay::default() };
    HttpSession::new(BaseUrl::parse(&server.url()).unwrap()).with_way(&way)
}

/// Answers with what arrived, and a cookie.
async fn echo() -> Secure {
    Secure::serve(Speech::PlainHttp2, |request| async move {
        let header =
            |name| request.headers().get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        let text = format!(
            "{:?} {} {} cookie={} authorization={} agent={} body={}",
            request.version(),
            request.method(),
            request.uri().path_and_query().unwrap(),
            header("cookie"),
            header("authorization"),
            header("user-agent").split('/').next().unwrap(),
            request.body().len(),
        );
        answer(200, &[("set-cookie", "a=1")], text)
    })
    .await
}

#[tokio::test]
async fn requests_share_one_connection_and_say_what_http1_says() {
    let server = echo().await;
    let mut session = session(&server.loopback).with_basic("admin", &Secret::new("pass:word"));
    let first = session.send(Request::get("/x?a=1")).await.unwrap();
    let expected = "HTTP/2.0 GET /x?a=1 cookie=- authorization=Basic YWRtaW46cGFzczp3b3Jk agent=e3 body=0";
    assert_eq!((first.text().unwrap().as_str(), first.bytes_in), (expected, expected.len() as u64));
    let second = session.send(Request::post("/", vec![b'x'; 3_000_000])).await.unwrap();
    let expected =
        "HTTP/2.0 POST / cookie=a=1 authorization=Basic YWRtaW46cGFzczp3b3Jk agent=e3 body=3000000";
    assert_eq!((second.text().unwrap().as_str(), second.bytes_out), (expected, 3_000_000));
    assert_eq!((server.loopback.connections(), server.requests()), (1, 2));
}

#[tokio::test]
async fn a_large_body_streams_and_its_connection_is_kept_only_when_drained() {
    let server =
        Secure::serve(Speech::PlainHttp2, |_| async { answer(200, &[], Bytes::from(vec![b'x'; 5_000_000])) })
            .await;
    let mut session = session(&server.loopback);
    for _ in 0..2 {
        let mut streaming = session.start(Request::get("/")).await.unwrap();
        assert_eq!((streaming.status, streaming.announced()), (200, Some(5_000_000)));
        let mut size = 0;
        while let Some(piece) = streaming.next().await.unwrap() {
            assert!(piece.iter().all(|byte| *byte == b'x'));
            size += piece.len();
        }
        assert!(streaming.next().await.unwrap().is_none());
        assert_eq!((size, streaming.bytes_in()), (5_000_000, 5_000_000));
        assert!(streaming.sent_at() <= streaming.head_at());
        assert!(streaming.head_at() <= streaming.first_byte().unwrap());
    }
    assert_eq!(server.loopback.connections(), 1);
    let mut early = session.start(Request::get("/")).await.unwrap();
    assert!(early.chunk().await.unwrap().is_some());
    drop(early);
    assert_eq!(session.send(Request::get("/")).await.unwrap().body.len(), 5_000_000);
    assert_eq!(server.loopback.connections(), 2);
}

#[tokio::test]
async fn a_connection_per_op_is_closed_after_each_answer() {
    let server = echo().await;
    let way = HttpWay { version: HttpVersion::Http2, connections: Connections::PerOp, ..HttpWay::default() };
    let base = BaseUrl::parse(&server.loopback.url()).unwrap();
    let mut session = HttpSession::new(base).with_way(&way);
    for _ in 0..2 {
        session.send(Request::get("/")).await.unwrap();
    }
    assert_eq!(server.loopback.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let server = Loopback::raw(|stream, _| async move {
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        if let Some(Ok((_, mut respond))) = connection.accept().await {
            let _ = respond.send_response(http::Response::new(()), true);
        }
        connection.graceful_shutdown();
        while connection.accept().await.is_some() {}
    })
    .await;
    let mut session = session(&server);
    for number in 1..=3 {
        assert_eq!(session.send(Request::post("/", "")).await.unwrap().status, 200);
        assert_eq!(server.connections(), number);
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_http2_is_a_protocol_error() {
    let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let error = session(&scripted(answer).await).send(Request::get("/")).await.unwrap_err();
    assert!(matches!(error, HttpError::Malformed { .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Protocol);
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_is_a_connection_error() {
    for sends_head in [false, true] {
        let server = Loopback::raw(move |stream, _| async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else { return };
            let Some(Ok((_, mut respond))) = connection.accept().await else { return };
            if sends_head {
                let mut body = respond.send_response(http::Response::new(()), false).unwrap();
                body.send_data(Bytes::from_static(b"half"), false).unwrap();
                // Reset when it is dropped, or gone with the connection.
            }
        })
        .await;
        let error = session(&server).send(Request::get("/")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Connection, "{error:?}");
    }
    let server = Loopback::raw(|mut stream, _| async move {
        let _ = stream.shutdown().await;
    })
    .await;
    let error = session(&server).send(Request::get("/")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{error:?}");
}
