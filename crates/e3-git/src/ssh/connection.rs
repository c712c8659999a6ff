//! One connection to a server, with one channel on which one service runs.

use std::time::Duration;

use russh::{
    ChannelReadHalf, ChannelWriteHalf, Disconnect,
    client::{self, Handle, Msg},
    keys::{HashAlg, PrivateKeyWithHashAlg},
};
use tokio::{net::TcpStream, sync::oneshot, time::timeout};

use super::{
    SshError, SshServer,
    verifier::{Ended, Verifier},
    wire::{Guard, Trace, Wire},
};

/// A connection on which a service was asked for; dropping it closes the socket at once.
pub(super) struct Connection {
    /// What comes from the service.
    pub(super) incoming: ChannelReadHalf,
    /// The service's stdin.
    pub(super) outgoing: ChannelWriteHalf<Msg>,
    pub(super) trace: Trace,
    session: Session,
}

/// A session with a server that knows who we are.
struct Session {
    server: SshServer,
    handle: Handle<Verifier>,
    ended: oneshot::Receiver<Ended>,
    _guard: Guard,
}

impl Connection {
    /// Connects, shakes hands, authenticates, and asks for a command with `GIT_PROTOCOL` set.
    ///
    /// The command is not waited for, nor is the environment: a server that refuses says so in the channel, or not.
    pub(super) async fn open(
        server: &SshServer,
        command: String,
        protocol: Option<&str>,
    ) -> Result<Self, SshError> {
        let address = || server.address().to_owned();
        let stream = timeout(CONNECT_BOUND, TcpStream::connect(server.host_and_port()))
            .await
            .map_err(|_| SshError::Timeout {
                server: address(),
                what: "the connection",
                bound: CONNECT_BOUND,
            })?
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|source| SshError::Connect { server: address(), source })?;
        timeout(HANDSHAKE_BOUND, Self::start(server, stream, command, protocol)).await.unwrap_or_else(|_| {
            Err(SshError::Timeout { server: address(), what: "the handshake", bound: HANDSHAKE_BOUND })
        })
    }

    async fn start(
        server: &SshServer,
        stream: TcpStream,
        command: String,
        protocol: Option<&str>,
    ) -> Result<Self, SshError> {
        let (wire, guard, trace) = Wire::new(stream);
        let (verifier, ended) = Verifier::new(server.host_key().clone());
        let handle = client::connect_stream(server.config(), wire, verifier)
            .await
            .map_err(|ended| error_of(server, ended, "the handshake"))?;
        let mut session = Session { server: server.clone(), handle, ended, _guard: guard };
        session.authenticate().await?;
        let opened = session.handle.channel_open_session().await;
        let (incoming, outgoing) = match opened {
            Ok(channel) => channel.split(),
            Err(error) => return Err(session.failed(error, "the opening of a channel").await),
        };
        if let Some(version) = protocol
            && let Err(error) = outgoing.set_env(false, "GIT_PROTOCOL", version).await
        {
            return Err(session.failed(error, "the start of the service").await);
        }
        if let Err(error) = outgoing.exec(true, command).await {
            return Err(session.failed(error, "the start of the service").await);
        }
        Ok(Self { incoming, outgoing, trace, session })
    }

    /// Returns why the connection is gone; none if it went without a word.
    pub(super) async fn broken(&mut self) -> Option<SshError> {
        let ended = (&mut self.session.ended).await.ok()?;
        Some(error_of(&self.session.server, ended, "the transfer"))
    }

    pub(super) fn timeout(&self, what: &'static str, bound: Duration) -> SshError {
        SshError::Timeout { server: self.session.server.address().to_owned(), what, bound }
    }

    /// Says farewell and waits, for a bounded time, until the socket is closed.
    pub(super) async fn close(self) {
        let Self { incoming, outgoing, session, .. } = self;
        drop((incoming, outgoing));
        let leaving = async {
            // A server that went first has closed the socket for us.
            if session.handle.disconnect(Disconnect::ByApplication, "", "").await.is_ok() {
                let _ = session.handle.await;
            }
        };
        // What is not closed by then is cut by the guard.
        let _ = timeout(LEAVE_BOUND, leaving).await;
    }
}

impl Session {
    async fn authenticate(&mut self) -> Result<(), SshError> {
        let key = self.server.key().clone();
        let hash = if key.is_rsa() { self.rsa_hash().await } else { None };
        let offered = PrivateKeyWithHashAlg::new(key.shared(), hash);
        match self.handle.authenticate_publickey(self.server.user(), offered).await {
            Ok(result) if result.success() => Ok(()),
            Ok(_) if !self.handle.is_closed() => Err(SshError::Denied {
                server: self.server.address().to_owned(),
                fingerprint: key.fingerprint(),
            }),
            Ok(_) => Err(self.failed(russh::Error::Disconnect, "the authentication").await),
            Err(error) => Err(self.failed(error, "the authentication").await),
        }
    }

    /// Returns the hash with which an RSA key signs: the best that the server names, never SHA-1.
    async fn rsa_hash(&self) -> Option<HashAlg> {
        let named = self.handle.best_supported_rsa_hash().await.ok().flatten().flatten();
        named.or(Some(HashAlg::Sha512))
    }

    /// Returns why something failed: what ended the session, if it has ended.
    async fn failed(&mut self, error: russh::Error, during: &'static str) -> SshError {
        let ended = if self.handle.is_closed() { (&mut self.ended).await.ok() } else { None };
        error_of(&self.server, ended.unwrap_or(Ended::Broken(error)), during)
    }
}

fn error_of(server: &SshServer, ended: Ended, during: &'static str) -> SshError {
    let address = server.address().to_owned();
    match ended {
        Ended::WrongHostKey(found) => SshError::HostKey {
            server: address,
            expected: server.host_key().fingerprint(HashAlg::Sha256).to_string(),
            found,
        },
        Ended::Disconnected(message) => SshError::Disconnected { server: address, message },
        Ended::Broken(source) => SshError::Broken { server: address, during, source: Box::new(source) },
    }
}

const CONNECT_BOUND: Duration = Duration::from_secs(10);
/// A server under load lets its clients wait for their turn.
const HANDSHAKE_BOUND: Duration = Duration::from_secs(30);
/// For what is left to say when the answer is there.
pub(super) const LEAVE_BOUND: Duration = Duration::from_secs(10);
