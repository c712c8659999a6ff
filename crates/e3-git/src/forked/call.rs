//! One call of git: its own process group, bounded time, and nothing left when it ends or is given up.

use std::{
    ffi::OsStr,
    io,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    time::timeout,
};

use super::{
    ForkedError,
    place::Place,
    scratch::{Scratch, off_the_clock},
};

/// What git is asked to do.
pub(super) struct Call<'c> {
    arguments: Vec<&'c OsStr>,
    input: &'c [u8],
    /// Where it writes, which must outlive it.
    writes: Vec<Arc<Scratch>>,
}

/// How git ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    /// The last of what it wrote to stderr.
    pub(super) stderr: Vec<u8>,
}

impl<'c> Call<'c> {
    pub(super) fn of<const N: usize>(arguments: [&'c str; N]) -> Self {
        Self { arguments: arguments.map(OsStr::new).to_vec(), input: &[], writes: Vec::new() }
    }

    /// Returns a call of git on a repository, of which `git_dir` is the argument.
    pub(super) fn on(git_dir: &'c OsStr, repository: &Arc<Scratch>) -> Self {
        Self { arguments: vec![git_dir], input: &[], writes: vec![Arc::clone(repository)] }
    }

    pub(super) fn arg(mut self, argument: &'c (impl AsRef<OsStr> + ?Sized)) -> Self {
        self.arguments.push(argument.as_ref());
        self
    }

    pub(super) fn args(self, arguments: &[&'c str]) -> Self {
        arguments.iter().fold(self, |call, argument| call.arg(*argument))
    }

    pub(super) fn input(mut self, input: &'c [u8]) -> Self {
        self.input = input;
        self
    }

    pub(super) fn writing_to(mut self, scratch: &Arc<Scratch>) -> Self {
        self.writes.push(Arc::clone(scratch));
        self
    }

    /// Runs git and waits until it and all who hold its streams have ended.
    pub(super) async fn run(self, place: &Arc<Place>) -> Result<Ended, ForkedError> {
        let mut command = Command::new("git");
        command
            .args(&self.arguments)
            .env_clear()
            .envs(place.environment())
            .current_dir(place.path())
            .stdin(if self.input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let run = |source| ForkedError::Run { source };
        let child = command.spawn().map_err(run)?;
        let mut group = Group::of(child, self.writes);
        let bound = place.bound();
        let ended = timeout(bound, group.communicate(self.input)).await;
        ended.map_err(|_| ForkedError::Timeout { bound })?.map_err(run)
    }
}

/// A running git with its children; dropping it kills them all.
struct Group {
    /// None once it has ended by itself.
    running: Option<Running>,
}

struct Running {
    child: Child,
    leader: Option<Pid>,
    _writes: Vec<Arc<Scratch>>,
}

impl Group {
    fn of(child: Child, writes: Vec<Arc<Scratch>>) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Self { running: Some(Running { child, leader, _writes: writes }) }
    }

    async fn communicate(&mut self, input: &[u8]) -> io::Result<Ended> {
        let Some(Running { child, .. }) = &mut self.running else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A git that no longer reads says why by its status and stderr.
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), stdout, stderr) = tokio::join!(feed, whole(stdout), tail(stderr));
        // All who could still write have closed their streams; git itself is the last to be waited for.
        let status = child.wait().await?;
        self.running = None;
        Ok(Ended { status, stdout: stdout?, stderr })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            if let Some(leader) = running.leader {
                // The leader is not waited for yet, so its id is still its own.
                let _ = kill_process_group(leader, Signal::KILL);
            }
            off_the_clock(Dying(running));
        }
    }
}

/// Killed processes, until they are gone; only then their files are.
struct Dying(Running);

impl Drop for Dying {
    fn drop(&mut self) {
        let until = Instant::now() + LONGEST_DEATH;
        let mut pause = Duration::from_millis(1);
        while self.is_alive() && Instant::now() < until {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

impl Dying {
    fn is_alive(&mut self) -> bool {
        let Running { child, leader, .. } = &mut self.0;
        // Waiting for git makes it no zombie; its children become those of the init process.
        matches!(child.try_wait(), Ok(None))
            || leader.is_some_and(|leader| test_kill_process_group(leader).is_ok())
    }
}

/// Reads to the end; more than a list of two million refs is an error.
async fn whole(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(stream) = stream else { return Ok(kept) };
    let mut bounded = stream.take(LARGEST_OUTPUT);
    bounded.read_to_end(&mut kept).await?;
    if bounded.limit() == 0 {
        return Err(io::Error::other(format!("it prints more than {LARGEST_OUTPUT} bytes")));
    }
    Ok(kept)
}

/// Reads to the end, and returns the last bytes.
async fn tail(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return kept };
    while let Ok(1..) = stream.read_buf(&mut kept).await {
        let excess = kept.len().saturating_sub(TAIL);
        kept.drain(..excess);
    }
    kept
}

/// How long killed processes are waited for before their files are removed under them.
const LONGEST_DEATH: Duration = Duration::from_secs(3);
const LARGEST_OUTPUT: u64 = 256 << 20;
/// How much of stderr is kept, in bytes.
const TAIL: usize = 8 << 10;
