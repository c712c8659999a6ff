//! One running Git, which does not outlive the wish for it.

use std::os::fd::{AsFd, OwnedFd};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::throttle::{Busy, Ticket};

/// A child with its pipes. Dropped before it has ended, it and all it started are told to end, then made to.
pub(crate) struct GitChild {
    running: Option<Running>,
    reaper: TaskTracker,
    complaints: Option<AbortOnDropHandle<Vec<u8>>>,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
}

struct Running {
    child: Child,
    group: Option<Pid>,
    /// The other end of its stdout, and the time that it may take to end by itself after the end of its input.
    unhurried: Option<OwnedFd>,
    /// Held until the child is gone, so that ending ones count among those that run.
    _ticket: Ticket,
}

/// Why a Git operation did not go well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("git could not be started")]
    Spawn(#[source] std::io::Error),
    #[error("the pipes of git broke")]
    Pipe(#[source] std::io::Error),
    #[error("git ended with {status}: {complaint}")]
    Failed { status: ExitStatus, complaint: String },
    #[error("git ran for {0:?} and was stopped")]
    TooLong(Duration),
    #[error("git printed more than {0} bytes and was stopped")]
    TooMuch(usize),
}

impl GitChild {
    /// Starts the command; its stdin and stdout are as it says, what it complains about is kept.
    pub(crate) fn spawn(mut command: Command, ticket: Ticket, reaper: TaskTracker) -> Result<Self, GitError> {
        command.stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(GitError::Spawn)?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let complaints = child.stderr.take().map(|pipe| AbortOnDropHandle::new(tokio::spawn(tail(pipe))));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let running = Some(Running { child, group, unhurried: None, _ticket: ticket });
        Ok(Self { running, reaper, complaints, stdin, stdout })
    }

    /// Lets it end by itself when it is dropped: it sees the end of its input, and nothing else.
    ///
    /// Source: since git 2.36 a `receive-pack` that a signal ends, also that of a broken pipe, leaves its quarantine behind.
    pub(crate) fn unhurried(mut self) -> Result<Self, GitError> {
        if let (Some(running), Some(stdout)) = (&mut self.running, &self.stdout) {
            // As long as one end is open, the pipe is not broken; what a push is answered fits into it.
            running.unhurried = Some(stdout.as_fd().try_clone_to_owned().map_err(GitError::Pipe)?);
        }
        Ok(self)
    }

    /// Returns what a task that owns this child should run under.
    pub(crate) fn tracker(&self) -> TaskTracker {
        self.reaper.clone()
    }

    /// Waits until it has ended by itself; returns how, and the tail of what it complained about.
    pub(crate) async fn wait(mut self) -> Result<(ExitStatus, String), GitError> {
        drop(self.stdin.take());
        let Some(running) = &mut self.running else {
            return Err(GitError::Pipe(std::io::Error::other("it has ended already")));
        };
        let status = running.child.wait().await.map_err(GitError::Pipe)?;
        self.running = None;
        let complaint = match self.complaints.take() {
            Some(complaints) => complaints.await.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok((status, String::from_utf8_lossy(&complaint).trim().to_owned()))
    }

    /// Feeds the input, waits for the end, returns what it printed; all within the bounds.
    pub(crate) async fn output(
        mut self,
        input: &[u8],
        most: usize,
        longest: Duration,
    ) -> Result<Vec<u8>, GitError> {
        let (stdin, stdout) = (self.stdin.take(), self.stdout.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A child that needs no more input may close its end first.
                let _ = stdin.write_all(input).await;
            }
        };
        let drain = async {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
                stdout.take(bound).read_to_end(&mut output).await.map_err(GitError::Pipe)?;
            }
            if output.len() > most { Err(GitError::TooMuch(most)) } else { Ok(output) }
        };
        let whole = async {
            let ((), output) = tokio::join!(feed, drain);
            let output = output?;
            match self.wait().await? {
                (status, _) if status.success() => Ok(output),
                (status, complaint) => Err(GitError::Failed { status, complaint }),
            }
        };
        tokio::time::timeout(longest, whole).await.unwrap_or(Err(GitError::TooLong(longest)))
    }
}

impl Drop for GitChild {
    fn drop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let (complaints, node) = (self.complaints.take(), self.reaper.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.reaper.spawn_on(
                async move {
                    let _complaints = complaints;
                    let mut seconds = if running.unhurried.is_some() { UNHURRIED } else { 0 };
                    while seconds > 0 && !node.is_closed() {
                        if tokio::time::timeout(SECOND, running.child.wait()).await.is_ok() {
                            return;
                        }
                        seconds -= 1;
                    }
                    signal(&running, Signal::TERM);
                    let _ = tokio::time::timeout(GRACE, running.child.wait()).await;
                    signal(&running, Signal::KILL);
                    let _ = tokio::time::timeout(GRACE, running.child.wait()).await;
                },
                &runtime,
            );
        } else {
            signal(&running, Signal::KILL);
        }
    }
}

/// Signals the whole group. The child leads it, and its id is not given to others before it has been waited for.
fn signal(running: &Running, signal: Signal) {
    if running.child.id().is_some()
        && let Some(group) = running.group
    {
        // It may have ended meanwhile, which is what was wanted.
        let _ = kill_process_group(group, signal);
    }
}

/// Reads to the end, keeping the last `TAIL` bytes.
async fn tail(mut pipe: ChildStderr) -> Vec<u8> {
    let mut kept = Vec::new();
    while let Ok(read @ 1..) = read_some(&mut pipe, &mut kept).await {
        let excess = kept.len().saturating_sub(TAIL);
        if read > 0 && excess > 0 {
            kept.drain(..excess);
        }
    }
    kept
}

async fn read_some(pipe: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> std::io::Result<usize> {
    into.reserve(TAIL);
    pipe.read_buf(into).await
}

const TAIL: usize = 4096;
const GRACE: Duration = Duration::from_secs(2);
/// In seconds: a push that was taken in whole before its client went away is checked to its end, unless the node ends.
const UNHURRIED: u32 = 60;
const SECOND: Duration = Duration::from_secs(1);
