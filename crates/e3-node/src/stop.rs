//! Stopping exactly the process that is meant, and verifying that it is gone.

use std::os::fd::OwnedFd;
use std::time::Duration;

use e3_model::ProcessIdentity;
use rustix::io::Errno;
use rustix::process::{Signal, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, timeout_at};

use crate::NodeError;
use crate::find::group_members;
use crate::identity::hold;

/// How a process was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was gone before; nothing was signalled.
    AlreadyGone,
    /// It ended after SIGTERM.
    Terminated,
    /// It ended after SIGKILL, since it did not within the grace.
    Killed,
}

/// Stops a process: SIGTERM, SIGKILL after the grace, then the same for what is left of its process group; returns
/// when all of that is verified to be gone.
///
/// A process that has the number but not the start time is another one, and is left alone.
///
/// # Errors
/// When it may not be signalled, or is still there a while after SIGKILL.
///
/// # Cancellation
/// What was signalled stays signalled; calling again goes on from there.
pub async fn stop(process: &ProcessIdentity, grace: Duration) -> Result<Stopped, NodeError> {
    let Some(held) = Held::of(process)? else { return Ok(Stopped::AlreadyGone) };
    held.signal(Signal::TERM)?;
    let mut stopped = Stopped::Terminated;
    if !held.ended_by(Instant::now() + grace).await? {
        stopped = Stopped::Killed;
        held.kill(Instant::now() + KILL_BOUND).await?;
    }
    kill_group(process).await?;
    Ok(stopped)
}

/// Kills what is left of the process group that this process led, and returns when it is empty but for the leader.
///
/// For use right after the leader was seen to end; see [`group_members`] for why not later.
///
/// # Errors
/// When a member may not be signalled, or is still there a while after SIGKILL.
pub async fn kill_group(leader: &ProcessIdentity) -> Result<(), NodeError> {
    let deadline = Instant::now() + KILL_BOUND;
    loop {
        // Members may start others while they are being killed, hence until none is found.
        let members = group_members(leader)?;
        let Some(first) = members.first() else { return Ok(()) };
        if Instant::now() >= deadline {
            return Err(NodeError::StillAlive { pid: first.pid, waited: KILL_BOUND });
        }
        for member in &members {
            if let Some(held) = Held::of(member)? {
                held.kill(deadline).await?;
            }
        }
    }
}

/// A process that cannot be mistaken for another while this value lives.
struct Held<'a> {
    process: &'a ProcessIdentity,
    pidfd: AsyncFd<OwnedFd>,
}

impl<'a> Held<'a> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe only because of types that may close their descriptor early; OwnedFd does not"
    )]
    fn of(process: &'a ProcessIdentity) -> Result<Option<Self>, NodeError> {
        let Some(pidfd) = hold(process)? else { return Ok(None) };
        let pidfd = AsyncFd::with_interest(pidfd, Interest::READABLE)
            .map_err(|source| NodeError::Inspect { process: process.to_string(), source })?;
        Ok(Some(Self { process, pidfd }))
    }

    fn signal(&self, signal: Signal) -> Result<(), NodeError> {
        match pidfd_send_signal(self.pidfd.get_ref(), signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(NodeError::Signal { pid: self.process.pid, source: errno.into() }),
        }
    }

    /// Kills the process and waits until it has ended.
    async fn kill(&self, deadline: Instant) -> Result<(), NodeError> {
        self.signal(Signal::KILL)?;
        if self.ended_by(deadline).await? {
            return Ok(());
        }
        Err(NodeError::StillAlive { pid: self.process.pid, waited: KILL_BOUND })
    }

    /// Waits until the process has ended, at most until the deadline; returns whether it has.
    ///
    /// Source: pidfd_open(2): a pidfd becomes readable when its process ends, reaped or not.
    async fn ended_by(&self, deadline: Instant) -> Result<bool, NodeError> {
        match timeout_at(deadline, self.pidfd.readable()).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(source)) => Err(NodeError::Inspect { process: self.process.to_string(), source }),
            Err(_) => Ok(false),
        }
    }
}

/// How long a killed process may take to vanish; only one that hangs in the kernel takes longer.
const KILL_BOUND: Duration = Duration::from_secs(10);
