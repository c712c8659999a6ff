//! Objects made in memory, and the pack that carries them.
//!
//! Source: gitformat-pack(5) for the pack; git's object format as `git cat-file` shows it.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use sha1::{Digest, Sha1};

use crate::ObjectId;

/// The kinds of objects, by their numbers in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit = 1,
    Tree = 2,
    Blob = 3,
}

/// An object with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) id: ObjectId,
    pub(crate) content: Vec<u8>,
}

impl Object {
    pub(crate) fn new(kind: Kind, content: Vec<u8>) -> Self {
        let name = match kind {
            Kind::Commit => "commit",
            Kind::Tree => "tree",
            Kind::Blob => "blob",
        };
        let mut hash = Sha1::new();
        hash.update(format!("{name} {}\0", content.len()));
        hash.update(&content);
        Self { kind, id: ObjectId::from_bytes(hash.finalize().into()), content }
    }
}

/// Returns a pack of these objects, undeltified and in this order.
pub(crate) fn pack(objects: &[&Object]) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    let count = u32::try_from(objects.len()).unwrap_or(u32::MAX);
    pack.extend_from_slice(&count.to_be_bytes());
    for object in objects {
        write_header(&mut pack, object.kind, object.content.len());
        let mut deflated = ZlibEncoder::new(&mut pack, Compression::fast());
        deflated.write_all(&object.content).expect("a vector takes all that is written");
        deflated.finish().expect("a vector takes all that is written");
    }
    let trailer = Sha1::digest(&pack);
    pack.extend_from_slice(&trailer);
    pack
}

/// Writes an object's kind and size: four bits of the size beside the kind, then seven a byte.
fn write_header(pack: &mut Vec<u8>, kind: Kind, size: usize) {
    let mut byte = ((kind as u8) << 4) | low_bits(size, 0x0f);
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
            write_header(&mut header, Kind::Blob, size);
            assert_eq!(header, expected, "{size}");
        }
    }
}
