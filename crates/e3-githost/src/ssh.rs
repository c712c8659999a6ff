//! Git over SSH: `ssh://git@HOST:PORT/KEY/slug.git`, for users who have registered a public key.
//!
//! The protocol is russh's; what is served is what HTTP serves, by the same git, in the same turns and bounds. The user
//! is always `git`; who calls is told by the key. Connections are bounded in number, in the time until the client has
//! signed in, and in the time in which nothing happens.

mod client;
mod command;
mod host_key;
mod line;
mod operation;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::ssh_key::HashAlg;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Config, RunningSession, run_stream};
use russh::{Disconnect, MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::listen;
use crate::metrics::Metrics;
use crate::patience::Patient;
use crate::room::{Place, Room};
use crate::state::App;
use client::{Client, Presence};
use line::{Cut, Gate, Line};

pub(crate) use host_key::HostKeys;

/// Serves every connection until the shutdown; then lets operations end within the limit.
pub(crate) async fn accept(
    listener: TcpListener,
    host: App,
    keys: HostKeys,
    shutdown: impl Future<Output = ()>,
) {
    let limits = host.limits.clone();
    let room = Room::new(limits.ssh_connections);
    let mut connections = JoinSet::new();
    let stop = CancellationToken::new();
    let mut config = Arc::new(config(&limits, keys.all()));
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listen::accept_one(&listener, &room) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                if config.keys.len() < keys.count() {
                    config = Arc::new(self::config(&limits, keys.all()));
                }
                let (host, config, stop) = (Arc::clone(&host), Arc::clone(&config), stop.clone());
                connections.spawn(talk((stream, peer, place), host, config, stop));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(listen::ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.cancel();
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(limits.shutdown_seconds), all).await.is_err() {
        tracing::warn!(connections = connections.len(), "operations were cut off by the shutdown");
        connections.shutdown().await;
    }
}

/// Serves one connection to its end. Dropped before, it cuts the connection off, and git with it.
async fn talk(
    (stream, peer, place): (TcpStream, SocketAddr, Place),
    host: App,
    config: Arc<Config>,
    stop: CancellationToken,
) {
    let _session = host.metrics.ssh_session();
    let sign_in = tokio::time::Instant::now() + host.limits.ssh_sign_in();
    let gate = Arc::new(Gate::default());
    let _cut = Cut(Arc::clone(&gate));
    let (presence, mut present) = watch::channel(Presence::default());
    let line = Line::new(Patient::new(stream, host.limits.git_idle()), Arc::clone(&gate));
    let metrics = Arc::clone(&host.metrics);
    let client = Client::new(host, Arc::clone(&gate), presence, peer.ip());
    let begun = tokio::select! {
        begun = tokio::time::timeout_at(sign_in, run_stream(config, line, client)) => begun,
        () = place.is_wanted() => return tracing::debug!(%peer, "others want the place of a silent client"),
    };
    let mut session = match begun {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => return tracing::debug!(%error, %peer, "a connection did not begin with SSH"),
        Err(_) => return tracing::debug!(%peer, "a client did not begin in time"),
    };
    let mut seen = present.clone();
    let late = async {
        if tokio::time::timeout_at(sign_in, seen.wait_for(|now| now.signed_in)).await.is_ok() {
            watch_operations(&place, &mut seen).await;
        }
    };
    tokio::select! {
        ended = &mut session => return note(ended, peer, &metrics),
        () = late => {
            tracing::debug!(%peer, "a client did not sign in in time");
            gate.close();
        }
        () = place.is_wanted() => {
            tracing::debug!(%peer, "others want the place of a client that does nothing");
            if !place.has_spoken() {
                return;
            }
            goodbye(&mut session, &mut present, "Others need this connection's place.").await;
        }
        () = stop.cancelled() => goodbye(&mut session, &mut present, "The server is stopping.").await,
    }
    note(session.await, peer, &metrics);
}

/// Notes again and again whether an operation runs; it never ends by itself.
async fn watch_operations(place: &Place, present: &mut watch::Receiver<Presence>) {
    place.is_busy();
    loop {
        if present.borrow_and_update().operations == 0 {
            place.rests();
        } else {
            place.is_busy();
        }
        if present.changed().await.is_err() {
            // The session is ending, which its own future tells.
            std::future::pending::<()>().await;
        }
    }
}

/// Lets operations end, then says why this is all.
async fn goodbye(
    session: &mut RunningSession<Client>,
    present: &mut watch::Receiver<Presence>,
    reason: &str,
) {
    // It fails when the session is gone, which is as good.
    let _ = present.wait_for(|now| now.operations == 0).await;
    let _ = session.handle().disconnect(Disconnect::ByApplication, reason.to_owned(), String::new()).await;
}

fn note(ended: Result<(), russh::Error>, peer: SocketAddr, metrics: &Metrics) {
    if let Err(error) = ended {
        metrics.ssh_broken();
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}

fn config(limits: &Limits, keys: Vec<PrivateKey>) -> Config {
    Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-e3-githost")),
        methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
        // A key is not guessed, so a wrong one need not cost time: clients offer all they have.
        auth_rejection_time: Duration::ZERO,
        max_auth_attempts: limits.ssh_keys_tried,
        keys,
        window_size: WINDOW,
        maximum_packet_size: LARGEST_PACKET,
        event_buffer_size: MESSAGES_AHEAD,
        inactivity_timeout: Some(limits.git_idle()),
        nodelay: true,
        preferred: PREFERRED,
        ..Config::default()
    }
}

/// AES-GCM only: OpenSSH would choose ChaCha20-Poly1305 or AES-CTR if it could, which cost both sides half as much again
/// or more; every client of the last ten years knows it. No compression: packs are compressed already. No key exchange
/// over large primes, which lets strangers use up a core.
const PREFERRED: Preferred = Preferred {
    kex: Cow::Borrowed(&[
        kex::MLKEM768X25519_SHA256,
        kex::CURVE25519,
        kex::CURVE25519_PRE_RFC_8731,
        kex::EXTENSION_SUPPORT_AS_SERVER,
        kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
    ]),
    host_key_certificates: Cow::Borrowed(&[]),
    key: Cow::Borrowed(&[
        Algorithm::Ed25519,
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ]),
    cipher: Cow::Borrowed(&[cipher::AES_128_GCM, cipher::AES_256_GCM]),
    mac: Preferred::DEFAULT.mac,
    compression: Cow::Borrowed(&[compression::NONE]),
};

/// How far a client may send ahead: enough for a fast line around the world. What is held here is bounded by the gate.
const WINDOW: u32 = 8 << 20;
/// The largest that the library allows.
const LARGEST_PACKET: u32 = 65_535;
/// Each as large as a pipe, for each connection that sends faster than its client takes.
const MESSAGES_AHEAD: usize = 8;
