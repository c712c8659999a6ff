//! What lies in a commit: directories and files for the browse page, by one `git cat-file --batch`.

use std::path::Path;

use super::{Git, GitError, git_dir};
use crate::auth::hex;

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The commit that was looked into.
    pub(crate) latest: Latest,
    pub(crate) content: Content,
}

/// A commit in brief.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Latest {
    pub(crate) author: String,
    /// Seconds since 1970.
    pub(crate) committed: i64,
    /// The first line of the message.
    pub(crate) subject: String,
}

/// A directory's or a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// The entries: directories first, each kind by name.
    Directory(Vec<Entry>),
    /// The text of a file.
    Text(String),
    /// A file that is not text, or too large to show; its size in bytes.
    Opaque(u64),
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: EntryKind,
    pub(crate) object: String,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EntryKind {
    Directory,
    File,
    Link,
    Submodule,
}

impl Git {
    /// Returns what lies at the path (empty for the root) in the commit; none if nothing does.
    ///
    /// The path must have passed `names::is_tree_path`, the commit must be hexadecimal.
    pub(crate) async fn look(
        &self,
        repository: &Path,
        commit: &str,
        path: &str,
    ) -> Result<Option<Found>, GitError> {
        let directory = git_dir(repository);
        let input = format!("info {commit}\ncontents {commit}\ninfo {commit}:{path}\n");
        let head = self.batch(&directory, &input).await?;
        let Some((commit_header, after)) = Header::parse(&head) else { return Ok(None) };
        let Some((commit_again, after)) = Header::parse(after) else { return Ok(None) };
        let Some((message, after)) = after.split_at_checked(commit_again.size) else { return Ok(None) };
        if commit_header.kind != "commit" {
            return Ok(None);
        }
        let latest = Latest::parse(&String::from_utf8_lossy(message));
        let Some((object, _)) = after.strip_prefix(b"\n").and_then(Header::parse) else { return Ok(None) };
        let size = u64::try_from(object.size).unwrap_or(u64::MAX);
        let content = if object.kind == "tree" || (object.kind == "blob" && object.size <= LARGEST_SHOWN) {
            let whole = self.batch(&directory, &format!("contents {}\n", object.id)).await?;
            let data =
                Header::parse(&whole).and_then(|(header, rest)| rest.get(..header.size)).unwrap_or_default();
            if object.kind == "tree" { Content::Directory(parse_tree(data)) } else { Content::of(data) }
        } else {
            Content::Opaque(size)
        };
        Ok(Some(Found { latest, content }))
    }

    async fn batch(&self, directory: &std::ffi::OsStr, input: &str) -> Result<Vec<u8>, GitError> {
        let arguments = [directory, "cat-file".as_ref(), "--batch-command".as_ref()];
        self.output(arguments, input.as_bytes(), LARGEST_ANSWER).await
    }
}

/// The line before an object: `<id> <type> <size>`.
struct Header<'a> {
    id: &'a str,
    kind: &'a str,
    size: usize,
}

impl Header<'_> {
    fn parse(data: &[u8]) -> Option<(Header<'_>, &[u8])> {
        let end = data.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = data.split_at_checked(end)?;
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let (id, kind, size) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
        // The line about a missing object repeats what was asked for, spaces included.
        let found = words.next().is_none() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        found.then_some((Header { id, kind, size }, rest.get(1..)?))
    }
}

impl Latest {
    /// Reads a commit object. Source: git's "git commit object format".
    fn parse(text: &str) -> Self {
        let (head, message) = text.split_once("\n\n").unwrap_or((text, ""));
        let line = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let author = line("author ").and_then(|line| line.split_once(" <")).map_or("", |(name, _)| name);
        let mut words = line("committer ").unwrap_or("").rsplit(' ');
        let committed = words.nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        let subject = message.lines().next().unwrap_or("").to_owned();
        Self { author: author.to_owned(), committed, subject }
    }
}

impl Content {
    fn of(data: &[u8]) -> Self {
        match std::str::from_utf8(data) {
            Ok(text) if !text.contains('\0') => Self::Text(text.to_owned()),
            _ => Self::Opaque(u64::try_from(data.len()).unwrap_or(u64::MAX)),
        }
    }
}

/// Reads a tree object: `<mode> <name>\0<20 bytes>` each. Stops at the first that is not one.
fn parse_tree(mut data: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let Some((entry, rest)) = parse_entry(data) {
        entries.push(entry);
        data = rest;
    }
    entries.sort_by(|a, b| {
        let directory = |entry: &Entry| entry.kind != EntryKind::Directory;
        (directory(a), &a.name).cmp(&(directory(b), &b.name))
    });
    entries
}

fn parse_entry(data: &[u8]) -> Option<(Entry, &[u8])> {
    let nul = data.iter().position(|byte| *byte == 0)?;
    let (head, rest) = data.split_at_checked(nul)?;
    let (object, rest) = rest.get(1..)?.split_at_checked(OBJECT_ID)?;
    let space = head.iter().position(|byte| *byte == b' ')?;
    let (mode, name) = head.split_at_checked(space)?;
    let kind = match mode {
        b"40000" => EntryKind::Directory,
        b"120000" => EntryKind::Link,
        b"160000" => EntryKind::Submodule,
        _ => EntryKind::File,
    };
    let name = String::from_utf8_lossy(name.get(1..)?).into_owned();
    Some((Entry { name, kind, object: hex(object) }, rest))
}

/// Every repository is made with SHA-1.
const OBJECT_ID: usize = 20;
const LARGEST_SHOWN: usize = 512 << 10;
const LARGEST_ANSWER: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_a_commit() {
        let text = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor Ada L <ada@example.com> 1 +0000\n\
                    committer Bob <b@example.com> 1700000000 +0100\n\nFix it\n\nAt last.\n";
        let latest = Latest::parse(text);
        assert_eq!(
            latest,
            Latest { author: "Ada L".into(), committed: 1_700_000_000, subject: "Fix it".into() }
        );
        assert_eq!(Latest::parse(""), Latest::default());
    }

    #[test]
    fn reads_a_tree_directories_first() {
        let mut data = Vec::new();
        for (mode, name) in [("100644", "a"), ("40000", "z"), ("120000", "b"), ("160000", "m")] {
            data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            data.extend_from_slice(&[7; OBJECT_ID]);
        }
        let entries = parse_tree(&data);
        let names: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
        assert_eq!(
            names,
            [
                ("z", EntryKind::Directory),
                ("a", EntryKind::File),
                ("b", EntryKind::Link),
                ("m", EntryKind::Submodule)
            ]
        );
        assert_eq!(entries[0].object, "07".repeat(20));
    }

    #[test]
    fn a_missing_object_is_never_taken_for_one() {
        let answer = b"0123:a tree 5 missing\n";
        assert!(Header::parse(answer).is_none());
        assert!(Header::parse(b"0123:a tree 5\n").is_none());
        assert!(Header::parse(b"0123 tree 5\n").is_some());
    }

    proptest! {
        #[test]
        fn no_object_breaks_the_parsers(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_tree(&data);
            let _ = Header::parse(&data);
            let _ = Latest::parse(&String::from_utf8_lossy(&data));
        }
    }
}
