//! Objects made in memory, and the pack that carries them.
//!
//! Source: gitformat-pack(5) for the pack; git's object format as `git cat-file` shows it.

use crate::{ObjectId, checksum::Checksum, deflate::zlib};

/// The kinds of objects, by their numbers in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A commit.
    Commit = 1,
    /// A directory.
    Tree = 2,
    /// A file's content.
    Blob = 3,
}

/// An object with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub id: ObjectId,
    /// What its name is the hash of, besides its kind and size.
    pub content: Vec<u8>,
}

impl Object {
    /// Returns the object of that content.
    pub fn new(kind: Kind, content: Vec<u8>) -> Self {
        Self { kind, id: name_of(kind, &content), content }
    }
}

/// Returns the name of the object of that kind and content.
pub(crate) fn name_of(kind: Kind, content: &[u8]) -> ObjectId {
    let kind = match kind {
        Kind::Commit => "commit",
        Kind::Tree => "tree",
        Kind::Blob => "blob",
    };
    let mut hash = Checksum::new();
    hash.update(format!("{kind} {}\0", content.len()).as_bytes());
    hash.update(content);
    ObjectId::from_bytes(hash.finish())
}

/// One object as a pack holds it.
#[derive(Debug, Clone, Copy)]
pub enum Packed<'a> {
    /// Whole.
    Whole(&'a Object),
    /// As what has to be done to an object that the reader of the pack has, though the pack may not.
    Delta {
        /// The object that it is made of.
        base: ObjectId,
        /// What is done to it.
        delta: &'a [u8],
    },
}

/// Returns a pack of these objects, in this order.
pub fn pack(objects: &[Packed<'_>]) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    let count = u32::try_from(objects.len()).unwrap_or(u32::MAX);
    pack.extend_from_slice(&count.to_be_bytes());
    for object in objects {
        let content = match object {
            Packed::Whole(object) => {
                write_header(&mut pack, object.kind as u8, object.content.len());
                &object.content
            }
            Packed::Delta { base, delta } => {
                write_header(&mut pack, REF_DELTA, delta.len());
                pack.extend_from_slice(base.as_bytes());
                *delta
            }
        };
        zlib(content, &mut pack);
    }
    let mut checksum = Checksum::new();
    checksum.update(&pack);
    pack.extend_from_slice(&checksum.finish());
    pack
}

/// Writes an object's kind and size: four bits of the size beside the kind, then seven a byte.
fn write_header(pack: &mut Vec<u8>, kind: u8, size: usize) {
    let mut byte = (kind << 4) | low_bits(size, 0x0f);
    let mut rest = size >> 4;
    while rest > 0 {
        pack.push(byte | 0x80);
        byte = low_bits(rest, 0x7f);
        rest >>= 7;
    }
    pack.push(byte);
}

fn low_bits(value: usize, mask: u8) -> u8 {
    value.to_le_bytes().first().copied().unwrap_or(0) & mask
}

/// The number of a delta whose base is named by its id.
pub(crate) const REF_DELTA: u8 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_the_names_that_git_gives_them() {
        // Source: `git hash-object --stdin` of the same bytes; the empty tree's name is well known.
        let blob = Object::new(Kind::Blob, b"hello\n".to_vec());
        assert_eq!(blob.id.to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        let tree = Object::new(Kind::Tree, Vec::new());
        assert_eq!(tree.id.to_string(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    #[test]
    fn sizes_are_written_in_groups_of_seven_bits() {
        for (size, expected) in [
            (0, vec![0x30]),
            (15, vec![0x3f]),
            (16, vec![0xb0, 0x01]),
            (2047, vec![0xbf, 0x7f]),
            (2048, vec![0xb0, 0x80, 0x01]),
        ] {
            let mut header = Vec::new();
            write_header(&mut header, Kind::Blob as u8, size);
            assert_eq!(header, expected, "{size}");
        }
    }
}
