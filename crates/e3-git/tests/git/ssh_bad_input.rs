//! Servers whose SSH is in order and whose Git is not: each is a failure of the right kind, in bounded time and memory.

use std::time::Duration;

use bytes::Bytes;
use e3_git::{GitError, GitOptions, Remote, SshError, SshKey, clone, ls_remote};
use e3_model::{Connections, Outcome, SshEndpoint, with_causes};
use e3_testkit::wait_for;
use tokio::time::timeout;

use crate::{
    site::repository,
    ssh_server::{SshServer, Step},
};

/// More than any of these operations takes, so that one that hangs is named.
const BOUND: Duration = Duration::from_secs(20);

/// Returns a line of Git's protocol.
pub(crate) fn pkt(payload: &[u8]) -> Bytes {
    let mut line = format!("{:04x}", payload.len() + 4).into_bytes();
    line.extend_from_slice(payload);
    line.into()
}

/// Returns what a server of protocol version 0 says first.
pub(crate) fn advertisement() -> Bytes {
    let oid = "1".repeat(40);
    let head = pkt(format!("{oid} HEAD\0side-band-64k agent=test\n").as_bytes());
    let main = pkt(format!("{oid} refs/heads/main\n").as_bytes());
    [&head[..], &main, b"0000"].concat().into()
}

/// Returns a pack of no objects.
///
/// Source: `git pack-objects --stdout </dev/null`.
fn pack() -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    pack.extend_from_slice(
        b"\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e",
    );
    pack
}

fn banded(band: u8, bytes: &[u8]) -> Bytes {
    pkt(&[&[band], bytes].concat())
}

fn answer(pack: &[u8]) -> Bytes {
    [&b"0008NAK\n"[..], &banded(2, b"Counting objects: 0\n"), &banded(1, pack), b"0000"].concat().into()
}

/// Returns the steps of a clone that succeeds.
pub(crate) fn empty_clone() -> Vec<Step> {
    cloned(answer(&pack()), vec![Step::Exit(0)])
}

fn cloned(answer: Bytes, then: Vec<Step>) -> Vec<Step> {
    [vec![Step::Send(advertisement()), Step::Listen, Step::Send(answer)], then].concat()
}

fn both(remote: &Remote) -> [Remote; 2] {
    [Connections::PerOp, Connections::KeepAlive]
        .map(|connections| remote.clone().with_options(&GitOptions { connections, ..GitOptions::default() }))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_has_its_outcome() {
    let corrupt = |place: usize| {
        let mut pack = pack();
        pack[place] ^= 1;
        answer(&pack)
    };
    let half = answer(&pack()).slice(..40);
    let endless_line = Bytes::from(vec![b'x'; 4000]);
    let exits = |status| vec![Step::Exit(status)];
    let (git, protocol, connection) = (Outcome::Git, Outcome::Protocol, Outcome::Connection);
    let cases: Vec<(&str, Vec<Step>, Outcome, &str)> = vec![
        ("a command refused", vec![Step::Refuse], git, "does not run Git's commands"),
        ("a word on stderr", vec![Step::Stderr("go away"), Step::Exit(1)], git, "go away (exit status 1)"),
        ("an end at once", exits(0), protocol, "ends within the advertisement"),
        (
            "an end after the refs",
            vec![Step::Send(advertisement()), Step::Listen, Step::Exit(0)],
            protocol,
            "ends within",
        ),
        (
            "a hang-up after the refs",
            vec![Step::Send(advertisement()), Step::Listen, Step::HangUp],
            connection,
            "failed during the transfer",
        ),
        (
            "a hang-up within the pack",
            cloned(half.clone(), vec![Step::HangUp]),
            connection,
            "failed during the transfer",
        ),
        ("an end within the pack", cloned(half, exits(0)), protocol, "ends within the pack"),
        ("a wrong trailer", cloned(corrupt(31), exits(0)), protocol, "checksum"),
        ("a wrong header", cloned(corrupt(0), exits(0)), protocol, "P/r"),
        ("a failure after the pack", cloned(answer(&pack()), exits(3)), git, "exit status 3"),
        (
            "a second answer",
            cloned(answer(&pack()), vec![Step::Send(advertisement()), Step::Exit(0)]),
            protocol,
            "more than was asked for",
        ),
        ("no lines", vec![Step::Repeat(endless_line)], protocol, "breaks Git's protocol"),
        (
            "an error in the answer",
            cloned([&b"0008NAK\n"[..], &banded(3, b"out of space\n")].concat().into(), exits(128)),
            git,
            "out of space",
        ),
    ];
    for (name, steps, outcome, expected) in cases {
        let script = steps.clone();
        let server = SshServer::start(10, move |_, _| script.clone()).await;
        for remote in both(&server.remote()) {
            let ended = timeout(BOUND, clone(&remote, &repository("r"))).await;
            let error = ended.unwrap_or_else(|_| panic!("{name} takes forever")).unwrap_err();
            let text = with_causes(&error);
            assert!(text.contains(expected), "{name}: {text}");
            assert_eq!(error.outcome(), outcome, "{name}: {text}");
        }
    }
    let server = SshServer::start(10, |_, _| empty_clone()).await;
    for remote in both(&server.remote()) {
        clone(&remote, &repository("r")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_ends_ends_with_its_caller_and_takes_no_memory_meanwhile() {
    let progress = banded(2, &b"Still counting objects\r".repeat(1000));
    let nak = Bytes::from_static(b"0008NAK\n");
    for (name, steps) in [
        ("silence", vec![Step::Listen, Step::Listen]),
        ("silence after the refs", vec![Step::Send(advertisement()), Step::Listen, Step::Listen]),
        ("endless progress", cloned(nak, vec![Step::Repeat(progress)])),
    ] {
        let server = SshServer::start(10, move |_, _| steps.clone()).await;
        for remote in both(&server.remote()) {
            let before = resident_kib();
            let ended = timeout(Duration::from_millis(500), clone(&remote, &repository("r"))).await;
            assert!(ended.is_err(), "{name}: {ended:?}");
            wait_for("the end of the channel", BOUND, || {
                std::future::ready(if server.running() == 0 { Ok(()) } else { Err(name.to_owned()) })
            })
            .await;
            let grown = resident_kib().saturating_sub(before);
            assert!(grown < 64 << 10, "{name}: {grown} KiB more");
        }
    }
}

/// Source: proc_pid_status(5).
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_opens_no_channel_says_so() {
    let server = SshServer::start(0, |_, _| empty_clone()).await;
    for remote in both(&server.remote()) {
        let error = ls_remote(&remote, &repository("r")).await.unwrap_err();
        assert!(
            matches!(error, GitError::Ssh { source: SshError::NoChannel { .. }, .. }),
            "{}",
            with_causes(&error)
        );
        assert_eq!(error.outcome(), Outcome::Git);
    }
    // Asking again on another connection would get the same answer.
    assert_eq!(server.connections(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_has_is_no_connection() {
    // A label of more than 63 bytes is no name at all, which is known without asking anybody (RFC 1035, section 2.3.4).
    let url = format!("ssh://{}.invalid:7999", "x".repeat(64));
    let endpoint = SshEndpoint { url, host_key: SshKey::generate().unwrap().public() };
    let remote = Remote::ssh(&endpoint, SshKey::generate().unwrap()).unwrap();
    for remote in both(&remote) {
        let error = timeout(BOUND, ls_remote(&remote, &repository("r"))).await.unwrap().unwrap_err();
        assert_eq!(error.outcome(), Outcome::Connection, "{}", with_causes(&error));
        assert!(with_causes(&error).contains("cannot connect to ssh://xxx"), "{}", with_causes(&error));
    }
}
