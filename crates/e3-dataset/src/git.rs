//! The real git as a child process: cleared environment, bounded time, nothing left when it ends or is given up.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::DatasetError;

/// One call of git.
pub(crate) struct Git {
    /// What it does, to follow "git could not".
    task: String,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, String)>,
    input: Option<mpsc::Receiver<Vec<u8>>>,
    bound: Duration,
}

impl Git {
    /// Returns a call that may take as long as `bound`; `task` says what it does, such as `import alpha/x`.
    pub(crate) fn to(task: impl Into<String>, bound: Duration) -> Self {
        Self { task: task.into(), arguments: Vec::new(), environment: Vec::new(), input: None, bound }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds a variable to the environment, which other users of the machine do not see, unlike arguments.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Feeds its standard input; without, there is none.
    pub(crate) fn input(mut self, chunks: mpsc::Receiver<Vec<u8>>) -> Self {
        self.input = Some(chunks);
        self
    }

    #[cfg(test)]
    pub(crate) fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// Runs git, and returns what it printed to stdout.
    ///
    /// # Errors
    /// When it cannot start, fails, or takes too long; it is killed with its children then.
    ///
    /// # Cancellation
    /// Dropping the future kills git and its children.
    pub(crate) async fn run(mut self) -> Result<String, DatasetError> {
        let start = |source| DatasetError::GitStart { task: self.task.clone(), source };
        let mut child = self.command().spawn().map_err(start)?;
        let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
        let input = self.input.take();
        let Ok(ended) = tokio::time::timeout(self.bound, communicate(&mut child, input)).await else {
            return Err(DatasetError::GitTimeout { task: self.task, seconds: self.bound.as_secs() });
        };
        let (status, stdout, stderr) =
            ended.map_err(|source| DatasetError::GitStart { task: self.task.clone(), source })?;
        group.0 = None;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
        Err(DatasetError::Git { task: self.task, status, stderr })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command
            .args(&self.arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

async fn communicate(
    child: &mut Child,
    input: Option<mpsc::Receiver<Vec<u8>>>,
) -> std::io::Result<(std::process::ExitStatus, Vec<u8>, Vec<u8>)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        let (Some(mut stdin), Some(mut input)) = (stdin, input) else { return };
        while let Some(chunk) = input.recv().await {
            // A child that no longer reads says why by its exit status and stderr.
            if stdin.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    let ((), stdout, stderr) = tokio::join!(feed, tail(stdout), tail(stderr));
    Ok((child.wait().await?, stdout, stderr))
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

/// A process group that is killed when dropped, unless it ended by itself.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // The leader is not waited for yet, so its id is still its own.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// How much of an output is kept, in bytes.
const TAIL: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_tells_what_git_said() {
        let error = Git::to("frobnicate", Duration::from_secs(30)).arg("frobnicate").run().await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("git could not frobnicate (exit status: 1): git: 'frobnicate'"), "{text}");
    }

    #[tokio::test]
    async fn a_call_that_takes_too_long_is_killed() {
        // It waits for input that never comes.
        let (_kept, chunks) = mpsc::channel(1);
        let call =
            Git::to("wait", Duration::from_millis(300)).arg("hash-object").arg("--stdin").input(chunks);
        let error = call.run().await.unwrap_err();
        assert!(matches!(error, DatasetError::GitTimeout { .. }), "{error}");
    }

    #[tokio::test]
    async fn git_sees_nothing_of_the_callers_environment() {
        let call =
            Git::to("list", Duration::from_secs(30)).arg("var").arg("-l").variable("GIT_EDITOR", "marked");
        let printed = call.run().await.unwrap();
        assert!(printed.contains("GIT_EDITOR=marked"), "{printed}");
        let call = Git::to("list", Duration::from_secs(30)).arg("config").arg("--list").arg("--show-scope");
        let printed = call.run().await.unwrap_or_default();
        assert!(!printed.contains("global") && !printed.contains("system"), "{printed}");
    }
}
