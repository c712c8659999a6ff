//! A request and a response around one Git child: the body flows into it while its output flows out.
//!
//! One task owns the child. It ends, and the child with it, when the client takes no more, goes away, sends too much, or
//! when time is up.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc;

use super::fetch_cache::{Tap, hear};
use super::inflate::Inflate;
use super::{GitChild, GitError};
use crate::faults::Injected;

/// Why a conversation broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the request's body is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the request's body is not gzip, or cut off")]
    Gzip(#[source] std::io::Error),
    #[error("the client went away")]
    Gone,
    #[error("the client did nothing for {0:?}")]
    Idle(Duration),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Fault(#[from] Injected),
}

/// The bounds of one conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The longest body, inflated.
    pub(super) body: u64,
    pub(super) idle: Duration,
    pub(super) run: Duration,
}

/// What the child says, as it says it; the conversation ends when this is dropped.
pub(super) struct Answer {
    chunks: mpsc::Receiver<Result<Bytes, Broken>>,
    first: Option<Bytes>,
}

/// Lets the child and the client talk; the tap hears what the child says, `afterwards` runs if the child ended well.
///
/// # Errors
/// What went wrong before the child said anything, so that the status can still tell.
pub(super) async fn converse(
    child: GitChild,
    (body, inflate): (Body, Inflate),
    bounds: Bounds,
    (tap, afterwards): (Option<Tap>, impl Future<Output = ()> + Send + 'static),
) -> Result<Answer, Broken> {
    let (sender, mut chunks) = mpsc::channel(CHUNKS_AHEAD);
    // Dropping the receiver ends the task.
    child.tracker().spawn(async move {
        let gone = sender.clone();
        let talk = talk(child, (body, inflate), bounds, (&sender, tap.as_ref(), afterwards));
        let broken = tokio::select! {
            () = gone.closed() => Broken::Gone,
            talked = tokio::time::timeout(bounds.run, talk) => match talked {
                Ok(Ok(())) => return,
                Ok(Err(broken)) => broken,
                Err(_) => Broken::Git(GitError::TooLong(bounds.run)),
            },
        };
        tracing::debug!(error = %broken, "a git operation broke off");
        let _ = sender.try_send(Err(broken));
    });
    match chunks.recv().await {
        Some(Ok(first)) => Ok(Answer { chunks, first: Some(first) }),
        Some(Err(broken)) => Err(broken),
        None => Ok(Answer { chunks, first: None }),
    }
}

impl Answer {
    /// Returns the chunks in order; one that is an error makes the response end visibly short. `heard` is told what the child
    /// says, and at last that it says no more.
    pub(super) fn into_stream(
        self,
        before: Option<Bytes>,
        mut heard: impl FnMut(Option<&[u8]>) + Send,
    ) -> impl Stream<Item = Result<Bytes, Broken>> {
        let Self { chunks, first } = self;
        let head = stream::iter(first.into_iter().map(Ok));
        let tail =
            stream::unfold(chunks, async |mut chunks| chunks.recv().await.map(|chunk| (chunk, chunks)));
        let said = head.chain(tail).map(Some).chain(stream::iter([None]));
        let said = said.filter_map(move |chunk| {
            if let None | Some(Ok(_)) = chunk {
                heard(chunk.as_ref().and_then(|chunk| chunk.as_deref().ok()));
            }
            std::future::ready(chunk)
        });
        stream::iter(before.into_iter().map(Ok)).chain(said)
    }
}

async fn talk(
    mut child: GitChild,
    (body, inflate): (Body, Inflate),
    bounds: Bounds,
    (sender, tap, afterwards): (&mpsc::Sender<Result<Bytes, Broken>>, Option<&Tap>, impl Future<Output = ()>),
) -> Result<(), Broken> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let feed = feed(body, inflate, stdin, bounds);
    let drain = async {
        match stdout {
            Some(stdout) => drain(stdout, (sender, tap), bounds.idle).await,
            None => Ok(false),
        }
    };
    let ((), said_something) = tokio::try_join!(feed, drain)?;
    let (status, complaint) = child.wait().await?;
    if status.success() {
        afterwards.await;
        return Ok(());
    }
    // Git's own HTTP backend ends such an answer normally too: after a shallow negotiation upload-pack always "fails"
    // for want of a second request on the same pipe. A signal is another matter.
    tracing::debug!(%status, complaint, "a git operation failed");
    if said_something && status.code().is_some() {
        return Ok(());
    }
    Err(GitError::Failed { status, complaint }.into())
}

/// Moves the body into the child.
async fn feed(
    body: Body,
    mut inflate: Inflate,
    mut stdin: Option<ChildStdin>,
    bounds: Bounds,
) -> Result<(), Broken> {
    let mut body = body.into_data_stream();
    let mut total = 0_u64;
    while let Some(chunk) =
        tokio::time::timeout(bounds.idle, body.next()).await.map_err(|_| Broken::Idle(bounds.idle))?
    {
        let chunk = chunk.map_err(|_| Broken::Gone)?;
        if stdin.is_none() {
            // Nobody reads it any more, so nobody needs it inflated.
            pass_on(&mut stdin, &chunk, &mut total, bounds.body).await?;
            continue;
        }
        for piece in inflate.cut(&chunk) {
            let data = inflate.inflate(piece).map_err(Broken::Gzip)?;
            pass_on(&mut stdin, &data, &mut total, bounds.body).await?;
        }
    }
    if stdin.is_none() {
        return Ok(());
    }
    let rest = inflate.finish().map_err(Broken::Gzip)?;
    pass_on(&mut stdin, &rest, &mut total, bounds.body).await
}

/// Writes to the child. One that reads no more has decided; the rest is read and dropped, so that its answer arrives.
async fn pass_on(
    stdin: &mut Option<ChildStdin>,
    data: &[u8],
    total: &mut u64,
    most: u64,
) -> Result<(), Broken> {
    *total = total.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
    if *total > most {
        return Err(Broken::TooLarge(most));
    }
    if let Some(pipe) = stdin
        && pipe.write_all(data).await.is_err()
    {
        *stdin = None;
    }
    Ok(())
}

/// Moves the child's output to the client; returns whether there was any.
async fn drain(
    mut stdout: ChildStdout,
    (sender, tap): (&mpsc::Sender<Result<Bytes, Broken>>, Option<&Tap>),
    idle: Duration,
) -> Result<bool, Broken> {
    let mut buffer = BytesMut::new();
    let mut said_something = false;
    loop {
        buffer.reserve(CHUNK);
        let read = stdout.read_buf(&mut buffer).await.map_err(GitError::Pipe)?;
        if read == 0 {
            return Ok(said_something);
        }
        said_something = true;
        hear(tap, &buffer);
        match tokio::time::timeout(idle, sender.send(Ok(buffer.split().freeze()))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Broken::Gone),
            Err(_) => return Err(Broken::Idle(idle)),
        }
    }
}

/// As much as a pipe holds on Linux.
const CHUNK: usize = 64 << 10;
const CHUNKS_AHEAD: usize = 4;
