//! Writing lines into a file that several nodes share, and that is bounded in size.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::Counts;

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    /// A line, with its end.
    Line(String),
    /// Nothing follows.
    End,
}

/// The one who writes.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    counts: Arc<Counts>,
    largest: u64,
    file: Option<File>,
    /// Whether the last attempt failed: that is said once, not for every line.
    is_broken: bool,
    /// How many lines had been lost when that was last said.
    said_lost: u64,
}

impl Writer {
    pub(super) fn new(path: PathBuf, counts: Arc<Counts>) -> Self {
        Self { path, counts, largest: LARGEST, file: None, is_broken: false, said_lost: 0 }
    }

    /// Writes until the end is told, or nobody is left to tell anything.
    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut text = String::new();
        let mut ends = false;
        while !ends && let Some(first) = waiting.blocking_recv() {
            text.clear();
            let mut lines = 0;
            let mut next = Some(first);
            // What waits is written at once, as far as that is not too much.
            while let Some(message) = next {
                match message {
                    Message::Line(line) => {
                        text.push_str(&line);
                        lines += 1;
                    }
                    Message::End => ends = true,
                }
                next = if ends || text.len() > AT_ONCE { None } else { waiting.try_recv().ok() };
            }
            self.write(&text, lines);
        }
    }

    fn write(&mut self, text: &str, lines: u64) {
        let written = self.ready().and_then(|file| file.write_all(text.as_bytes()));
        match written {
            Ok(()) => {
                self.counts.written.fetch_add(lines, Ordering::Relaxed);
                self.is_broken = false;
            }
            Err(error) => {
                self.counts.lost.fetch_add(lines, Ordering::Relaxed);
                self.file = None;
                if !std::mem::replace(&mut self.is_broken, true) {
                    tracing::warn!(%error, path = %self.path.display(), "cannot write the access log");
                }
            }
        }
        let lost = self.counts.lost.load(Ordering::Relaxed);
        if lost > self.said_lost && !self.is_broken {
            tracing::warn!(lines = lost - self.said_lost, "lines of the access log were lost");
            self.said_lost = lost;
        }
    }

    /// Returns the file that has the log's name now; a full one is put aside first.
    fn ready(&mut self) -> io::Result<&mut File> {
        let current = match &self.file {
            Some(file) => {
                let metadata = file.metadata()?;
                let is_named = std::fs::metadata(&self.path)
                    .is_ok_and(|named| (named.dev(), named.ino()) == (metadata.dev(), metadata.ino()));
                is_named && metadata.len() < self.largest
            }
            None => false,
        };
        if !current {
            self.file = Some(self.reopen()?);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("the log is not open"))
    }

    /// Opens the file, in which the nodes take turns, so that only one of them puts a full one aside.
    fn reopen(&self) -> io::Result<File> {
        if let Some(directory) = self.path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let lock = open(&self.path.with_extension("lock"))?;
        lock.lock()?;
        if std::fs::metadata(&self.path).is_ok_and(|named| named.len() >= self.largest) {
            for number in (1..KEPT).rev() {
                rename(&numbered(&self.path, number), &numbered(&self.path, number + 1))?;
            }
            rename(&self.path, &numbered(&self.path, 1))?;
        }
        open(&self.path)
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => renamed,
    }
}

const AT_ONCE: usize = 256 << 10;
/// About a hundred thousand lines.
const LARGEST: u64 = 32 << 20;
/// How many full files are kept; with the one that is written, the log takes some 200 MB at most.
const KEPT: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(path: &Path, largest: u64) -> Writer {
        Writer { largest, ..Writer::new(path.to_owned(), Arc::default()) }
    }

    #[test]
    fn a_full_file_is_put_aside_and_only_so_many_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log/a.log");
        let mut writer = writer(&path, 10);
        for line in 0..20 {
            writer.write(&format!("line {line:04}\n"), 1);
        }
        assert_eq!(writer.counts.written.load(Ordering::Relaxed), 20);
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(read(&path), "line 0019\n");
        assert_eq!(read(&numbered(&path, 1)), "line 0018\n");
        assert_eq!(read(&numbered(&path, KEPT)), format!("line {:04}\n", 19 - KEPT));
        let files = std::fs::read_dir(directory.path().join("log")).unwrap().count();
        assert_eq!(files, 1 + KEPT as usize + 1, "with the lock");
    }

    #[test]
    fn two_nodes_share_a_file_and_follow_each_other_when_it_is_put_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let (mut one, mut two) = (writer(&path, 30), writer(&path, 30));
        for line in 0..3 {
            one.write(&format!("one {line:05}\n"), 1);
            two.write(&format!("two {line:05}\n"), 1);
        }
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let all = read(&numbered(&path, 1)) + &read(&path);
        assert_eq!(all, "one 00000\ntwo 00000\none 00001\ntwo 00001\none 00002\ntwo 00002\n");
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file/a.log");
        std::fs::write(directory.path().join("file"), "").unwrap();
        let mut writer = writer(&path, 10);
        writer.write("a\nb\n", 2);
        assert_eq!(writer.counts.lost.load(Ordering::Relaxed), 2);
        assert_eq!(writer.counts.written.load(Ordering::Relaxed), 0);
        std::fs::remove_file(directory.path().join("file")).unwrap();
        writer.write("c\n", 1);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "c\n");
    }
}
