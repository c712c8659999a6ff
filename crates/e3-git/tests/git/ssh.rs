//! What is special to SSH: host keys, users' keys, and services that end badly.

use std::{path::Path, process::Command, time::Duration};

use e3_git::{GitError, Remote, SshError, SshKey, clone, ls_remote};
use e3_model::{Outcome, Secret, SshEndpoint, with_causes};
use e3_testkit::{Loopback, Shape, Sshd, SshdOptions};
use tokio::{io::AsyncWriteExt, time::timeout};

use crate::site::{Site, endpoint, repository};

/// More than any of these operations takes, so that one that hangs is named.
const BOUND: Duration = Duration::from_secs(40);

async fn site() -> Site<Sshd> {
    let site = Site::ssh(SshdOptions::default()).await;
    site.create("r", 1, Shape::seeded(1)).await;
    site
}

/// Returns a server where every service runs these lines of sh.
async fn running(lines: &str) -> Site<Sshd> {
    let site = Site::ssh(SshdOptions { run: Some(lines.to_owned()), ..SshdOptions::default() }).await;
    let shape = Shape { commits: 20, binary_bytes: 60_000, ..Shape::seeded(4) };
    site.create("r", 4, shape).await;
    site
}

/// Returns an endpoint that is no sshd.
fn elsewhere(url: &str) -> SshEndpoint {
    let host_key = SshKey::generate().unwrap().public();
    SshEndpoint { url: url.replace("http:", "ssh:"), host_key }
}

fn keygen(directory: &Path, kind: &str, bits: &str, passphrase: &str) -> Secret {
    let path = directory.join(format!("{kind}{bits}{passphrase}"));
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-b", bits, "-N", passphrase, "-C", "somebody", "-f"])
        .arg(&path)
        .status();
    assert!(status.unwrap().success());
    Secret::new(std::fs::read_to_string(path).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_usual_kind_let_in() {
    let site = site().await;
    for (kind, bits) in [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "521"), ("rsa", "3072")] {
        let key = SshKey::parse(&keygen(site.directory.path(), kind, bits, "")).unwrap();
        site.server.authorize(&key.public());
        let remote = Remote::ssh(&endpoint(&site.server), key).unwrap();
        ls_remote(&remote, &repository("r")).await.unwrap();
    }
    let log = site.server.log();
    assert!(log.contains("RSA-SHA2") || log.contains("RSA SHA256:"), "{log}");
    let locked = SshKey::parse(&keygen(site.directory.path(), "ed25519", "256", "secret")).unwrap_err();
    assert!(locked.to_string().contains("passphrase"), "{locked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn host_keys_of_every_usual_kind_are_pinned() {
    for host_key in ["ecdsa", "rsa"] {
        let site = Site::ssh(SshdOptions { host_key, ..SshdOptions::default() }).await;
        site.create("r", 1, Shape::seeded(1)).await;
        ls_remote(&site.remote(), &repository("r")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_key_is_refused_and_both_are_named() {
    let site = site().await;
    let pinned = SshKey::generate().unwrap();
    let wrong = SshEndpoint { host_key: pinned.public(), ..endpoint(&site.server) };
    // Keys of another kind are compared too, not taken for a lack of common algorithms.
    let rsa = SshKey::parse(&keygen(site.directory.path(), "rsa", "2048", "")).unwrap();
    let other_kind = SshEndpoint { host_key: rsa.public(), ..endpoint(&site.server) };
    for (endpoint, pinned) in [(wrong, pinned), (other_kind, rsa)] {
        let remote = Remote::ssh(&endpoint, SshKey::generate().unwrap()).unwrap();
        let error = clone(&remote, &repository("r")).await.unwrap_err();
        let text = with_causes(&error);
        let shown = fingerprint_of(&site.server.host_key());
        assert!(text.contains(&pinned.fingerprint()) && text.contains(&shown), "{shown}: {text}");
        assert_eq!(error.outcome(), Outcome::Git);
    }
}

fn fingerprint_of(public_key: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pub");
    std::fs::write(&path, public_key).unwrap();
    let output = Command::new("ssh-keygen").arg("-lf").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_registered_is_denied() {
    let site = site().await;
    let key = SshKey::generate().unwrap();
    let remote = Remote::ssh(&endpoint(&site.server), key.clone()).unwrap();
    let error = ls_remote(&remote, &repository("r")).await.unwrap_err();
    let text = with_causes(&error);
    assert!(text.contains(&key.fingerprint()) && text.contains("P/r"), "{text}");
    assert!(matches!(error, GitError::Ssh { source: SshError::Denied { .. }, .. }));
    assert_eq!(error.outcome(), Outcome::Git);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_a_refused_connection() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let remote =
        Remote::ssh(&elsewhere(&format!("ssh://127.0.0.1:{port}")), SshKey::generate().unwrap()).unwrap();
    let error = ls_remote(&remote, &repository("r")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused, "{error}");
}

#[tokio::test]
async fn what_is_no_ssh_server_is_told_from_one_that_hangs_up() {
    for (greeting, outcome) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Outcome::Connection),
        ("<html>\r\n".repeat(100).into_bytes(), Outcome::Protocol),
        (vec![0xff; 5000], Outcome::Protocol),
        (
            b"SSH-2.0-x\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            Outcome::Protocol,
        ),
        (Vec::new(), Outcome::Connection),
    ] {
        let shown = String::from_utf8_lossy(&greeting).chars().take(30).collect::<String>();
        let server = Loopback::raw(move |mut stream, _| {
            let greeting = greeting.clone();
            async move {
                let _ = stream.write_all(&greeting).await;
                // What the client has sent is read, so that closing is no reset.
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await;
            }
        })
        .await;
        let remote = Remote::ssh(&elsewhere(&server.url()), SshKey::generate().unwrap()).unwrap();
        let error = ls_remote(&remote, &repository("r")).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{shown}: {}", with_causes(&error));
        assert!(with_causes(&error).contains(&server.url().replace("http:", "ssh:")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_speaks_is_waited_for_only_so_long() {
    let server = Loopback::raw(|stream, _| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let remote = Remote::ssh(&elsewhere(&server.url()), SshKey::generate().unwrap()).unwrap();
    let error = ls_remote(&remote, &repository("r")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Timeout, "{error}");
    assert!(with_causes(&error).contains("30 s for the handshake"), "{}", with_causes(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_last_words_and_status_are_the_error() {
    let site = site().await;
    let missing = ls_remote(&site.remote(), &repository("missing")).await.unwrap_err();
    let text = missing.to_string();
    assert!(text.contains("does not appear to be a git repository") && text.contains("128"), "{text}");
    assert_eq!(missing.outcome(), Outcome::Git);
    // A repository's name is one word of the command, whatever is in it.
    let tricky = ls_remote(&site.remote(), &repository("a'; touch \"$HOME\"/b; 'c")).await.unwrap_err();
    assert_eq!(tricky.outcome(), Outcome::Git, "{tricky}");
    assert!(!site.directory.path().join("b").exists());

    for (lines, expected) in [
        (
            "printf >&2 'Repository not found\\nIt does not exist.\\n\\n'; exit 1",
            "Repository not found; It does not exist. (exit status 1)",
        ),
        ("exit 3", "exit status 3"),
        ("kill -KILL $$", "signal KILL"),
        // A whole answer is no success where the service fails afterwards.
        ("\"$@\"; exit 5", "exit status 5"),
        (
            "\"$@\" | dd bs=1 count=20000 status=none; echo >&2 'no space left'; exit 4",
            "no space left (exit status 4)",
        ),
    ] {
        let site = running(lines).await;
        let cloned = timeout(BOUND, clone(&site.remote(), &repository("r"))).await;
        let error = cloned.unwrap_or_else(|_| panic!("{lines} takes forever")).unwrap_err();
        assert!(
            matches!(&error, GitError::Remote { message, .. } if message.contains(expected)),
            "{lines}: {error}"
        );
        assert_eq!(error.outcome(), Outcome::Git);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_pack_on_its_way_is_seen() {
    for (lines, outcome, expected) in [
        ("\"$@\" | dd bs=1 count=20000 status=none", Outcome::Protocol, "ends within the pack"),
        (
            "\"$@\" | dd bs=1 count=20000 status=none; kill -KILL $PPID",
            Outcome::Connection,
            "failed during the transfer",
        ),
        ("\"$@\"; printf '0005x'", Outcome::Protocol, "more than was asked for"),
        ("printf 'HTTP/1.1 400'", Outcome::Protocol, "breaks Git's protocol"),
        ("printf ''", Outcome::Protocol, "ends within the advertisement"),
    ] {
        let site = running(lines).await;
        let cloned = timeout(BOUND, clone(&site.remote(), &repository("r"))).await;
        let error = cloned.unwrap_or_else(|_| panic!("{lines} takes forever")).unwrap_err();
        let text = with_causes(&error);
        assert!(text.contains(expected), "{lines}: {text}");
        assert_eq!(error.outcome(), outcome, "{lines}: {text}");
    }
}
