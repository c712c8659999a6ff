//! The tree at the top of a repository, and the same tree with one directory replaced.
//!
//! Source: git's object format as `git cat-file tree` shows it: mode, space, name, NUL, 20 bytes of an id; sorted by
//! name, where a directory's name counts as if it ended with a slash.

use crate::{
    ObjectId,
    fault::Fault,
    object::{Kind, name_of},
};

/// The entries of a repository's top directory, in git's order and form: clients keep many of these.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RootTree {
    content: Box<[u8]>,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    mode: Vec<u8>,
    name: Vec<u8>,
    id: ObjectId,
}

impl RootTree {
    /// Takes the content of a tree object, if it is one.
    ///
    /// # Errors
    /// Fails if it is none.
    pub fn parse(content: &[u8]) -> Result<Self, Fault> {
        let mut rest = content;
        while !rest.is_empty() {
            rest = Entry::parse(rest).ok_or_else(|| Fault::unexpected(rest, "an entry of a tree"))?.1;
        }
        Ok(Self { content: content.into() })
    }

    /// Returns the tree's name.
    pub fn id(&self) -> ObjectId {
        name_of(Kind::Tree, &self.content)
    }

    /// Returns what the tree's name is the hash of.
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// Returns the content of the same tree with that directory, whatever was there under its name.
    pub fn with_directory(&self, name: &str, id: ObjectId) -> Vec<u8> {
        let directory = Entry::directory(name, id);
        let mut entries: Vec<_> = self.entries().filter(|entry| entry.name != directory.name).collect();
        let place = entries.partition_point(|entry| entry.key() < directory.key());
        entries.insert(place, directory);
        content(&entries)
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut rest = &*self.content;
        std::iter::from_fn(move || {
            let (entry, behind) = Entry::parse(rest)?;
            rest = behind;
            Some(entry)
        })
    }
}

/// Returns the content of the tree object of these entries, which may come in any order.
pub(crate) fn sorted_content(mut entries: Vec<Entry>) -> Vec<u8> {
    entries.sort_by_key(Entry::key);
    content(&entries)
}

fn content(entries: &[Entry]) -> Vec<u8> {
    let mut content = Vec::new();
    for Entry { mode, name, id } in entries {
        content.extend_from_slice(mode);
        content.push(b' ');
        content.extend_from_slice(name);
        content.push(0);
        content.extend_from_slice(id.as_bytes());
    }
    content
}

impl Entry {
    /// Returns the entry of an ordinary file.
    pub(crate) fn file(name: &str, id: ObjectId) -> Self {
        Self { mode: b"100644".to_vec(), name: name.as_bytes().to_vec(), id }
    }

    fn directory(name: &str, id: ObjectId) -> Self {
        Self { mode: DIRECTORY.to_vec(), name: name.as_bytes().to_vec(), id }
    }

    fn parse(content: &[u8]) -> Option<(Self, &[u8])> {
        let (mode, rest) = split_at_byte(content, b' ')?;
        let (name, rest) = split_at_byte(rest, 0)?;
        let (id, rest) = rest.split_first_chunk::<20>()?;
        let octal = !mode.is_empty() && mode.iter().all(|digit| matches!(digit, b'0'..=b'7'));
        if !octal || name.is_empty() {
            return None;
        }
        Some((Self { mode: mode.to_vec(), name: name.to_vec(), id: ObjectId::from_bytes(*id) }, rest))
    }

    fn key(&self) -> Vec<u8> {
        let mut key = self.name.clone();
        if self.mode == DIRECTORY {
            key.push(b'/');
        }
        key
    }
}

fn split_at_byte(bytes: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|found| *found == byte)?;
    Some((bytes.get(..place)?, bytes.get(place + 1..)?))
}

const DIRECTORY: &[u8] = b"40000";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wild::wild_bytes;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes([byte; 20])
    }

    fn tree(names: &[&str]) -> RootTree {
        let entries = names.iter().map(|name| Entry::file(name, id(1))).collect();
        RootTree::parse(&sorted_content(entries)).unwrap()
    }

    fn names_with(tree: &RootTree, name: &str) -> Vec<String> {
        let with = RootTree::parse(&tree.with_directory(name, id(2))).unwrap();
        with.entries().map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).collect()
    }

    #[test]
    fn a_directory_sorts_as_if_its_name_ended_with_a_slash() {
        let tree = tree(&["a0", "a.txt", "z", "a-b"]);
        // '-' and '.' sort before '/', '0' after it.
        assert_eq!(names_with(&tree, "a"), ["a-b", "a.txt", "a", "a0", "z"]);
        assert_eq!(names_with(&tree, "zz"), ["a-b", "a.txt", "a0", "z", "zz"]);
        assert_eq!(names_with(&RootTree::default(), "a"), ["a"]);
    }

    #[test]
    fn what_was_under_the_name_is_replaced_and_all_else_stays() {
        let with = RootTree::parse(&tree(&["a", "b"]).with_directory("a", id(3))).unwrap();
        let expected = [Entry::directory("a", id(3)), Entry::file("b", id(1))];
        assert_eq!(with.entries().collect::<Vec<_>>(), expected);
        assert_eq!(with.with_directory("a", id(3)), *with.content);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for content in [
            &b"100644 a"[..],
            b"100644 a\0short",
            b"x a\0aaaaaaaaaaaaaaaaaaaa",
            b" a\0",
            b"100644 \0aaaaaaaaaaaaaaaaaaaa",
        ] {
            assert!(matches!(RootTree::parse(content), Err(Fault::Protocol(_))), "{content:?}");
        }
    }

    proptest! {
        #[test]
        fn a_tree_that_can_be_read_has_all_its_entries(bytes in wild_bytes()) {
            if let Ok(tree) = RootTree::parse(&bytes) {
                prop_assert_eq!(content(&tree.entries().collect::<Vec<_>>()), bytes);
            }
        }
    }
}
