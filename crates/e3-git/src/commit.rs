//! A commit made in memory, on top of a tip.

use crate::{
    ObjectId, Tip,
    object::{Kind, Object, pack},
    tree::{Entry, sorted_content},
};

/// What a new commit changes: one directory at the top of the repository is replaced by these files, whether it was
/// there or not; everything else of the base stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit<'a> {
    /// The directory's name, without a slash.
    pub directory: &'a str,
    /// The names, without a slash, and contents of its files, in any order.
    pub files: &'a [(String, Vec<u8>)],
    /// The message, without its final line break.
    pub message: &'a str,
    /// The author and committer, as `Name <mail>`.
    pub author: &'a str,
    /// When, in seconds since the Unix epoch.
    pub seconds: u64,
}

/// A commit with the pack of all its new objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) commit: ObjectId,
    pub(crate) pack: Vec<u8>,
}

impl NewCommit<'_> {
    /// Returns the commit on top of that base, and the pack of its new objects.
    pub(crate) fn on(&self, base: &Tip) -> Packed {
        let blobs: Vec<_> =
            self.files.iter().map(|(_, content)| Object::new(Kind::Blob, content.clone())).collect();
        let entries = self.files.iter().zip(&blobs).map(|((name, _), blob)| Entry::file(name, blob.id));
        let directory = Object::new(Kind::Tree, sorted_content(entries.collect()));
        let root = base.root.with_directory(self.directory, directory.id);
        let root = Object::new(Kind::Tree, root);
        let text = format!(
            "tree {}\nparent {}\nauthor {author} {seconds} +0000\ncommitter {author} {seconds} +0000\n\n{}\n",
            root.id,
            base.commit,
            self.message,
            author = self.author,
            seconds = self.seconds,
        );
        let commit = Object::new(Kind::Commit, text.into_bytes());
        let objects: Vec<_> = [&commit, &root, &directory].into_iter().chain(&blobs).collect();
        Packed { commit: commit.id, pack: pack(&objects) }
    }
}
