//! A file's content, of whatever size, as it comes out of git; and what a directory holds.

use std::io;
use std::path::Path;
use std::process::Stdio;

use bytes::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::ChildStdout;

use super::{Git, GitChild, GitError, SHORT, git_dir};

/// A blob on its way.
pub(crate) struct Blob {
    pub(crate) size: u64,
    child: GitChild,
    stdout: BufReader<ChildStdout>,
}

impl Git {
    /// Opens the blob at the path in the commit; none if there is none.
    ///
    /// The path must have passed `names::is_tree_path`, the commit must be hexadecimal.
    ///
    /// # Errors
    /// When git has no turn for it, or breaks.
    pub(crate) async fn blob(
        &self,
        repository: &Path,
        commit: &str,
        path: &str,
    ) -> Result<Option<Blob>, GitError> {
        let mut command = self.command();
        command.arg(git_dir(repository)).args(["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = self.spawn(command).await?;
        let open = async {
            if let Some(mut stdin) = child.stdin.take() {
                // Closing it says that this is all.
                stdin.write_all(format!("{commit}:{path}\n").as_bytes()).await.map_err(GitError::Pipe)?;
            }
            let Some(stdout) = child.stdout.take() else { return Ok(None) };
            let mut stdout = BufReader::new(stdout);
            let mut line = Vec::new();
            (&mut stdout).take(LONGEST_HEADER).read_until(b'\n', &mut line).await.map_err(GitError::Pipe)?;
            Ok(parse_header(&line).map(|size| (size, stdout)))
        };
        let opened = tokio::time::timeout(SHORT, open).await.unwrap_or(Err(GitError::TooLong(SHORT)))?;
        Ok(opened.map(|(size, stdout)| Blob { size, child, stdout }))
    }
}

impl Blob {
    /// Returns the content, chunk by chunk; git is ended if nobody takes it in time.
    pub(crate) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let Self { size, child, stdout } = self;
        futures_util::stream::try_unfold((stdout, size, child), |(mut stdout, left, child)| async move {
            if left == 0 {
                return Ok(None);
            }
            let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let mut chunk = vec![0_u8; most];
            let read = tokio::time::timeout(SHORT, stdout.read(&mut chunk)).await;
            let read = read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            chunk.truncate(read);
            let left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
            Ok(Some((Bytes::from(chunk), (stdout, left, child))))
        })
    }
}

/// Reads `<id> blob <size>`; none for what is missing or no blob.
fn parse_header(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let mut words = text.split(' ');
    let (id, kind, size) = (words.next()?, words.next()?, words.next()?);
    let found = words.next().is_none() && kind == "blob" && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    size.parse().ok().filter(|_| found)
}

const CHUNK: usize = 64 << 10;
/// The line about a missing object repeats the path.
const LONGEST_HEADER: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_blob_is_one() {
        assert_eq!(parse_header(b"0123 blob 5\n"), Some(5));
        for line in
            [&b"0123 tree 5\n"[..], b"0123:a blob 5 missing\n", b"0123 blob 5", b"", b"0123:x missing\n"]
        {
            assert_eq!(parse_header(line), None);
        }
    }
}
