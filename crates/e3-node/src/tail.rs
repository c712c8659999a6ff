//! The end of a log, for error messages.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// The last lines of a child's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    path: PathBuf,
    lines: Vec<String>,
}

impl LogTail {
    /// Reads the last lines of a log: at most 10 lines of at most 4 KiB together; none when it cannot be read.
    pub fn of(path: &Path) -> Self {
        let text = read_end(path).unwrap_or_default();
        let mut lines: Vec<String> =
            text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        lines.drain(..lines.len().saturating_sub(LINES));
        Self { path: path.to_owned(), lines }
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return write!(f, "its log {} is empty", self.path.display());
        }
        write!(f, "its log {} ends with:", self.path.display())?;
        self.lines.iter().try_for_each(|line| write!(f, "\n  | {line}"))
    }
}

fn read_end(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

const LINES: usize = 10;
const BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_of_a_long_log() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        let text: String = (0..10_000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(&path, text).unwrap();
        let shown = LogTail::of(&path).to_string();
        assert_eq!(shown.lines().count(), 1 + LINES);
        assert!(shown.ends_with("  | line 9999"), "{shown}");
    }

    #[test]
    fn says_when_there_is_nothing() {
        let shown = LogTail::of(Path::new("/nonexistent/x.log")).to_string();
        assert_eq!(shown, "its log /nonexistent/x.log is empty");
    }
}
