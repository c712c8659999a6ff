//! What clients change in a repository: files in a directory of their own, so that no two clients ever conflict.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use e3_git::{NewCommit, ObjectId, Tip};
use e3_workload::ClientContext;
use rand::RngExt as _;
use rand::seq::index;

/// The files that a client's directory holds after its next commit.
///
/// A client names its files out of the same few, so that from one commit to the next some are added, most are
/// modified, and some go, as in the first E3; and a repository grows by one directory a client, however long it runs.
pub(crate) struct Change {
    directory: String,
    files: Vec<(String, Vec<u8>)>,
    message: String,
}

impl Change {
    /// Draws a change of so many files on top of a tip, by the iteration's own seed.
    pub(crate) fn draw(context: &mut ClientContext, base: &Tip, files: RangeInclusive<usize>) -> Self {
        Self::draw_on(context, base.commit, files)
    }

    /// Draws a change of so many files on top of a commit, by the iteration's own seed.
    pub(crate) fn draw_on(context: &mut ClientContext, base: ObjectId, files: RangeInclusive<usize>) -> Self {
        let directory = format!("changes-{}", context.client().0);
        let random = context.random();
        let count = random.random_range(files).min(NAMES);
        let chosen = index::sample(random, NAMES, count);
        let files = chosen
            .into_iter()
            // The base in every file makes each differ from what the base may hold from an equal draw before.
            .map(|number| (format!("part-{number:02}.txt"), text(context, &base.to_string())))
            .collect();
        Self { directory, files, message: format!("Change {count} files") }
    }

    /// Returns the commit that makes the change.
    pub(crate) fn commit(&self) -> NewCommit<'_> {
        NewCommit {
            directory: &self.directory,
            files: &self.files,
            message: &self.message,
            author: "E3 <e3@example.com>",
            seconds: AUTHORED,
        }
    }
}

fn text(context: &mut ClientContext, base: &str) -> Vec<u8> {
    let random = context.random();
    let lines = random.random_range(LINES);
    let mut text = format!("on top of {base}\n");
    for line in 0..lines {
        let (first, second): (u64, u64) = (random.random(), random.random());
        let _ = writeln!(text, "change {line}: {first:016x} {second:016x}");
    }
    text.into_bytes()
}

/// How many names a client has for its files.
pub(crate) const NAMES: usize = 40;
/// How many lines a changed file has, as in the first E3.
const LINES: RangeInclusive<usize> = 10..=25;
/// When all commits were authored: the same at every run, so that equal seeds make equal commits.
const AUTHORED: u64 = 1_700_000_000;
