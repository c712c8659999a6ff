//! The channel on which one operation's service runs, and the connection that carries it.

use std::{sync::Arc, time::Instant};

use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};

use super::{SshError, SshServer, kept::Held, session::Session};

/// A channel on which a service was asked for.
///
/// Dropping it closes the connection at once where it is the operation's own. Else it closes the channel, and no other
/// operation begins on the connection, since nobody knows what the server makes of the rest of its answer.
pub(super) struct Connection {
    incoming: ChannelReadHalf,
    outgoing: Outgoing,
    /// What was heard already.
    first: Option<ChannelMsg>,
    /// When the service was asked for.
    asked: Instant,
}

/// The writing half of a channel, and what carries it.
struct Outgoing {
    half: Arc<ChannelWriteHalf<Msg>>,
    /// None once the connection was closed in order.
    carrier: Option<Carrier>,
    /// Whether the server has closed the channel, so that nothing more comes of it.
    is_closed: bool,
}

enum Carrier {
    Own(Session),
    Kept(Arc<Held>),
}

/// What the server is asked to run.
pub(super) struct Command {
    pub(super) line: String,
    /// What `GIT_PROTOCOL` is set to.
    pub(super) protocol: Option<&'static str>,
}

impl Connection {
    /// Opens a channel, on a connection as the server's remote wants it, and asks for a command.
    pub(super) async fn open(server: &SshServer, command: &Command) -> Result<Self, SshError> {
        match server.kept() {
            Some(kept) => kept.open(server, command).await,
            None => Self::own(server, command).await,
        }
    }

    /// Opens a connection for this operation alone.
    ///
    /// The command is not waited for, nor is the environment: a server that refuses says so in the channel, or not.
    pub(super) async fn own(server: &SshServer, command: &Command) -> Result<Self, SshError> {
        let session = Session::open(server).await?;
        let (incoming, half) = session.channel().await?.split();
        let outgoing = Outgoing::new(half, Carrier::Own(session));
        outgoing.ask(command).await?;
        Ok(Self { incoming, outgoing, first: None, asked: Instant::now() })
    }

    /// Opens a channel of a connection that is kept and waits until the command is accepted, so that nothing has been
    /// done if the connection proves to be gone.
    pub(super) async fn on(held: Arc<Held>, command: &Command) -> Result<Self, SshError> {
        let server = Arc::clone(&held);
        // In a task, since a channel that opens after its operation was given up must be closed all the same.
        let opening = tokio::spawn(async move {
            let (incoming, half) = held.session().channel().await?.split();
            Ok((incoming, Outgoing::new(half, Carrier::Kept(held))))
        });
        let (mut incoming, outgoing) = match opening.await {
            Ok(opened) => opened?,
            Err(_) => return Err(server.session().failed(russh::Error::RecvError, START).await),
        };
        drop(server);
        outgoing.ask(command).await?;
        let asked = Instant::now();
        let first = loop {
            match incoming.wait().await {
                Some(ChannelMsg::WindowAdjusted { .. }) => {}
                Some(message) => break Some(message),
                None => return Err(outgoing.session().failed(russh::Error::Disconnect, START).await),
            }
        };
        Ok(Self { incoming, outgoing, first, asked })
    }

    /// Returns the service's stdin, what comes from it, and when something was sent.
    pub(super) fn split(&mut self) -> (&ChannelWriteHalf<Msg>, Incoming<'_>, Sent<'_>) {
        let Self { incoming, outgoing, first, asked } = self;
        (&outgoing.half, Incoming { half: incoming, first }, Sent { asked: *asked, outgoing })
    }

    /// Returns the service's stdin.
    pub(super) fn outgoing(&self) -> &ChannelWriteHalf<Msg> {
        &self.outgoing.half
    }

    /// Returns the next message of the channel; none if the connection is gone.
    pub(super) async fn wait(&mut self) -> Option<ChannelMsg> {
        self.split().1.wait().await
    }

    pub(super) fn session(&self) -> &Session {
        self.outgoing.session()
    }

    /// Notes that the server has closed the channel.
    pub(super) fn note_closed(&mut self) {
        self.outgoing.is_closed = true;
    }

    /// Closes the connection in order if it is the operation's own.
    pub(super) async fn close(mut self) {
        match self.outgoing.carrier.take() {
            Some(Carrier::Own(session)) => {
                drop(self);
                session.leave().await;
            }
            kept => self.outgoing.carrier = kept,
        }
    }
}

/// When bytes were sent.
pub(super) struct Sent<'c> {
    asked: Instant,
    outgoing: &'c Outgoing,
}

impl Sent<'_> {
    /// Returns when the last byte of a request went out; `handed` is when the connection took it, if there was one.
    pub(super) fn last(&self, handed: Option<Instant>) -> Instant {
        match &self.outgoing.carrier {
            // What others write meanwhile is no part of the request.
            Some(Carrier::Kept(held)) if held.is_shared() => handed.unwrap_or(self.asked),
            _ => self.outgoing.session().trace().last_write(),
        }
    }
}

/// What comes from a service.
pub(super) struct Incoming<'c> {
    half: &'c mut ChannelReadHalf,
    first: &'c mut Option<ChannelMsg>,
}

impl Incoming<'_> {
    pub(super) async fn wait(&mut self) -> Option<ChannelMsg> {
        match self.first.take() {
            Some(message) => Some(message),
            None => self.half.wait().await,
        }
    }
}

impl Outgoing {
    fn new(half: ChannelWriteHalf<Msg>, carrier: Carrier) -> Self {
        Self { half: Arc::new(half), carrier: Some(carrier), is_closed: false }
    }

    fn session(&self) -> &Session {
        match self.carrier.as_ref().expect("only the close of the connection takes it") {
            Carrier::Own(session) => session,
            Carrier::Kept(held) => held.session(),
        }
    }

    async fn ask(&self, command: &Command) -> Result<(), SshError> {
        if let Some(version) = command.protocol
            && let Err(error) = self.half.set_env(false, "GIT_PROTOCOL", version).await
        {
            return Err(self.session().failed(error, START).await);
        }
        match self.half.exec(true, command.line.as_bytes()).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.session().failed(error, START).await),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let Some(Carrier::Kept(held)) = self.carrier.take() else { return };
        if self.is_closed {
            return;
        }
        held.give_up();
        // Without a runtime there is no session left either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let half = Arc::clone(&self.half);
            runtime.spawn(async move {
                // Where the connection is gone, so is the channel.
                let _ = half.close().await;
                drop(held);
            });
        }
    }
}

const START: &str = "the start of the service";
