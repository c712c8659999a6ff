//! Small repositories of varied shapes, the same for the same seed.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Git;

/// The shape of a generated repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Commits on all branches together; 0 makes an empty repository.
    pub commits: usize,
    /// Branches beside `main`.
    pub branches: usize,
    /// Tags that name a commit.
    pub light_tags: usize,
    /// Tags that are objects of their own; every third names another tag.
    pub annotated_tags: usize,
    /// Refs outside of heads and tags, which no clone fetches.
    pub hidden_refs: usize,
    /// Of how many commits one is a merge; 0 for none.
    pub merge_every: usize,
    /// The size of each of three binary files; 0 for none.
    pub binary_bytes: usize,
    /// Whether HEAD names a commit instead of a branch.
    pub detached_head: bool,
    /// Whether the objects are packed anew with deltas, and the refs are packed.
    pub repacked: bool,
}

impl Shape {
    /// Returns the shape of that seed: up to 120 commits, and every special feature in some of the seeds.
    pub fn seeded(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Self {
            commits: random.random_range(1..=120),
            branches: random.random_range(0..=6),
            light_tags: random.random_range(0..=4),
            annotated_tags: random.random_range(0..=5),
            hidden_refs: random.random_range(0..=3),
            merge_every: random.random_range(0..=7),
            binary_bytes: if random.random_bool(0.4) { random.random_range(1..=60_000) } else { 0 },
            detached_head: seed % 7 == 3,
            repacked: random.random_bool(0.5),
        }
    }
}

/// Creates a bare repository of that shape at a path that does not exist yet; contents follow from the seed.
///
/// # Panics
/// If the directory cannot be created or git fails.
pub fn create_repository(path: &Path, seed: u64, shape: &Shape) -> PathBuf {
    std::fs::create_dir_all(path).expect("the test's directory is writable");
    let git = Git::new(path);
    git.run(&["init", "--quiet", "--bare", "."]);
    if shape.commits == 0 {
        return path.to_owned();
    }
    let stream = Stream::new(seed, shape).write();
    git.run_with_input(&["fast-import", "--quiet", "--date-format=raw"], &stream);
    if shape.detached_head {
        let commit = git.run(&["rev-parse", "main"]);
        git.run(&["update-ref", "--no-deref", "HEAD", &commit]);
    }
    if shape.repacked {
        git.run(&["repack", "-adfq"]);
        git.run(&["pack-refs", "--all"]);
    }
    path.to_owned()
}

/// A `git fast-import` stream under construction.
///
/// Source: git-fast-import(1), section INPUT FORMAT.
struct Stream<'a> {
    random: ChaCha8Rng,
    shape: &'a Shape,
    bytes: Vec<u8>,
    mark: usize,
}

impl<'a> Stream<'a> {
    fn new(seed: u64, shape: &'a Shape) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed ^ 0xE3), shape, bytes: Vec::new(), mark: 0 }
    }

    fn write(mut self) -> Vec<u8> {
        // The last commit of each branch; main comes first.
        let mut tips: Vec<Option<usize>> = vec![None; self.shape.branches + 1];
        for number in 0..self.shape.commits {
            let branch = if number == 0 { 0 } else { self.random.random_range(0..tips.len()) };
            let parent = tips.get(branch).copied().flatten().or(tips.first().copied().flatten());
            let other = tips.get(self.random.random_range(0..tips.len())).copied().flatten();
            let merged = other.filter(|other| {
                self.shape.merge_every > 0 && number % self.shape.merge_every == 0 && Some(*other) != parent
            });
            let commit = self.commit(number, branch, parent, merged);
            if let Some(tip) = tips.get_mut(branch) {
                *tip = Some(commit);
            }
        }
        let commits: Vec<usize> = tips.into_iter().flatten().collect();
        self.tags(&commits);
        for number in 0..self.shape.hidden_refs {
            // A commit that only this ref reaches.
            let parent = commits.first().copied();
            self.commit_on(&format!("refs/pull-requests/{number}/from"), 9_000 + number, parent, None);
        }
        self.line("done");
        self.bytes
    }

    fn commit(
        &mut self,
        number: usize,
        branch: usize,
        parent: Option<usize>,
        merged: Option<usize>,
    ) -> usize {
        let name =
            if branch == 0 { "refs/heads/main".to_owned() } else { format!("refs/heads/topic/{branch}") };
        self.commit_on(&name, number, parent, merged)
    }

    fn commit_on(
        &mut self,
        name: &str,
        number: usize,
        parent: Option<usize>,
        merged: Option<usize>,
    ) -> usize {
        self.mark += 1;
        let mark = self.mark;
        self.line(&format!("commit {name}\nmark :{mark}"));
        self.line(&format!(
            "committer Carl Committer <carl@example.com> {} +0100",
            1_700_000_000 + number * 61
        ));
        self.data(format!("change {number}\n\nfor the sake of {name}\n").as_bytes());
        if let Some(parent) = parent {
            self.line(&format!("from :{parent}"));
        }
        if let Some(merged) = merged {
            self.line(&format!("merge :{merged}"));
        }
        for _ in 0..self.random.random_range(1..=3) {
            let path = format!(
                "src/part{}/file{}.txt",
                self.random.random_range(0..5),
                self.random.random_range(0..8)
            );
            let text = self.text();
            self.file("100644", &path, text.as_bytes());
        }
        if number == 0 {
            self.file("100755", "build.sh", b"#!/bin/sh\nexit 0\n");
            for index in 0..3 {
                let mut noise = vec![0; self.shape.binary_bytes];
                self.random.fill_bytes(&mut noise);
                if !noise.is_empty() {
                    self.file("100644", &format!("assets/{index}.bin"), &noise);
                }
            }
        }
        self.line("");
        mark
    }

    fn tags(&mut self, commits: &[usize]) {
        for number in 0..self.shape.light_tags {
            let commit = commits.get(number % commits.len().max(1)).copied().unwrap_or(1);
            self.line(&format!("reset refs/tags/light-{number}\nfrom :{commit}\n"));
        }
        let mut previous = None;
        for number in 0..self.shape.annotated_tags {
            let commit = commits.get(number % commits.len().max(1)).copied().unwrap_or(1);
            let tagged = previous.filter(|_| number % 3 == 2).unwrap_or(commit);
            self.mark += 1;
            let mark = self.mark;
            self.line(&format!("tag v1.{number}\nmark :{mark}\nfrom :{tagged}"));
            self.line("tagger Ada Author <ada@example.com> 1700000000 +0000");
            self.data(format!("release 1.{number}\n").as_bytes());
            previous = Some(mark);
        }
    }

    /// Returns some lines that repeat words, so that they compress and delta like text.
    fn text(&mut self) -> String {
        let mut text = String::new();
        for line in 0..self.random.random_range(5..60) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{line}:");
            for _ in 0..self.random.random_range(1..9) {
                let word = WORDS.get(self.random.random_range(0..WORDS.len())).copied().unwrap_or_default();
                text.push(' ');
                text.push_str(word);
            }
            text.push('\n');
        }
        text
    }

    fn file(&mut self, mode: &str, path: &str, contents: &[u8]) {
        self.line(&format!("M {mode} inline {path}"));
        self.data(contents);
    }

    fn data(&mut self, contents: &[u8]) {
        self.line(&format!("data {}", contents.len()));
        self.bytes.extend_from_slice(contents);
        self.bytes.push(b'\n');
    }

    fn line(&mut self, line: &str) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }
}

const WORDS: [&str; 12] = [
    "experiment",
    "stage",
    "thread",
    "clients",
    "worker",
    "sample",
    "latency",
    "throughput",
    "clone",
    "fetch",
    "pack",
    "reference",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_repository() {
        let directory = tempfile::tempdir().unwrap();
        let shape = Shape { commits: 40, annotated_tags: 4, hidden_refs: 2, ..Shape::seeded(5) };
        let refs = |name: &str, seed| {
            let path = create_repository(&directory.path().join(name), seed, &shape);
            Git::new(path).run(&["for-each-ref"])
        };
        let first = refs("a.git", 5);
        assert_eq!(first, refs("b.git", 5));
        assert_ne!(first, refs("c.git", 6));
        assert!(first.contains("refs/tags/v1.3") && first.contains("refs/pull-requests/1/from"), "{first}");
        Git::new(directory.path().join("a.git")).run(&["fsck", "--strict"]);
    }
}
