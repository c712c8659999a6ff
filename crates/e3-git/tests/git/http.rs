//! What is special to HTTP: requests, statuses, credentials, and servers that misbehave.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use e3_git::{GitError, Remote, clone, ls_remote};
use e3_http::BaseUrl;
use e3_model::{Outcome, Secret};
use e3_testkit::{GitServerOptions, Loopback, Shape, answer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::site::{Site, anonymous, repository};

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_takes_as_many_requests_as_gits_on_one_connection() {
    for (ignore_protocol, listing, cloning) in [(false, 2, 3), (true, 1, 2)] {
        let site = Site::http(GitServerOptions { ignore_protocol, ..GitServerOptions::default() }).await;
        site.create("r", 1, Shape::seeded(1)).await;
        let remote = site.remote();
        ls_remote(&remote, &repository("r")).await.unwrap();
        assert_eq!((site.server.requests(), site.server.connections()), (listing, 1));
        clone(&remote, &repository("r")).await.unwrap();
        assert_eq!((site.server.requests(), site.server.connections()), (listing + cloning, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phases_tell_where_the_time_went() {
    const THINKING: Duration = Duration::from_millis(80);
    let thinks = |service: &str, request: &[u8], body: Bytes| {
        if service == "git-upload-pack" && request.starts_with(b"0012command=fetch") {
            std::thread::sleep(THINKING);
        }
        body
    };
    let site =
        Site::http(GitServerOptions { tamper: Some(Arc::new(thinks)), ..GitServerOptions::default() }).await;
    site.create("r", 2, Shape::seeded(2)).await;
    let before = Instant::now();
    let transfer = clone(&site.remote(), &repository("r")).await.unwrap().transfer;
    let whole = before.elapsed();
    let phases = transfer.phases;
    let sum = phases.advertisement_ns + phases.negotiation_ns + phases.server_think_ns + phases.transfer_ns;
    assert!(Duration::from_nanos(phases.server_think_ns) >= THINKING, "{phases:?}");
    assert!(
        [phases.advertisement_ns, phases.negotiation_ns, phases.transfer_ns].iter().all(|ns| *ns > 0),
        "{phases:?}"
    );
    assert!(Duration::from_nanos(sum) <= whole, "{phases:?} within {whole:?}");
    assert!(transfer.first_byte.unwrap() >= before + THINKING);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_decide() {
    let credentials = Some(("ada".to_owned(), "right".to_owned()));
    let site = Site::http(GitServerOptions { credentials, ..GitServerOptions::default() }).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let with = |password: &str| {
        Remote::http(BaseUrl::parse(&site.server.url()).unwrap(), "ada", &Secret::new(password))
    };
    ls_remote(&with("right"), &repository("r")).await.unwrap();
    for wrong in [site.remote(), with("wrong")] {
        let error = clone(&wrong, &repository("r")).await.unwrap_err();
        assert!(matches!(error, GitError::Unauthorized { .. }), "{error}");
        assert_eq!(error.outcome(), Outcome::Http4xx);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_not_there_is_not_found() {
    let site = Site::http(GitServerOptions::default()).await;
    let error = ls_remote(&site.remote(), &repository("missing")).await.unwrap_err();
    assert!(matches!(error, GitError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("P/missing"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_pack_on_its_way_is_seen() {
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let cut: Damage = |mut body| {
        body.truncate(body.len() / 2);
        body
    };
    let without_flush: Damage = |mut body| {
        body.truncate(body.len() - 4);
        body
    };
    let trailer: Damage = |mut body| {
        let last = body.len() - 5;
        body[last] ^= 1;
        body
    };
    let middle: Damage = |mut body| {
        let middle = body.len() / 2;
        body[middle] ^= 0x80;
        body
    };
    let more: Damage = |mut body| {
        body.extend_from_slice(b"0005\x01");
        body
    };
    for (damage, expected) in [
        (cut, "ends within the pack"),
        (without_flush, "ends within the pack"),
        (trailer, "does not have the checksum"),
        (middle, "does not have the checksum"),
        (more, "more after the end of the pack"),
    ] {
        let tamper = move |service: &str, request: &[u8], body: Bytes| {
            let fetches = service == "git-upload-pack" && request.starts_with(b"0012command=fetch");
            if fetches { Bytes::from(damage(body.to_vec())) } else { body }
        };
        let site =
            Site::http(GitServerOptions { tamper: Some(Arc::new(tamper)), ..GitServerOptions::default() })
                .await;
        site.create("r", 4, Shape { commits: 5, binary_bytes: 30_000, ..Shape::seeded(4) }).await;
        let remote = site.remote();
        let error = clone(&remote, &repository("r")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_eq!(error.outcome(), Outcome::Protocol, "{error}");
        ls_remote(&remote, &repository("r")).await.expect("the remote outlives a broken clone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_git_server_keeps_its_words() {
    // The list names an object that the repository does not have, so that real upload-pack refuses the want.
    let tamper = |_: &str, request: &[u8], body: Bytes| {
        if !request.starts_with(b"0014command=ls-refs") {
            return body;
        }
        Bytes::from(format!("003d{} refs/heads/main\n0000", "1".repeat(40)))
    };
    let site =
        Site::http(GitServerOptions { tamper: Some(Arc::new(tamper)), ..GitServerOptions::default() }).await;
    site.create("r", 1, Shape::seeded(1)).await;
    let error = clone(&site.remote(), &repository("r")).await.unwrap_err();
    assert!(matches!(&error, GitError::Remote { message, .. } if message.contains("not our ref")), "{error}");
    assert_eq!(error.outcome(), Outcome::Git);
}

#[tokio::test]
async fn statuses_are_typed() {
    for (status, outcome) in [
        (403, Outcome::Http4xx),
        (429, Outcome::Http429),
        (500, Outcome::Http5xx),
        (503, Outcome::Http5xx),
        (302, Outcome::Http3xx),
        (204, Outcome::Protocol),
    ] {
        let server =
            Loopback::serve(move |_| async move { answer(status, &[("location", "/login")], "") }).await;
        let error = clone(&anonymous(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{error}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn garbage_is_a_protocol_error() {
    const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";
    let mut noise = vec![0; 5000];
    noise
        .iter_mut()
        .zip((0..=255_u8).cycle())
        .for_each(|(byte, value)| *byte = value.wrapping_mul(151).wrapping_add(7));
    for (content_type, body) in [
        ("text/html", b"<!DOCTYPE html><title>Log in</title>".to_vec()),
        ("text/plain", b"85040fff6e688f9148600929555048056b27bb97\trefs/heads/main\n".to_vec()),
        (ADVERTISEMENT, b"<!DOCTYPE html>".to_vec()),
        (ADVERTISEMENT, b"001e# service=git-upload-pack\n0000".to_vec()),
        (ADVERTISEMENT, Vec::new()),
        (ADVERTISEMENT, noise),
    ] {
        let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
        let server = Loopback::serve(move |_| {
            let body = body.clone();
            async move { answer(200, &[("content-type", content_type)], body) }
        })
        .await;
        let error = ls_remote(&anonymous(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Protocol, "{shown:?}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_within_the_pack_is_a_broken_connection() {
    for framing in ["content-length: 100000", "transfer-encoding: chunked"] {
        let server = Loopback::raw(move |mut stream, _| async move {
            while let Some(fetches) = next_request(&mut stream).await {
                if !fetches {
                    advertise(&mut stream).await;
                    continue;
                }
                let chunk = if framing.starts_with('c') { "0008NAK\n" } else { "8\r\n0008NAK\n\r\n" };
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {RESULT}\r\n{framing}\r\n\r\n{chunk}");
                let _ = stream.write_all(head.as_bytes()).await;
                return;
            }
        })
        .await;
        let error = clone(&anonymous(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Connection, "{framing}: {error}");
    }
}

#[tokio::test]
async fn endless_progress_is_bounded_by_the_callers_timeout() {
    let server = Loopback::raw(|mut stream, number| async move {
        while let Some(fetches) = next_request(&mut stream).await {
            if !fetches {
                advertise(&mut stream).await;
                continue;
            }
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: {RESULT}\r\ntransfer-encoding: chunked\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(b"8\r\n0008NAK\n\r\n").await;
            while number == 0 && stream.write_all(b"f\r\n000f\x02Counting\n\r\r\n").await.is_ok() {}
            return;
        }
    })
    .await;
    let remote = anonymous(&server.url());
    let before = Instant::now();
    timeout(Duration::from_millis(200), clone(&remote, &repository("r"))).await.unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(5));
    assert_eq!(ls_remote(&remote, &repository("r")).await.unwrap().refs.len(), 1);
    assert_eq!(server.connections(), 2);
}

/// Reads a request with its body; whether it is a fetch, or none when the client is gone.
pub(crate) async fn next_request(stream: &mut TcpStream) -> Option<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head.starts_with("post"))
}

/// Answers with a repository of one branch, in version 0.
pub(crate) async fn advertise(stream: &mut TcpStream) {
    let line = format!("{} refs/heads/main\0side-band-64k ofs-delta\n", "1".repeat(40));
    let body = format!("001e# service=git-upload-pack\n0000{:04x}{line}0000", line.len() + 4);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement";
    let _ =
        stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
}

const RESULT: &str = "application/x-git-upload-pack-result";
