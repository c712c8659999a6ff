//! Servers over HTTP that misbehave: each ends an operation with the right outcome, in bounded time and memory.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use e3_git::{GitError, clone, count_refs};
use e3_model::Outcome;
use e3_testkit::{Loopback, answer};
use flate2::{Compression, write::GzEncoder};
use tokio::{io::AsyncWriteExt, time::timeout};

use crate::{
    http::{advertise, next_request},
    site::{anonymous, repository},
};

const RESULT: &str = "application/x-git-upload-pack-result";
const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";

/// The empty pack of git, in bands of version 0.
fn empty_pack() -> Vec<u8> {
    let pack = b"\x01PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";
    [b"0008NAK\n0025", &pack[..], b"0000"].concat()
}

/// Returns a server that answers every fetch with these bytes and hangs up.
async fn answering(head: &'static str, body: Vec<u8>) -> Loopback {
    Loopback::raw(move |mut stream, _| {
        let body = body.clone();
        async move {
            while let Some(fetches) = next_request(&mut stream).await {
                if !fetches {
                    advertise(&mut stream).await;
                    continue;
                }
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn what_a_fetch_is_answered_with_decides() {
    let pack = empty_pack();
    let chunked =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n0\r\n\r\n"].concat();
    let mut corrupt = pack.clone();
    let last = corrupt.len() - 5;
    corrupt[last] ^= 1;
    const SHORT: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-result\r\ncontent-length: 49\r\n\r\n";
    const LONG: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-result\r\ncontent-length: 99\r\n\r\n";
    const LESS: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-result\r\ncontent-length: 20\r\n\r\n";
    const ODD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-result\r\ncontent-length: -1\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-result\r\ntransfer-encoding: chunked\r\n\r\n";
    const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 49\r\n\r\n";
    const BROKEN: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 49\r\n\r\n";
    assert_eq!(pack.len(), 49);
    for (head, body, expected, why) in [
        (SHORT, pack.clone(), None, "whole"),
        (CHUNKED, chunked(&pack), None, "whole, in chunks"),
        (SHORT, corrupt, Some(Outcome::Protocol), "a wrong checksum"),
        (LONG, pack.clone(), Some(Outcome::Connection), "less than announced"),
        (LESS, pack.clone(), Some(Outcome::Protocol), "more than announced, which is cut"),
        (ODD, pack.clone(), Some(Outcome::Protocol), "no length"),
        (CHUNKED, pack.clone(), Some(Outcome::Protocol), "no chunks"),
        (CHUNKED, chunked(&pack[..40]), Some(Outcome::Protocol), "a cut pack in whole chunks"),
        (CHUNKED, b"20\r\n0008NAK\n".to_vec(), Some(Outcome::Connection), "a cut chunk"),
        (SHORT, b"0008NAK\n".to_vec(), Some(Outcome::Connection), "hangs up before the pack"),
        (PAGE, pack.clone(), Some(Outcome::Protocol), "not smart"),
        (BROKEN, pack.clone(), Some(Outcome::Http5xx), "a broken front"),
    ] {
        let server = answering(head, body).await;
        let cloned = clone(&anonymous(&server.url()), &repository("r")).await;
        let found = cloned.as_ref().err().map(GitError::outcome);
        assert_eq!(found, expected, "{why}: {cloned:?}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn broken_and_unknown_compression_is_named() {
    let whole = gzip(b"001e# service=git-upload-pack\n00000000");
    for (encoding, body) in [
        ("br", whole.clone()),
        ("gzip", b"001e# service=git-upload-pack\n00000000".to_vec()),
        ("gzip", whole[..whole.len() - 3].to_vec()),
        ("deflate", whole.clone()),
    ] {
        let server =
            Loopback::serve(move |_| {
                let body = body.clone();
                async move {
                    answer(200, &[("content-type", ADVERTISEMENT), ("content-encoding", encoding)], body)
                }
            })
            .await;
        let error = count_refs(&anonymous(&server.url()), &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Protocol, "{encoding}: {error}");
    }
}

/// Returns the largest resident memory of this process so far, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[tokio::test]
async fn a_gzip_bomb_takes_no_memory_and_ends() {
    const INFLATED: usize = 300 << 20;
    // Refs without end, or nothing but ends of lists; a thousandth of it on the wire.
    let line = format!("003d{} refs/heads/main\n", "1".repeat(40));
    for (unit, expected) in
        [(line.as_str(), "more than 268435456 bytes"), ("0000", "instead of an advertisement")]
    {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"001e# service=git-upload-pack\n0000").unwrap();
        let block = unit.repeat((1 << 20) / unit.len());
        for _ in 0..INFLATED >> 20 {
            encoder.write_all(block.as_bytes()).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < INFLATED / 100, "{}", bomb.len());
        let server = Loopback::serve(move |_| {
            let bomb = bomb.clone();
            async move { answer(200, &[("content-type", ADVERTISEMENT), ("content-encoding", "gzip")], bomb) }
        })
        .await;
        let before = peak();
        let error = count_refs(&anonymous(&server.url()), &repository("r")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.outcome(), Outcome::Protocol);
        assert!(peak() - before < 24 << 20, "{} bytes", peak() - before);
    }
}

#[tokio::test]
async fn endless_progress_takes_no_memory() {
    let server = Loopback::raw(|mut stream, _| async move {
        while let Some(fetches) = next_request(&mut stream).await {
            if !fetches {
                advertise(&mut stream).await;
                continue;
            }
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: {RESULT}\r\ntransfer-encoding: chunked\r\n\r\n8\r\n0008NAK\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let line = format!("3e80\r\n3e80\x02{}\r\n", "x".repeat(15_995));
            while stream.write_all(line.as_bytes()).await.is_ok() {}
            return;
        }
    })
    .await;
    let (before, started) = (peak(), Instant::now());
    timeout(Duration::from_millis(400), clone(&anonymous(&server.url()), &repository("r")))
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(peak() - before < 16 << 20, "{} bytes", peak() - before);
}
