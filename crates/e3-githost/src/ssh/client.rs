//! One client: who it is, and the channels it has opened.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Pty};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::line::{Gate, Piece};
use super::operation::Operation;
use crate::access_log::{Head, Record};
use crate::git::is_protocol;
use crate::metrics::Transport;
use crate::state::App;
use crate::store::User;
use crate::visit::{request_id, short_name};

/// What the connection's owner should know about its client.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) signed_in: bool,
    /// How many operations run.
    pub(super) operations: usize,
}

/// The client of one connection. Dropped with the connection, it ends what runs for it.
pub(super) struct Client {
    host: App,
    gate: Arc<Gate>,
    presence: Arc<watch::Sender<Presence>>,
    peer: IpAddr,
    /// A short name of the connection, for the access log.
    session: String,
    user: Option<User>,
    channels: HashMap<ChannelId, Open>,
}

/// An open channel.
#[derive(Default)]
struct Open {
    /// What the client set as `GIT_PROTOCOL`.
    protocol: Option<String>,
    started: bool,
    /// Where what the client sends goes; none before a command runs, and after the client's end of file. It needs no bound
    /// of its own: the gate bounds what all of them hold.
    feed: Option<mpsc::UnboundedSender<Piece>>,
    /// Ends the operation with the channel.
    operation: Option<DropGuard>,
    /// There as long as the operation runs.
    running: Weak<()>,
}

impl Open {
    /// Returns whether what was begun has ended. A channel that the server closes first is not told of again.
    fn has_ended(&self) -> bool {
        self.started && self.running.strong_count() == 0
    }
}

/// An operation that runs, as long as this lives.
pub(super) struct Running(Arc<watch::Sender<Presence>>);

impl Client {
    pub(super) fn new(host: App, gate: Arc<Gate>, presence: watch::Sender<Presence>, peer: IpAddr) -> Self {
        let session = short_name(rand::random());
        let presence = Arc::new(presence);
        Self { host, gate, presence, peer, session, user: None, channels: HashMap::new() }
    }

    /// Begins the record of a command.
    fn record(&self, user: &User, line: Option<&[u8]>, session: &Session) -> Arc<Record> {
        let host = &self.host;
        let (number, others, _) = host.traffic.enter();
        let record = Record::new(&host.access, &host.metrics, Transport::Ssh);
        record.open(Head {
            address: self.peer.to_string(),
            protocol: "ssh",
            id: request_id(&host.node, number, others),
            action: format!("SSH - {}", line.map_or("shell".into(), String::from_utf8_lossy)),
            details: format!("\"{}\"", String::from_utf8_lossy(session.remote_sshid())),
            user: Some(user.name.clone()),
            session: Some(self.session.clone()),
            ssh_user: Some(user.id),
        });
        record
    }

    /// Returns the user who registered the key, if it is anybody's.
    async fn owner(&self, name: &str, key: &PublicKey) -> Option<User> {
        if name != USER {
            return None;
        }
        let key = key.to_bytes().ok()?;
        match self.host.store.user_of_ssh_key(&key).await {
            Ok(user) => user,
            Err(error) => {
                tracing::error!(%error, "cannot look up a key");
                None
            }
        }
    }

    /// Returns whether the channel is open, and nothing was begun on it.
    fn may_begin(&self, channel: ChannelId) -> bool {
        self.channels.get(&channel).is_some_and(|open| !open.started)
    }

    /// Begins what the channel asks for, once; `line` is none for a shell.
    fn begin(
        &mut self,
        channel: ChannelId,
        line: Option<&[u8]>,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let Some(user) = self.user.clone().filter(|_| self.may_begin(channel)) else {
            return session.channel_failure(channel);
        };
        let record = self.record(&user, line, session);
        let Some(open) = self.channels.get_mut(&channel) else {
            return session.channel_failure(channel);
        };
        open.started = true;
        let (feed, input) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        open.feed = Some(feed);
        open.operation = Some(stop.clone().drop_guard());
        let running = Arc::new(());
        open.running = Arc::downgrade(&running);
        let operation = Operation {
            host: Arc::clone(&self.host),
            user,
            record,
            protocol: open.protocol.take(),
            input,
            handle: session.handle(),
            channel,
            gate: Arc::clone(&self.gate),
            _running: (Running::new(Arc::clone(&self.presence)), running),
        };
        let line = line.map(<[u8]>::to_vec);
        self.host.git.tracker().spawn(operation.run(line, stop));
        session.channel_success(channel)
    }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        name: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(if self.owner(name, offer.public_key).await.is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, name: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        self.user = self.owner(name, key.public_key).await;
        Ok(if self.user.is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_succeeded(&mut self, _: &mut Session) -> Result<(), russh::Error> {
        self.presence.send_modify(|presence| presence.signed_in = true);
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.retain(|_, open| !open.has_ended());
        if self.channels.len() < MOST_CHANNELS {
            self.channels.insert(channel.id(), Open::default());
            reply.accept().await;
        }
        // The channel itself is dropped: its queue would hold up the session when it is full.
        Ok(())
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.channels.get_mut(&channel) {
            Some(open) if name == "GIT_PROTOCOL" && is_protocol(value) => {
                open.protocol = Some(value.to_owned());
                session.channel_success(channel)
            }
            _ => session.channel_failure(channel),
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        line: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.begin(channel, Some(line), session)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        self.begin(channel, None, session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _: bool,
        _: &str,
        _: &str,
        _: u32,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], _: &mut Session) -> Result<(), russh::Error> {
        if let Some(feed) = self.channels.get(&channel).and_then(|open| open.feed.as_ref()) {
            // What an operation that has ended would have got is dropped.
            let _ = feed.send(self.gate.hold(Bytes::copy_from_slice(data)));
        }
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        if let Some(open) = self.channels.get_mut(&channel) {
            open.feed = None;
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        self.channels.remove(&channel);
        Ok(())
    }
}

impl Running {
    fn new(presence: Arc<watch::Sender<Presence>>) -> Self {
        presence.send_modify(|presence| presence.operations += 1);
        Self(presence)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|presence| presence.operations = presence.operations.saturating_sub(1));
    }
}

/// Source: Bitbucket's SSH URLs.
const USER: &str = "git";
/// Source: OpenSSH's default of `MaxSessions`.
const MOST_CHANNELS: usize = 10;
