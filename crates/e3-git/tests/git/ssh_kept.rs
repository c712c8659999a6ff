//! One SSH connection for many operations: how it is shared, replaced and closed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use e3_git::{GitError, GitOptions, Remote, SshError, SshKey, clone, delete_branches, fetch_tip, ls_remote};
use e3_model::{Connections, Outcome, SshEndpoint, with_causes};
use e3_testkit::{Loopback, Shape, Sshd, SshdOptions, wait_for};
use tokio::{net::TcpStream, runtime::Handle, sync::watch, task::JoinSet};

use crate::{
    site::{Site, endpoint, repository},
    ssh_bad_input::{advertisement, empty_clone, pkt},
    ssh_server::{SshServer, Step},
};

const BOUND: Duration = Duration::from_secs(20);

fn kept(remote: Remote) -> Remote {
    remote.with_options(&GitOptions { connections: Connections::KeepAlive, ..GitOptions::default() })
}

async fn until(what: &str, mut holds: impl FnMut() -> Result<(), String>) {
    wait_for(what, BOUND, || std::future::ready(holds())).await;
}

fn equals<T: Copy + PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
}

async fn site(run: Option<&str>) -> Site<Sshd> {
    let site = Site::ssh(SshdOptions { run: run.map(str::to_owned), ..SshdOptions::default() }).await;
    site.create("r", 1, Shape::seeded(1)).await;
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_share_one_connection_which_is_closed_in_order_with_the_remote() {
    let site = site(None).await;
    let before = Handle::current().metrics().num_alive_tasks();
    let remote = kept(site.remote());
    assert_eq!(remote.negotiated(), None);
    let repository = repository("r");
    let refs = ls_remote(&remote, &repository).await.unwrap().refs;
    for _ in 0..3 {
        let cloned = clone(&remote, &repository).await.unwrap();
        assert!(cloned.objects > 0);
        fetch_tip(&remote, &repository, "main").await.unwrap();
        delete_branches(&remote, &repository, &["never"]).await.unwrap();
        assert_eq!(ls_remote(&remote.clone(), &repository).await.unwrap().refs, refs);
    }
    assert_eq!((site.server.connections(), site.server.open()), (1, 1));
    let negotiated = remote.negotiated().unwrap();
    assert_eq!(negotiated.cipher, "aes128-gcm@openssh.com");
    assert!(negotiated.key_exchange.starts_with("curve25519-sha256"), "{negotiated:?}");
    assert_eq!(negotiated.host_key, "ssh-ed25519");
    drop(remote);
    until("the end of the connection", || equals(site.server.open(), 0)).await;
    until("the end of the client's tasks", || {
        let alive = Handle::current().metrics().num_alive_tasks();
        if alive <= before { Ok(()) } else { Err(format!("{alive} tasks instead of {before}")) }
    })
    .await;
    let log = site.server.log();
    assert_eq!(log.matches("Received disconnect").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_at_the_same_time_share_it_too_and_those_beyond_the_servers_bound_get_their_own() {
    // No service answers before all are there, so that they are surely open at the same time.
    let run = "touch \"here-$$\"; until [ -e go ]; do sleep 0.02; done; exec \"$@\"";
    for (operations, connections) in [(8, 1), (13, 4)] {
        let site = site(Some(run)).await;
        let remote = kept(site.remote());
        let mut running = JoinSet::new();
        for _ in 0..operations {
            let remote = remote.clone();
            running.spawn(async move { clone(&remote, &repository("r")).await });
        }
        until("the start of all services", || {
            let files = std::fs::read_dir(site.directory.path()).unwrap();
            let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
            equals(names.filter(|name| name.starts_with("here-")).count(), operations)
        })
        .await;
        assert_eq!(site.server.connections(), connections, "{operations} operations");
        std::fs::write(site.directory.path().join("go"), "").unwrap();
        for cloned in running.join_all().await {
            assert!(cloned.unwrap().objects > 0);
        }
        until("the end of the connections beyond the first", || equals(site.server.open(), 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_operation_ends_its_service_and_leaves_the_connection_to_the_others() {
    let endless = format!(
        "if [ -e endless ]; then rm endless; yes '003d{} refs/heads/main'; touch ended; fi\n\
         touch here; until [ -e go ]; do sleep 0.02; done; exec \"$@\"",
        "1".repeat(40)
    );
    let site = site(Some(&endless)).await;
    let file = |name: &str| site.directory.path().join(name);
    let (remote, repository) = (kept(site.remote()), repository("r"));
    let other = ls_remote(&remote, &repository);
    tokio::pin!(other);
    tokio::select! {
        ended = &mut other => panic!("{ended:?}"),
        () = until("the start of the other's service", || equals(file("here").exists(), true)) => {}
    }
    std::fs::write(file("endless"), "").unwrap();
    tokio::select! {
        ended = clone(&remote, &repository) => panic!("{ended:?}"),
        () = until("the start of the endless service", || equals(file("endless").exists(), false)) => {}
    }
    until("the end of the endless service", || equals(file("ended").exists(), true)).await;
    assert_eq!((site.server.connections(), site.server.open()), (1, 1));
    std::fs::write(file("go"), "").unwrap();
    let refs = other.await.unwrap().refs;
    until("the end of the connection", || equals(site.server.open(), 0)).await;
    // What the server still makes of the rest of the answer does not concern the next.
    assert_eq!(ls_remote(&remote, &repository).await.unwrap().refs, refs);
    assert_eq!((site.server.connections(), site.server.open()), (2, 1));
}

/// A way to a server that can be cut, and led elsewhere.
struct Bridge {
    entrance: Loopback,
    target: watch::Sender<std::net::SocketAddr>,
}

impl Bridge {
    async fn to(site: &Site<Sshd>) -> Self {
        let (target, targets) = watch::channel(site.server.address());
        let entrance = Loopback::raw(move |mut stream, _| {
            let mut targets = targets.clone();
            async move {
                let address = *targets.borrow_and_update();
                let mut server = TcpStream::connect(address).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut stream, &mut server) => {}
                    _ = targets.changed() => {}
                }
            }
        })
        .await;
        Self { entrance, target }
    }

    fn remote(&self, site: &Site<Sshd>) -> Remote {
        let user = endpoint(&site.server).url.split_once('@').unwrap().0.to_owned();
        let url = self.entrance.url().replace("http://", &format!("{user}@"));
        let key = std::fs::read_to_string(site.server.user_key()).unwrap();
        let key = SshKey::parse(&e3_model::Secret::new(key)).unwrap();
        kept(Remote::ssh(&SshEndpoint { url, ..endpoint(&site.server) }, key).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_went_between_operations_is_replaced_by_the_next() {
    let site = site(None).await;
    let bridge = Bridge::to(&site).await;
    let (remote, repository) = (bridge.remote(&site), repository("r"));
    for connections in 1..=4 {
        clone(&remote, &repository).await.unwrap();
        assert_eq!(bridge.entrance.connections(), connections);
        // The last time, the operation may begin before anybody has seen the end of the connection.
        bridge.target.send(site.server.address()).unwrap();
        if connections < 3 {
            until("the end of the connection", || equals(site.server.open(), 0)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_key_is_refused_also_on_the_second_connection() {
    let (here, other) = (site(None).await, site(None).await);
    let bridge = Bridge::to(&here).await;
    let (remote, repository) = (bridge.remote(&here), repository("r"));
    ls_remote(&remote, &repository).await.unwrap();
    bridge.target.send(other.server.address()).unwrap();
    for _ in 0..2 {
        let error = ls_remote(&remote, &repository).await.unwrap_err();
        assert!(
            matches!(error, GitError::Ssh { source: SshError::HostKey { .. }, .. }),
            "{}",
            with_causes(&error)
        );
        assert_eq!(error.outcome(), Outcome::Git);
    }
    bridge.target.send(here.server.address()).unwrap();
    ls_remote(&remote, &repository).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_asked_for_once_more_where_it_was_not_accepted_and_no_more_often() {
    // The connection's number from which on every command ends it, the commands before that, and what comes of the second.
    for (from, succeeds) in [(usize::MAX, true), (1, false)] {
        let server = SshServer::start(10, move |connection, command| {
            let hangs_up = command > 0 || connection >= from;
            if hangs_up { vec![Step::HangUp] } else { empty_clone() }
        })
        .await;
        let (remote, repository) = (kept(server.remote()), repository("r"));
        clone(&remote, &repository).await.unwrap();
        let second = clone(&remote, &repository).await;
        assert_eq!(second.is_ok(), succeeds, "{second:?}");
        if let Err(error) = second {
            assert_eq!(error.outcome(), Outcome::Connection, "{}", with_causes(&error));
        }
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_command_is_never_asked_for_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let server = SshServer::start(10, move |_, command| {
        counted.fetch_add(1, Ordering::AcqRel);
        if command == 0 {
            empty_clone()
        } else {
            vec![Step::Send(advertisement()), Step::Listen, Step::HangUp]
        }
    })
    .await;
    let (remote, repository) = (kept(server.remote()), repository("r"));
    clone(&remote, &repository).await.unwrap();
    let error = clone(&remote, &repository).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Connection, "{}", with_causes(&error));
    assert_eq!((asked.load(Ordering::Acquire), server.connections()), (2, 1));
    clone(&remote, &repository).await.unwrap();
    assert_eq!((asked.load(Ordering::Acquire), server.connections()), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_operation_keeps_the_connection_if_its_service_has_ended() {
    for (ends, connections) in [(true, 1), (false, 2)] {
        let server = SshServer::start(1, move |_, command| match command {
            1 if ends => vec![Step::Stderr("no such repository"), Step::Exit(128)],
            // A service that says what is wrong and then waits for ever.
            1 => vec![Step::Send(pkt(b"ERR no such repository\n")), Step::Listen, Step::Listen],
            _ => empty_clone(),
        })
        .await;
        let (remote, repository) = (kept(server.remote()), repository("r"));
        clone(&remote, &repository).await.unwrap();
        let error = clone(&remote, &repository).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Git, "{}", with_causes(&error));
        until("the end of the command", || equals(server.running(), 0)).await;
        clone(&remote, &repository).await.unwrap();
        assert_eq!(server.connections(), connections);
    }
}
