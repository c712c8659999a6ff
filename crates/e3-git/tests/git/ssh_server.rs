//! An SSH server on loopback that shakes hands as it should, and then does with commands what a test wants.

use std::{
    net::{Shutdown, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use e3_git::{Remote, SshKey};
use e3_model::SshEndpoint;
use russh::{
    Channel, ChannelId,
    keys::PrivateKey,
    server::{Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, Session, VerifiedPublicKey, run_stream},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// What a server does with a command, one step after the other.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Does not accept it; only as the first step.
    Refuse,
    Send(Bytes),
    /// Sends this again and again, until the channel is gone.
    Repeat(Bytes),
    /// Waits until something comes, or the channel is gone.
    Listen,
    Stderr(&'static str),
    /// Ends the command in order.
    Exit(u32),
    /// Ends the connection; as the first step, before the command is accepted.
    HangUp,
}

/// What to do with a command: that of this number from 0 on, on the connection of this number.
type Script = dyn Fn(usize, usize) -> Vec<Step> + Send + Sync;

/// The server; every key is let in.
pub(crate) struct SshServer {
    address: SocketAddr,
    host_key: SshKey,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    script: Box<Script>,
    /// How many commands a connection may run at a time.
    most: usize,
    connections: AtomicUsize,
    running: AtomicUsize,
}

impl SshServer {
    pub(crate) async fn start(
        most: usize,
        script: impl Fn(usize, usize) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let host_key = SshKey::generate().unwrap();
        let config = Arc::new(Config {
            keys: vec![PrivateKey::from_openssh(host_key.to_openssh().expose()).unwrap()],
            ..Config::default()
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            most,
            connections: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, config, Arc::clone(&shared)));
        Self { address, host_key, shared, accepting }
    }

    pub(crate) fn remote(&self) -> Remote {
        let endpoint =
            SshEndpoint { url: format!("ssh://{}", self.address), host_key: self.host_key.public() };
        Remote::ssh(&endpoint, SshKey::generate().unwrap()).unwrap()
    }

    /// Returns how many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }

    /// Returns how many commands run: none does whose end was told or whose channel is gone.
    pub(crate) fn running(&self) -> usize {
        self.shared.running.load(Ordering::Acquire)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, config: Arc<Config>, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let connection = shared.connections.fetch_add(1, Ordering::AcqRel);
        let stream = stream.into_std().unwrap();
        let socket = Arc::new(stream.try_clone().unwrap());
        let (shared, running) = (Arc::clone(&shared), Arc::default());
        let client = Client { shared, connection, running, commands: 0, socket, channels: Vec::new() };
        let (config, stream) = (Arc::clone(&config), TcpStream::from_std(stream).unwrap());
        tokio::spawn(async move {
            // A client that leaves early is part of many tests.
            if let Ok(session) = run_stream(config, stream, client).await {
                let _ = session.await;
            }
        });
    }
}

/// The client of one connection.
struct Client {
    shared: Arc<Shared>,
    connection: usize,
    running: Arc<AtomicUsize>,
    commands: usize,
    socket: Arc<std::net::TcpStream>,
    /// Every channel that the client has not closed, and where what comes on it goes.
    channels: Vec<(ChannelId, mpsc::UnboundedSender<()>)>,
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
        // Dropping the handle refuses.
        if self.running.load(Ordering::Acquire) < self.shared.most {
            reply.accept().await;
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let steps = (self.shared.script)(self.connection, self.commands);
        self.commands += 1;
        match steps.first() {
            Some(Step::Refuse) => return session.channel_failure(channel),
            Some(Step::HangUp) => {
                self.socket.shutdown(Shutdown::Both).unwrap();
                return Ok(());
            }
            _ => session.channel_success(channel)?,
        }
        let (tell, heard) = mpsc::unbounded_channel();
        self.channels.push((channel, tell));
        let (shared, running) = (Arc::clone(&self.shared), Arc::clone(&self.running));
        shared.running.fetch_add(1, Ordering::AcqRel);
        running.fetch_add(1, Ordering::AcqRel);
        let playing = play(steps, session.handle(), channel, heard, Arc::clone(&self.socket));
        tokio::spawn(async move {
            playing.await;
            running.fetch_sub(1, Ordering::AcqRel);
            shared.running.fetch_sub(1, Ordering::AcqRel);
        });
        Ok(())
    }

    async fn data(&mut self, channel: ChannelId, _: &[u8], _: &mut Session) -> Result<(), russh::Error> {
        for (open, tell) in &self.channels {
            if *open == channel {
                let _ = tell.send(());
            }
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        self.channels.retain(|(open, _)| *open != channel);
        Ok(())
    }
}

async fn play(
    steps: Vec<Step>,
    handle: Handle,
    channel: ChannelId,
    mut heard: mpsc::UnboundedReceiver<()>,
    socket: Arc<std::net::TcpStream>,
) {
    for step in steps {
        let done = match step {
            Step::Refuse => Err(()),
            Step::Send(bytes) => handle.data(channel, bytes).await.map_err(drop),
            Step::Repeat(bytes) => loop {
                if heard.is_closed() || handle.data(channel, bytes.clone()).await.is_err() {
                    break Err(());
                }
                tokio::task::yield_now().await;
            },
            Step::Listen => heard.recv().await.ok_or(()),
            Step::Stderr(text) => handle.extended_data(channel, 1, text).await.map_err(drop),
            Step::Exit(status) => {
                async {
                    handle.exit_status_request(channel, status).await?;
                    handle.eof(channel).await?;
                    handle.close(channel).await
                }
                .await
            }
            Step::HangUp => {
                // What was handed to the session is written first.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                let _ = socket.shutdown(Shutdown::Both);
                Err(())
            }
        };
        if done.is_err() {
            return;
        }
    }
}
