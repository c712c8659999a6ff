//! One command on one channel: git runs for it, what the client sends goes in, what git says goes out.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use russh::ChannelId;
use russh::server::Handle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::client::Running;
use super::command::Command;
use super::line::{Gate, Piece};
use crate::access_log::{Label, Record};
use crate::failure::Failure;
use crate::faults::{Injected, SshFaults};
use crate::git::pkt::{self, Packet, Parsed};
use crate::git::{Asked, Call, GitError, Kind, LsRefs, Recording, Said, Service, Wanted, is_malformed};
use crate::metrics::Transport;
use crate::state::App;
use crate::store::User;

/// What a command works with.
pub(super) struct Operation {
    pub(super) host: App,
    pub(super) user: User,
    pub(super) record: Arc<Record>,
    pub(super) protocol: Option<String>,
    /// What the client sends; it ends with the client's end of file.
    pub(super) input: mpsc::UnboundedReceiver<Piece>,
    pub(super) handle: Handle,
    pub(super) channel: ChannelId,
    /// What cuts the connection.
    pub(super) gate: Arc<Gate>,
    /// Tells the connection and the channel that it runs.
    pub(super) _running: (Running, Arc<()>),
}

/// Why an operation ended early.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Refused(String),
    #[error("the client sent more than {0} bytes")]
    TooLarge(u64),
    #[error("the client went away")]
    Gone,
    #[error("the client took nothing for {0:?}")]
    Idle(Duration),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Fault(#[from] Injected),
}

impl Operation {
    /// Runs the command to its end, and tells the client how it ended; none is a shell.
    pub(super) async fn run(mut self, line: Option<Vec<u8>>, stop: CancellationToken) {
        let record = Arc::clone(&self.record);
        let done = tokio::select! {
            () = stop.cancelled() => return record.end(None),
            done = self.perform(line.as_deref()) => done,
        };
        let status = match done {
            Ok(status) => status,
            // With the connection goes everything on it, as when a cable is pulled.
            Err(Broken::Fault(Injected::Cut)) => return self.gate.close(),
            Err(broken) => {
                tracing::debug!(error = %broken, "a git operation over SSH broke off");
                if let Some(text) = self.complaint(&broken) {
                    let _ = self.send(self.handle.extended_data(self.channel, STDERR, text)).await;
                }
                if matches!(broken, Broken::Fault(_)) { FAILED } else { BROKEN }
            }
        };
        record.end(Some(status));
        // Whoever is gone needs no farewell.
        let farewell = async {
            self.handle.exit_status_request(self.channel, status).await?;
            self.handle.eof(self.channel).await?;
            self.handle.close(self.channel).await
        };
        let _ = self.send(farewell).await;
    }

    async fn perform(&mut self, line: Option<&[u8]>) -> Result<u32, Broken> {
        let Some(line) = line else {
            let text =
                format!("You are signed in as {}. This server runs git; it has no shell.\n", self.user.name);
            self.send(self.handle.extended_data(self.channel, STDERR, text)).await?;
            return Ok(NO_SHELL);
        };
        let command = Command::parse(line).ok_or_else(|| {
            Broken::Refused("Only git-upload-pack and git-receive-pack are served.".to_owned())
        })?;
        let wanted = (command.service, self.protocol.take());
        let host = Arc::clone(&self.host);
        let call = Call::open(host, self.user.clone(), command.address, wanted).await;
        let call = call.map_err(|failure: Failure| Broken::Refused(failure.message))?;
        let call = call.counted(Transport::Ssh).recorded(&self.record);
        if call.service == Service::UploadPack {
            self.host.visit(&self.user, &call.repository).await;
        }
        let longest = self.host.limits.git_run();
        let talked = tokio::time::timeout(longest, self.talk(&call)).await;
        talked.unwrap_or(Err(Broken::Git(GitError::TooLong(longest))))
    }

    /// Says what can be said without git, then lets git and the client talk.
    async fn talk(&mut self, call: &Call) -> Result<u32, Broken> {
        let mut faults = SshFaults::begin(call).await?;
        let Some(data) = call.advertisement(false).await? else {
            return self.converse(call, Begun::default(), faults).await;
        };
        self.say(call, &mut faults, data).await?;
        let mut heard = BytesMut::new();
        while heard.len() < MOST_HEARD {
            match Wish::of(call, &heard) {
                Wish::Nothing => {
                    call.label_refs();
                    return Ok(0);
                }
                Wish::Refs(request, consumed) => {
                    let Some(data) = call.ls_refs(&request).await? else { break };
                    self.say(call, &mut faults, data).await?;
                    heard.advance(consumed);
                }
                Wish::Unclear => match self.input.recv().await {
                    Some(piece) => {
                        call.note_bytes(piece.data.len(), 0);
                        heard.extend_from_slice(&piece.data);
                    }
                    None if heard.is_empty() => {
                        call.label_refs();
                        return Ok(0);
                    }
                    // Git says what it thinks of half a request.
                    None => break,
                },
                Wish::Pack(wanted) => {
                    let request = heard.split_to(wanted.length).freeze();
                    self.pack(call, (wanted, request), &mut faults).await?;
                }
                Wish::Git => break,
            }
        }
        self.converse(call, Begun { advertised: true, heard: heard.freeze() }, faults).await
    }

    /// Says something that was known without git.
    async fn say(&self, call: &Call, faults: &mut SshFaults, mut data: Bytes) -> Result<(), Broken> {
        while let Some(data) = faults.next(&mut data).await {
            call.note_bytes(0, data.len());
            self.send(self.handle.data(self.channel, data)).await?;
        }
        Ok(())
    }

    /// Answers a request that is whole in itself, from what is kept or by a git that is run for it alone.
    async fn pack(
        &mut self,
        call: &Call,
        (wanted, request): (Wanted, Bytes),
        faults: &mut SshFaults,
    ) -> Result<(), Broken> {
        let (kept, mut recording) = call.kept_answer(wanted, &request).await?;
        if let Some(kept) = kept {
            faults.go_on(call).await?;
            self.say(call, faults, kept).await?;
            call.label_as(wanted, true);
            return Ok(());
        }
        faults.rest();
        let ticket = call.ticket().await?;
        faults.go_on(call).await?;
        let mut child = call.start(&["--stateless-rpc"], ticket)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(GitError::Pipe(std::io::Error::other("git has no pipes")).into());
        };
        let feed = async {
            // A child that reads no more has decided, and says so.
            let _ = stdin.write_all(&request).await;
            drop(stdin);
        };
        let idle = self.host.limits.git_idle();
        let drain =
            drain(stdout, false, (&self.handle, self.channel, call), (faults, idle, recording.as_mut()));
        let ((), said_something) = tokio::join!(feed, drain);
        let said_something = said_something?;
        let (status, complaint) = child.wait().await?;
        if !status.success() {
            tracing::debug!(%status, complaint, said_something, "a git operation failed");
            return Err(GitError::Failed { status, complaint }.into());
        }
        call.label_as(wanted, true);
        if let Some(recording) = recording {
            call.keep_answer(recording).await;
        }
        Ok(())
    }

    /// Lets git and the client talk until git ends.
    async fn converse(&mut self, call: &Call, begun: Begun, mut faults: SshFaults) -> Result<u32, Broken> {
        let skip = begun.advertised && call.service == Service::UploadPack;
        // Told so, receive-pack does not advertise, and differs in nothing else; upload-pack would expect other requests.
        let flags: &[&str] = if begun.advertised && !skip { &["--stateless-rpc"] } else { &[] };
        faults.rest();
        let ticket = call.ticket().await?;
        faults.go_on(call).await?;
        let mut child = call.start(flags, ticket)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let most = call.most();
        let (handle, channel, idle) = (self.handle.clone(), self.channel, self.host.limits.git_idle());
        let drain = async {
            match stdout {
                Some(stdout) => {
                    drain(stdout, skip, (&handle, channel, call), (&mut faults, idle, None)).await
                }
                None => Ok(false),
            }
        };
        let mut said = Said::default();
        said.hear(&begun.heard);
        // Git ends when it has said everything, whether or not the client has.
        let said_something = tokio::select! {
            drained = drain => drained?,
            broken = feed((begun.heard, &mut said), (&mut self.input, call), stdin, most) => return Err(broken),
        };
        let (status, complaint) = child.wait().await?;
        call.settle().await;
        match (call.service, said.wanted(call.version())) {
            (Service::ReceivePack, _) => call.label(Label::Push),
            (Service::UploadPack, Some(wanted)) => call.label_as(wanted, status.success()),
            (Service::UploadPack, None) => call.label(Label::Refs),
        }
        match status.code() {
            Some(0) => Ok(0),
            Some(code) if said_something => {
                tracing::debug!(%status, complaint, "a git operation failed");
                Ok(u32::try_from(code).unwrap_or(BROKEN))
            }
            _ => Err(GitError::Failed { status, complaint }.into()),
        }
    }

    /// Sends something within the time that a client may take nothing.
    async fn send<T, E>(&self, sent: impl Future<Output = Result<T, E>>) -> Result<T, Broken> {
        let idle = self.host.limits.git_idle();
        match tokio::time::timeout(idle, sent).await {
            Ok(Ok(sent)) => Ok(sent),
            Ok(Err(_)) => Err(Broken::Gone),
            Err(_) => Err(Broken::Idle(idle)),
        }
    }

    /// Returns what the client should read; none if there is nobody to read it.
    fn complaint(&self, broken: &Broken) -> Option<String> {
        let text = match broken {
            Broken::Gone | Broken::Idle(_) => return None,
            Broken::Refused(text) => text.clone(),
            Broken::Fault(injected) => injected.to_string(),
            Broken::TooLarge(_) => Failure::too_large().message,
            Broken::Git(GitError::Busy(busy)) => Failure::busy(&busy.to_string()).message,
            Broken::Git(GitError::Failed { complaint, .. }) if is_malformed(complaint) => {
                "This is not a request that git makes.".to_owned()
            }
            Broken::Git(error) => Failure::internal("run git", error).message,
        };
        Some(format!("{text}\n"))
    }
}

/// How far a conversation is when git comes into it.
#[derive(Default)]
struct Begun {
    /// The refs have been advertised.
    advertised: bool,
    /// What the client has said since.
    heard: Bytes,
}

/// What a client wants, by what it has said after the advertisement.
enum Wish {
    /// It has what it wanted.
    Nothing,
    /// Refs; the request is this long.
    Refs(LsRefs, usize),
    Unclear,
    /// A pack, by a request that is whole in itself, and may be answered from what is kept.
    Pack(Wanted),
    /// Anything else.
    Git,
}

impl Wish {
    fn of(call: &Call, heard: &[u8]) -> Self {
        if pkt::FLUSH.starts_with(heard) && heard.len() < pkt::FLUSH.len() {
            return Self::Unclear;
        }
        if heard.starts_with(pkt::FLUSH) {
            return Self::Nothing;
        }
        if call.version() != 2 {
            return Self::Git;
        }
        match LsRefs::parse(heard) {
            Asked::LsRefs(request, rest) => Self::Refs(request, heard.len() - rest.len()),
            Asked::Short => Self::Unclear,
            Asked::Other if !call.keeps_answers() => Self::Git,
            Asked::Other => match Wanted::of(heard, 2) {
                Some(wanted) if wanted.kind != Kind::Refs && wanted.is_done => Self::Pack(wanted),
                Some(_) => Self::Git,
                None if Wanted::is_cut_off(heard) => Self::Unclear,
                None => Self::Git,
            },
        }
    }
}

/// Moves what the client says into git; does not end before it must, because git may have more to say.
async fn feed(
    (heard, said): (Bytes, &mut Said),
    (input, call): (&mut mpsc::UnboundedReceiver<Piece>, &Call),
    mut stdin: Option<ChildStdin>,
    most: u64,
) -> Broken {
    let mut total = 0_u64;
    let mut next = Some((heard, None));
    while let Some((data, held)) = next {
        total = total.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if total > most {
            return Broken::TooLarge(most);
        }
        // A child that reads no more has decided; the rest is dropped, so that its answer arrives.
        if let Some(pipe) = &mut stdin
            && pipe.write_all(&data).await.is_err()
        {
            stdin = None;
        }
        drop::<Option<Piece>>(held);
        next = input.recv().await.map(|piece| {
            call.note_bytes(piece.data.len(), 0);
            said.hear(&piece.data);
            (piece.data.clone(), Some(piece))
        });
    }
    drop(stdin);
    std::future::pending().await
}

/// Moves what git says to the client, from after its advertisement if that is to be skipped; returns whether there was
/// anything.
async fn drain(
    mut stdout: ChildStdout,
    mut skip: bool,
    (handle, channel, call): (&Handle, ChannelId, &Call),
    (faults, idle, mut recording): (&mut SshFaults, Duration, Option<&mut Recording>),
) -> Result<bool, Broken> {
    let mut buffer = BytesMut::new();
    let mut said_something = false;
    loop {
        buffer.reserve(CHUNK);
        if stdout.read_buf(&mut buffer).await.map_err(GitError::Pipe)? == 0 {
            return Ok(said_something);
        }
        while skip {
            let (packet, rest) = match pkt::parse(&buffer) {
                Parsed::Packet(packet, rest) => (packet, rest.len()),
                Parsed::Short => break,
                Parsed::Wrong => {
                    return Err(GitError::Pipe(std::io::Error::other("git says no packets")).into());
                }
            };
            skip = packet != Packet::Flush;
            buffer.advance(buffer.len() - rest);
        }
        if skip || buffer.is_empty() {
            continue;
        }
        said_something = true;
        let mut data: Bytes = buffer.split().freeze();
        if let Some(recording) = &mut recording {
            recording.hear(&data);
        }
        while let Some(data) = faults.next(&mut data).await {
            call.note_bytes(0, data.len());
            match tokio::time::timeout(idle, handle.data(channel, data)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Broken::Gone),
                Err(_) => return Err(Broken::Idle(idle)),
            }
        }
    }
}

/// Source: RFC 4254, section 5.2, `SSH_EXTENDED_DATA_STDERR`.
const STDERR: u32 = 1;
/// Source: what git itself ends with after a fatal error.
const BROKEN: u32 = 128;
/// What a command that was made to fail ends with.
const FAILED: u32 = 1;
const NO_SHELL: u32 = 1;
/// As much as a pipe holds on Linux.
const CHUNK: usize = 64 << 10;
/// Longer requests for refs are git's.
const MOST_HEARD: usize = 1 << 20;
