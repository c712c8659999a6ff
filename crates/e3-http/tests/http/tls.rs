//! Encrypted connections: whom they trust, and what a server that is not trusted becomes.

use std::error::Error;

use e3_http::{BaseUrl, HttpError, HttpSession, HttpWay, Request, Trust};
use e3_model::{Connections, HttpVersion, Outcome};
use e3_testkit::{Authority, Loopback, Secure, Speech, Validity, answer};
use tokio::io::AsyncWriteExt;

use super::read_request;

/// A server that tells which version of HTTP it was asked in.
async fn server(authority: &Authority, name: &str, validity: Validity, protocols: &[&str]) -> Secure {
    let config = authority.server(name, validity, protocols);
    Secure::serve(Speech::Tls(config), |request| async move {
        answer(200, &[], format!("{:?} {}", request.version(), request.uri().path()))
    })
    .await
}

fn way(authority: &Authority) -> HttpWay {
    HttpWay { trust: Trust::pem(authority.pem()).unwrap(), ..HttpWay::default() }
}

fn session(url: &str, way: &HttpWay) -> HttpSession {
    HttpSession::new(BaseUrl::parse(url).unwrap()).with_way(way)
}

#[tokio::test]
async fn requests_share_one_encrypted_connection() {
    let authority = Authority::new();
    for name in ["127.0.0.1", "localhost"] {
        let server = server(&authority, name, Validity::Current, &["http/1.1"]).await;
        let mut session = session(&server.https(name), &way(&authority));
        for _ in 0..3 {
            let response = session.send(Request::get("/x")).await.unwrap();
            assert_eq!(response.body, "HTTP/1.1 /x");
        }
        assert_eq!((server.loopback.connections(), server.requests()), (1, 3));
    }
}

#[tokio::test]
async fn a_connection_per_op_is_closed_after_each_answer() {
    let authority = Authority::new();
    let server = server(&authority, "127.0.0.1", Validity::Current, &[]).await;
    let way = HttpWay { connections: Connections::PerOp, ..way(&authority) };
    let mut session = session(&server.https("127.0.0.1"), &way);
    for _ in 0..2 {
        session.send(Request::get("/")).await.unwrap();
    }
    assert_eq!(server.loopback.connections(), 2);
}

#[tokio::test]
async fn the_version_is_what_both_sides_offer() {
    let authority = Authority::new();
    for (wanted, offered, spoken) in [
        (HttpVersion::Http2, &["h2", "http/1.1"][..], "HTTP/2.0"),
        (HttpVersion::Http1, &["h2", "http/1.1"], "HTTP/1.1"),
        (HttpVersion::Http2, &["http/1.1"], "HTTP/1.1"),
        // A server that knows no ALPN speaks what all do.
        (HttpVersion::Http2, &[], "HTTP/1.1"),
    ] {
        let server = server(&authority, "127.0.0.1", Validity::Current, offered).await;
        let mut session =
            session(&server.https("127.0.0.1"), &HttpWay { version: wanted, ..way(&authority) });
        for _ in 0..2 {
            let response = session.send(Request::get("/")).await.unwrap();
            assert_eq!(response.text().unwrap(), format!("{spoken} /"), "{wanted:?} {offered:?}");
        }
        assert_eq!(server.loopback.connections(), 1);
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_trusted_gets_no_request() {
    let (authority, another) = (Authority::new(), Authority::new());
    for (name, validity, trusted, reason) in [
        ("127.0.0.1", Validity::Current, way(&another), "UnknownIssuer"),
        ("127.0.0.1", Validity::Current, HttpWay::default(), "UnknownIssuer"),
        ("127.0.0.1", Validity::Expired, way(&authority), "expired"),
        ("git.example.com", Validity::Current, way(&authority), "not valid for name"),
    ] {
        let server = server(&authority, name, validity, &["http/1.1"]).await;
        let mut session = session(&server.https("127.0.0.1"), &trusted);
        let error = session.send(Request::get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
        assert_eq!(error.outcome(), Outcome::Connection);
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains(reason), "{cause}");
        assert_eq!(server.requests(), 0);
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_a_tls_error() {
    let authority = Authority::new();
    let server = Loopback::raw(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        read_request(&mut stream).await;
    })
    .await;
    let url = server.url().replace("http:", "https:");
    let error = session(&url, &way(&authority)).send(Request::get("/")).await.unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn an_encrypted_body_that_is_cut_off_is_no_whole_one() {
    let authority = Authority::new();
    let config = authority.server("127.0.0.1", Validity::Current, &[]);
    let server = Loopback::raw(move |stream, _| {
        let config = config.clone();
        async move {
            let Ok(mut stream) = tokio_rustls::TlsAcceptor::from(config).accept(stream).await else { return };
            // The socket closes without TLS saying so, as it does when somebody between cuts it.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf of").await;
            let _ = stream.flush().await;
        }
    })
    .await;
    let url = server.url().replace("http:", "https:");
    let error = session(&url, &way(&authority)).send(Request::get("/")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{error:?}");
}

#[test]
fn what_is_no_certificate_is_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no PEM", broken, "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        assert!(matches!(Trust::pem(text), Err(HttpError::Trust { .. })), "{text:?}");
    }
    let authority = Authority::new();
    assert!(Trust::pem(&format!("some words\n{}\n{}", authority.pem(), Authority::new().pem())).is_ok());
}
