//! Servers that no client should meet: each ends in a typed error in bounded time, never in a wrong success.

use std::time::{Duration, Instant};

use e3_http::{BaseUrl, HttpError, HttpSession, Request};
use e3_model::Outcome;
use e3_testkit::Loopback;
use tokio::{io::AsyncWriteExt, time::timeout};

use super::{read_request, scripted, session};

#[tokio::test]
async fn a_name_without_an_address_is_a_connection_error() {
    // Source: RFC 6761, section 6.4: no resolver has an address for such a name.
    let mut session = HttpSession::new(BaseUrl::parse("http://nowhere.invalid").unwrap());
    let error = session.send(Request::get("/")).await.unwrap_err();
    assert!(matches!(&error, HttpError::Resolve { host, .. } if host == "nowhere.invalid"), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Connection);
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_is_a_connection_error() {
    for bytes in [
        &b""[..],
        b"HTTP/1.1 200",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nA\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n",
    ] {
        let server = scripted(bytes).await;
        let error = session(&server).send(Request::get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Connection { .. }), "{bytes:?}: {error:?}");
        assert_eq!(error.outcome(), Outcome::Connection);
    }
}

#[tokio::test]
async fn a_server_that_breaks_http_is_a_protocol_error() {
    for bytes in [
        &b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"[..],
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\r\n folded: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nlonger than five\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    ] {
        let server = scripted(bytes).await;
        let error = session(&server).send(Request::get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Malformed { .. }), "{bytes:?}: {error:?}");
        assert_eq!(error.outcome(), Outcome::Protocol);
    }
}

/// A server that answers with a beginning, and then with the same bytes for ever.
async fn endless(beginning: &'static [u8], again: &'static [u8]) -> Loopback {
    Loopback::raw(move |mut stream, _| async move {
        read_request(&mut stream).await;
        let mut sent = stream.write_all(beginning).await;
        while sent.is_ok() {
            sent = stream.write_all(again).await;
        }
    })
    .await
}

#[tokio::test]
async fn heads_trailers_and_sizes_without_end_are_bounded() {
    for (beginning, again) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], &b"x-again: and again\r\n"[..]),
        (b"HTTP/1.1 200 OK\r\nx-long: ", b"on and on "),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x-again: and again\r\n"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"on and on "),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"0"),
    ] {
        let server = endless(beginning, again).await;
        let error = session(&server).send(Request::get("/")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Protocol, "{beginning:?}: {error:?}");
    }
    let server = endless(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 10_000]).await;
    let error = session(&server).send(Request::get("/").max_body(1 << 20)).await.unwrap_err();
    assert!(matches!(error, HttpError::BodyTooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn an_announced_body_takes_memory_only_as_it_comes() {
    let server = scripted(b"HTTP/1.1 200 OK\r\ncontent-length: 9000000000000000000\r\n\r\nonly this").await;
    let mut session = session(&server);
    let error = session.send(Request::get("/").max_body(usize::MAX)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{error:?}");
}

#[tokio::test]
async fn a_server_that_drips_is_bounded_by_its_caller() {
    for beginning in
        [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nx-slow: "]
    {
        let server = Loopback::raw(move |mut stream, _| async move {
            read_request(&mut stream).await;
            let mut sent = stream.write_all(beginning).await;
            while sent.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
                // Each byte would start an idle clock anew.
                sent = stream.write_all(b"H").await;
            }
        })
        .await;
        let mut session = session(&server);
        let begun = Instant::now();
        let ended = timeout(Duration::from_millis(100), session.send(Request::get("/"))).await;
        match ended {
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(5)),
            // A second byte already shows that this is no head.
            Ok(answer) => assert_eq!(answer.unwrap_err().outcome(), Outcome::Protocol),
        }
    }
}
