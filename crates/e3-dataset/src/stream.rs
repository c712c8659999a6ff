//! A history as the input of `git fast-import`.
//!
//! All versions of a file come in a row, before any commit: git stores each as its difference from the one before.
//! Commits then name contents by mark.
//!
//! Source: git-fast-import(1).

use std::io::{self, Write};

use e3_model::Seed;

use crate::draw::Draw;
use crate::history::{Commit, File, History, Lane, MAIN, Start, Tip};
use crate::text::Content;

/// Writes the history, then asks for the ids of its branches, which git prints in their order, one a line.
pub(crate) fn write(
    out: &mut impl Write,
    history: &History,
    authors: &[String],
    seed: Seed,
) -> io::Result<()> {
    let mut marks = Vec::with_capacity(history.files.len());
    let mut next = 1;
    for (file, lane) in history.files.iter().zip(FIRST_FILE_LANE..) {
        marks.push(next);
        next = blobs(out, file, next, Draw::of(seed, lane))?;
    }
    let stream = Stream { history, authors, file_marks: &marks, first_commit: next };
    for (position, commit) in history.commits.iter().enumerate() {
        stream.commit(out, position, commit)?;
    }
    for tag in &history.tags {
        stream.tag(out, tag)?;
    }
    for tag in &history.light_tags {
        write!(out, "reset refs/tags/{}\nfrom :{}\n\n", tag.name, stream.mark(tag.commit))?;
    }
    stream.branches(out)
}

/// Writes all versions of a file, and returns the next mark.
fn blobs(out: &mut impl Write, file: &File, first: u64, mut draw: Draw) -> io::Result<u64> {
    let mut content = Content::new(file.kind, &mut draw);
    let (mut bytes, mut previous) = (Vec::new(), Vec::new());
    content.render(&mut bytes);
    let end = first + u64::from(file.versions);
    for mark in first..end {
        // An edit may put a line in the place of its like, but a commit that changes nothing is none.
        while bytes == previous {
            content.edit(&mut draw);
            content.render(&mut bytes);
        }
        write!(out, "blob\nmark :{mark}\ndata {}\n", bytes.len())?;
        out.write_all(&bytes)?;
        out.write_all(b"\n")?;
        previous.clone_from(&bytes);
    }
    Ok(end)
}

struct Stream<'a> {
    history: &'a History,
    /// `Name <address>`, one per author.
    authors: &'a [String],
    /// The mark of each file's first version.
    file_marks: &'a [u64],
    /// The mark of the first commit.
    first_commit: u64,
}

impl Stream<'_> {
    fn commit(&self, out: &mut impl Write, position: usize, commit: &Commit) -> io::Result<()> {
        let author = self.authors.get(commit.author).map_or(NOBODY, String::as_str);
        let Commit { seconds, message, .. } = commit;
        let mark = self.mark(position);
        match commit.lane {
            Lane::Main => writeln!(out, "commit refs/heads/{MAIN}")?,
            Lane::Topic => writeln!(out, "commit {TOPIC}")?,
            Lane::Side { branch, .. } => writeln!(out, "commit refs/heads/{}", self.branch(branch))?,
        }
        write!(out, "mark :{mark}\nauthor {author} {seconds} +0000\ncommitter {author} {seconds} +0000\n")?;
        write!(out, "data {}\n{message}", message.len())?;
        match commit.from {
            Some(Start::Main) => writeln!(out, "from refs/heads/{MAIN}")?,
            Some(Start::Commit(base)) => writeln!(out, "from :{}", self.mark(base))?,
            None => {}
        }
        if commit.merges {
            writeln!(out, "merge {TOPIC}")?;
        }
        for touch in &commit.touches {
            let first = self.file_marks.get(touch.file).copied().unwrap_or_default();
            let path = self.history.files.get(touch.file).map_or("", |file| file.path.as_str());
            writeln!(out, "M 100644 :{} {path}", first + u64::from(touch.version))?;
        }
        writeln!(out)
    }

    fn tag(&self, out: &mut impl Write, tag: &Tip) -> io::Result<()> {
        let commit = self.history.commits.get(tag.commit);
        let seconds = commit.map_or(0, |commit| commit.seconds);
        let tagger = commit.and_then(|commit| self.authors.get(commit.author)).map_or(NOBODY, String::as_str);
        let message = format!("Release {}\n", tag.name);
        writeln!(out, "tag {}\nfrom :{}\ntagger {tagger} {seconds} +0000", tag.name, self.mark(tag.commit))?;
        writeln!(out, "data {}\n{message}", message.len())
    }

    /// Puts the branches where they belong, drops the topic's, and asks for their ids.
    fn branches(&self, out: &mut impl Write) -> io::Result<()> {
        if self.history.commits.iter().any(|commit| commit.lane == Lane::Topic) {
            write!(out, "reset {TOPIC}\nfrom {NOWHERE}\n\n")?;
        }
        for branch in &self.history.branches {
            write!(out, "reset refs/heads/{}\nfrom :{}\n\n", branch.name, self.mark(branch.commit))?;
        }
        for branch in &self.history.branches {
            writeln!(out, "get-mark :{}", self.mark(branch.commit))?;
        }
        writeln!(out, "done")
    }

    fn mark(&self, commit: usize) -> u64 {
        self.first_commit + commit as u64
    }

    fn branch(&self, position: usize) -> &str {
        self.history.branches.get(position).map_or(MAIN, |branch| branch.name.as_str())
    }
}

/// The ref of the branch that will be merged; it is gone when the stream ends.
const TOPIC: &str = "refs/e3/topic";
/// Takes a ref away.
const NOWHERE: &str = "0000000000000000000000000000000000000000";
/// The author in a dataset without users.
const NOBODY: &str = "Nobody <nobody@example.com>";
/// The lane of the first file's draws; lane 0 draws the history.
const FIRST_FILE_LANE: u64 = 1;
