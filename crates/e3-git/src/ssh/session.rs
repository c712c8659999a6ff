//! A connection with a server that knows who we are.

use std::{future::Future, time::Duration};

use russh::{
    Channel, Disconnect,
    client::{self, Handle, Msg},
    keys::{HashAlg, PrivateKeyWithHashAlg},
};
use tokio::{net::TcpStream, sync::watch, time::timeout};

use super::{
    SshError, SshServer,
    verifier::{Ended, Verifier},
    wire::{Guard, Trace, Wire},
};

/// A connection with a server that knows who we are; dropping it closes the socket at once.
pub(super) struct Session {
    server: SshServer,
    handle: Handle<Verifier>,
    ended: watch::Receiver<Option<Ended>>,
    trace: Trace,
    _guard: Guard,
}

impl Session {
    /// Connects, shakes hands and authenticates, each within a bounded time.
    pub(super) async fn open(server: &SshServer) -> Result<Self, SshError> {
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
        timeout(HANDSHAKE_BOUND, Self::start(server, stream)).await.unwrap_or_else(|_| {
            Err(SshError::Timeout { server: address(), what: "the handshake", bound: HANDSHAKE_BOUND })
        })
    }

    async fn start(server: &SshServer, stream: TcpStream) -> Result<Self, SshError> {
        let (wire, guard, trace) = Wire::new(stream);
        let (verifier, ended) = Verifier::new(server);
        let handle = client::connect_stream(server.config(), wire, verifier)
            .await
            .map_err(|ended| error_of(server, ended, "the handshake"))?;
        let mut session = Self { server: server.alone(), handle, ended, trace, _guard: guard };
        session.authenticate().await?;
        Ok(session)
    }

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

    /// Opens a channel, within a bounded time.
    pub(super) async fn channel(&self) -> Result<Channel<Msg>, SshError> {
        let opened = self.within("the opening of a channel", self.handle.channel_open_session()).await?;
        match opened {
            Ok(channel) => Ok(channel),
            Err(russh::Error::ChannelOpenFailure(reason)) => {
                Err(SshError::NoChannel { server: self.server.address().to_owned(), reason: words(&reason) })
            }
            Err(error) => Err(self.failed(error, "the opening of a channel").await),
        }
    }

    async fn within<T>(&self, what: &'static str, future: impl Future<Output = T>) -> Result<T, SshError> {
        timeout(HANDSHAKE_BOUND, future).await.map_err(|_| self.timeout(what, HANDSHAKE_BOUND))
    }

    /// Returns whether the connection is known to be gone.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    pub(super) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(super) fn timeout(&self, what: &'static str, bound: Duration) -> SshError {
        SshError::Timeout { server: self.server.address().to_owned(), what, bound }
    }

    /// Returns why something failed: what ended the session, if it has ended.
    pub(super) async fn failed(&self, error: russh::Error, during: &'static str) -> SshError {
        let ended = if self.handle.is_closed() { self.ended().await } else { None };
        error_of(&self.server, ended.unwrap_or(Ended::from(error)), during)
    }

    /// Returns why the connection is gone; none if it went without a word.
    pub(super) async fn broken(&self) -> Option<SshError> {
        let ended = self.ended().await?;
        Some(error_of(&self.server, ended, "the transfer"))
    }

    async fn ended(&self) -> Option<Ended> {
        let mut ended = self.ended.clone();
        ended.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone())
    }

    /// Says farewell and waits, for a bounded time, until the socket is closed.
    pub(super) async fn leave(self) {
        let leaving = async {
            // A server that went first has closed the socket for us.
            if self.handle.disconnect(Disconnect::ByApplication, "", "").await.is_ok() {
                let _ = self.handle.await;
            }
        };
        // What is not closed by then is cut by the guard.
        let _ = timeout(LEAVE_BOUND, leaving).await;
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
        Ended::Broken(source) => SshError::Broken { server: address, during, source },
    }
}

/// Source: RFC 4254, section 5.1.
fn words(reason: &russh::ChannelOpenFailure) -> &'static str {
    match reason {
        russh::ChannelOpenFailure::AdministrativelyProhibited => "it is prohibited there",
        russh::ChannelOpenFailure::ConnectFailed => "the opening failed there",
        russh::ChannelOpenFailure::UnknownChannelType => "it knows no sessions",
        russh::ChannelOpenFailure::ResourceShortage => "it is short of resources",
        russh::ChannelOpenFailure::Other { .. } => "for a reason of its own",
    }
}

const CONNECT_BOUND: Duration = Duration::from_secs(10);
/// A server under load lets its clients wait for their turn.
const HANDSHAKE_BOUND: Duration = Duration::from_secs(30);
/// For what is left to say when the answer is there.
pub(super) const LEAVE_BOUND: Duration = Duration::from_secs(10);
