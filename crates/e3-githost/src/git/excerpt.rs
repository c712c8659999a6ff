//! Answers that may be longer than anybody wants to read: their beginning.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::io::AsyncReadExt;

use super::{Git, GitError, SHORT};

/// The beginning of what a command printed.
#[derive(Debug)]
pub(crate) struct Excerpt {
    pub(crate) bytes: Vec<u8>,
    /// Whether the command had more to print; it was ended then.
    pub(crate) cut: bool,
}

impl Git {
    /// Runs a short command and returns at most so many bytes of what it printed; unlike [`Git::output`] it takes a longer
    /// answer for a success.
    ///
    /// # Errors
    /// The command's own failure with the tail of what it complained about, or a bound of time that was met.
    pub(crate) async fn excerpt<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        most: usize,
    ) -> Result<Excerpt, GitError> {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = self.spawn(command).await?;
        let longest = self.run.min(SHORT);
        let read = async {
            let mut bytes = Vec::new();
            if let Some(stdout) = child.stdout.take() {
                let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
                stdout.take(bound).read_to_end(&mut bytes).await.map_err(GitError::Pipe)?;
            }
            if bytes.len() > most {
                bytes.truncate(most);
                // Dropped with this future, the child is told to end.
                return Ok(Excerpt { bytes, cut: true });
            }
            match child.wait().await? {
                (status, _) if status.success() => Ok(Excerpt { bytes, cut: false }),
                (status, complaint) => Err(GitError::Failed { status, complaint }),
            }
        };
        tokio::time::timeout(longest, read).await.unwrap_or(Err(GitError::TooLong(longest)))
    }
}
