//! A commit made in memory, on top of another.

use crate::{
    ObjectId,
    delta::delta,
    object::{Kind, Object, Packed, pack},
    tree::{Entry, RootTree, sorted_content},
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
pub struct PackedCommit {
    /// The commit's name.
    pub commit: ObjectId,
    /// The pack.
    pub pack: Vec<u8>,
}

impl NewCommit<'_> {
    /// Returns the commit on top of a base with that root tree, and the pack of its new objects.
    ///
    /// A thin pack says the new root tree by what it changes of the base's, which its reader must have; the other new
    /// objects have no older form that is known here.
    pub fn on(&self, base: ObjectId, tree: &RootTree, is_thin: bool) -> PackedCommit {
        let blobs: Vec<_> =
            self.files.iter().map(|(_, content)| Object::new(Kind::Blob, content.clone())).collect();
        let entries = self.files.iter().zip(&blobs).map(|((name, _), blob)| Entry::file(name, blob.id));
        let directory = Object::new(Kind::Tree, sorted_content(entries.collect()));
        let root = Object::new(Kind::Tree, tree.with_directory(self.directory, directory.id));
        let text = format!(
            "tree {}\nparent {base}\nauthor {author} {seconds} +0000\ncommitter {author} {seconds} +0000\n\n{}\n",
            root.id,
            self.message,
            author = self.author,
            seconds = self.seconds,
        );
        let commit = Object::new(Kind::Commit, text.into_bytes());
        let change = is_thin.then(|| delta(tree.content(), &root.content));
        let change = change.filter(|change| change.len() + ID < root.content.len());
        let root = match &change {
            Some(change) => Packed::Delta { base: tree.id(), delta: change },
            None => Packed::Whole(&root),
        };
        let objects: Vec<_> = [Packed::Whole(&commit), root, Packed::Whole(&directory)]
            .into_iter()
            .chain(blobs.iter().map(Packed::Whole))
            .collect();
        PackedCommit { commit: commit.id, pack: pack(&objects) }
    }
}

/// What naming its base costs a delta.
const ID: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thin_pack_is_smaller_and_of_the_same_commit() {
        let names: Vec<_> = (0..40).map(|number| format!("directory-{number:02}")).collect();
        let entries =
            names.iter().map(|name| Entry::file(name, Object::new(Kind::Blob, name.clone().into()).id));
        let tree = RootTree::parse(&sorted_content(entries.collect())).unwrap();
        let files = [("a".to_owned(), b"a\n".to_vec())];
        let new = NewCommit {
            directory: "e3",
            files: &files,
            message: "m",
            author: "A <a@example.com>",
            seconds: 1,
        };
        let base = Object::new(Kind::Commit, Vec::new()).id;
        let (whole, thin) = (new.on(base, &tree, false), new.on(base, &tree, true));
        assert_eq!(whole.commit, thin.commit);
        // Forty ids of 20 bytes cannot be deflated.
        assert!(thin.pack.len() + 700 < whole.pack.len(), "{} and {}", thin.pack.len(), whole.pack.len());
        let small = RootTree::default();
        assert_eq!(
            new.on(base, &small, true),
            new.on(base, &small, false),
            "a delta that saves nothing is none"
        );
    }
}
