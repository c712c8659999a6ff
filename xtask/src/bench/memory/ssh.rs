//! The answers over SSH.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use rand::{TryRng as _, rngs::SysRng};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, server};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use super::answers::{Answers, Asked};

/// A server on a free port of loopback that lets every key in; dropping it ends it.
pub(super) struct Server {
    address: SocketAddr,
    host_key: PublicKey,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server that sends no pack before so many clients as the barrier has room for ask for one.
    ///
    /// # Errors
    /// When no port can be bound, or the operating system has no randomness to give.
    pub(super) async fn start(answers: Arc<Answers>, all_wait: Arc<Barrier>) -> Result<Self> {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed).context("there is no randomness")?;
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        let host_key = key.public_key().clone();
        let config = Arc::new(Config { keys: vec![key], nodelay: true, ..Config::default() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port is free")?;
        let address = listener.local_addr().context("a bound socket has no address")?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let client = Client {
                    answers: Arc::clone(&answers),
                    all_wait: Arc::clone(&all_wait),
                    asked: HashMap::new(),
                };
                let config = Arc::clone(&config);
                // It ends with its client.
                tokio::spawn(async move {
                    if let Ok(session) = server::run_stream(config, stream, client).await {
                        let _ = session.await;
                    }
                });
            }
        });
        Ok(Self { address, host_key, accepting })
    }

    pub(super) fn url(&self) -> String {
        format!("ssh://{}", self.address)
    }

    /// Returns the public host key: `ssh-ed25519 AAAA…`.
    pub(super) fn host_key(&self) -> String {
        self.host_key.to_openssh().unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The client of one connection, and what it has sent of its next request on each channel.
struct Client {
    answers: Arc<Answers>,
    all_wait: Arc<Barrier>,
    asked: HashMap<ChannelId, Vec<u8>>,
}

impl Handler for Client {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.asked.insert(channel, Vec::new());
        session.channel_success(channel)?;
        session.data(channel, self.answers.capabilities.clone())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let asked = self.asked.entry(channel).or_default();
        asked.extend_from_slice(data);
        let Some(what) = Asked::by(asked) else { return Ok(()) };
        asked.clear();
        match what {
            Asked::Refs => session.data(channel, self.answers.refs.clone()),
            Asked::Pack => {
                let (pack, all_wait) = (self.answers.pack.clone(), Arc::clone(&self.all_wait));
                tokio::spawn(send(session.handle(), channel, pack, all_wait));
                Ok(())
            }
        }
    }
}

/// Sends the pack and ends the channel as a command that succeeded.
async fn send(handle: Handle, channel: ChannelId, mut pack: Bytes, all_wait: Arc<Barrier>) {
    all_wait.wait().await;
    while !pack.is_empty() {
        let piece = pack.split_to(PIECE.min(pack.len()));
        // Whoever has left needs no more.
        if handle.data(channel, piece).await.is_err() {
            return;
        }
    }
    let _ = handle.exit_status_request(channel, 0).await;
    let _ = handle.eof(channel).await;
    let _ = handle.close(channel).await;
}

/// As much as a server reads of a pipe at a time.
const PIECE: usize = 64 << 10;
