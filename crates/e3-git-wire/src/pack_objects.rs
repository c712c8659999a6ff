//! The commits and trees of a small pack that is held in memory.
//!
//! Source: gitformat-pack(5), sections pack-*.pack files, Deltified representation.

use std::collections::HashMap;
use std::io::Read;

use flate2::bufread::ZlibDecoder;

use crate::{
    ObjectId, RootTree,
    fault::Fault,
    object::{Kind, Object, REF_DELTA},
};

/// Commits and trees by their names; blobs are not kept.
#[derive(Debug, Default)]
pub struct PackObjects {
    objects: HashMap<ObjectId, Object>,
}

impl PackObjects {
    /// Reads a whole pack whose checksum was verified.
    ///
    /// A delta is resolved against an object of the same pack, which must not be named by its offset: that form has to
    /// be asked for.
    ///
    /// # Errors
    /// Fails if it is no pack, an object is broken, or more would have to be held than is allowed.
    pub fn read(pack: &[u8]) -> Result<Self, Fault> {
        let count = pack.get(8..12).and_then(|count| count.try_into().ok()).map(u32::from_be_bytes);
        let count = count.ok_or(Fault::Truncated("the pack"))?;
        let mut rest = pack.get(12..pack.len().saturating_sub(20)).unwrap_or_default();
        let mut read = Self::default();
        let mut deltas = Vec::new();
        let mut room = LARGEST;
        for _ in 0..count {
            let header = read_header(&mut rest)?;
            if header.size > room {
                return Err(too_large());
            }
            let base = match header.number {
                REF_DELTA => Some(take_id(&mut rest)?),
                _ => None,
            };
            let content = inflate(&mut rest, header.size)?;
            let kind = kind_of(header.number);
            // A blob's content goes at once.
            room -= if kind == Some(Kind::Blob) { 0 } else { content.len() };
            match (base, kind) {
                (Some(base), _) => deltas.push((base, content)),
                (None, Some(Kind::Blob)) => {}
                (None, Some(kind)) => read.keep(Object::new(kind, content)),
                (None, None) if header.number == TAG => {}
                (None, None) => {
                    return Err(Fault::Protocol(format!("an object of kind {} in the pack", header.number)));
                }
            }
        }
        read.resolve(deltas)?;
        Ok(read)
    }

    /// Returns an object of that kind.
    pub fn find(&self, id: ObjectId, kind: Kind) -> Option<&[u8]> {
        let object = self.objects.get(&id).filter(|object| object.kind == kind)?;
        Some(&object.content)
    }

    /// Returns the root tree of a commit that is in the pack.
    ///
    /// # Errors
    /// Fails if the pack lacks the commit or its tree, or either is none.
    pub fn root_tree(&self, commit: ObjectId) -> Result<RootTree, Fault> {
        let lacking = |what: &str| Fault::Protocol(format!("a pack without the {what} that was asked for"));
        let text = self.find(commit, Kind::Commit).ok_or_else(|| lacking("commit"))?;
        let tree = text.strip_prefix(b"tree ").and_then(|rest| rest.get(..40)).and_then(ObjectId::parse);
        let tree = tree.ok_or_else(|| Fault::unexpected(text, "a commit"))?;
        RootTree::parse(self.find(tree, Kind::Tree).ok_or_else(|| lacking("tree"))?)
    }

    /// Returns a commit and its ancestors in the pack, each the first parent of the one before.
    ///
    /// # Errors
    /// Fails if the pack lacks the commit, or an ancestor is none.
    pub fn first_parents(&self, commit: ObjectId) -> Result<Vec<ObjectId>, Fault> {
        let text = self.find(commit, Kind::Commit);
        let mut text =
            text.ok_or_else(|| Fault::Protocol("a pack without the commit that was asked for".to_owned()))?;
        let mut found = vec![commit];
        // What refers to itself could only be found by breaking SHA-1; more than the pack holds is no history.
        while found.len() < self.objects.len() {
            let tree = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let after = text.get(tree.len().saturating_add(1)..).unwrap_or_default();
            let Some(parent) = after.strip_prefix(b"parent ") else { break };
            let parent = parent.get(..40).and_then(ObjectId::parse);
            let parent = parent.ok_or_else(|| Fault::unexpected(text, "a commit"))?;
            let Some(older) = self.find(parent, Kind::Commit) else { break };
            found.push(parent);
            text = older;
        }
        Ok(found)
    }

    fn keep(&mut self, object: Object) {
        self.objects.insert(object.id, object);
    }

    /// Applies deltas until none applies any more; what is left are deltas of blobs.
    fn resolve(&mut self, mut deltas: Vec<(ObjectId, Vec<u8>)>) -> Result<(), Fault> {
        loop {
            let before = deltas.len();
            let mut left = Vec::new();
            for (base, delta) in deltas {
                match self.objects.get(&base) {
                    Some(object) => {
                        let content = apply(&object.content, &delta).ok_or_else(|| {
                            Fault::Protocol("a delta that does not fit its base".to_owned())
                        })?;
                        let object = Object::new(object.kind, content);
                        self.keep(object);
                    }
                    None => left.push((base, delta)),
                }
            }
            if left.is_empty() || left.len() == before {
                return Ok(());
            }
            deltas = left;
        }
    }
}

struct Header {
    number: u8,
    size: usize,
}

fn read_header(bytes: &mut &[u8]) -> Result<Header, Fault> {
    let first = take_byte(bytes)?;
    let mut size = usize::from(first & 0x0f);
    let (mut byte, mut shift) = (first, 4);
    while byte & 0x80 != 0 {
        byte = take_byte(bytes)?;
        // Larger than any object that is kept; a shift beyond the width must not be tried.
        if shift > 28 {
            return Err(too_large());
        }
        size |= usize::from(byte & 0x7f) << shift;
        shift += 7;
    }
    Ok(Header { number: (first >> 4) & 0x07, size })
}

fn inflate(bytes: &mut &[u8], size: usize) -> Result<Vec<u8>, Fault> {
    let mut decoder = ZlibDecoder::new(*bytes);
    let mut content = Vec::new();
    let limit = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    let read = decoder.by_ref().take(limit).read_to_end(&mut content);
    if read.is_err() || content.len() != size {
        return Err(Fault::Protocol("an object whose deflated content is broken".to_owned()));
    }
    let used = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
    *bytes = bytes.get(used..).unwrap_or_default();
    Ok(content)
}

/// Returns what a delta makes of its base; none if it does not fit.
pub(crate) fn apply(base: &[u8], mut delta: &[u8]) -> Option<Vec<u8>> {
    if delta_size(&mut delta)? != base.len() {
        return None;
    }
    let size = delta_size(&mut delta)?;
    if size > LARGEST {
        return None;
    }
    let mut result = Vec::with_capacity(size);
    while let Some((instruction, rest)) = delta.split_first() {
        delta = rest;
        if instruction & 0x80 == 0 {
            let (inserted, rest) = delta.split_at_checked(usize::from(*instruction))?;
            if inserted.is_empty() {
                return None;
            }
            result.extend_from_slice(inserted);
            delta = rest;
        } else {
            let offset = sparse(&mut delta, *instruction, 4)?;
            let length = sparse(&mut delta, instruction >> 4, 3)?;
            let length = if length == 0 { 0x1_0000 } else { length };
            result.extend_from_slice(base.get(offset..offset.checked_add(length)?)?);
        }
        if result.len() > size {
            return None;
        }
    }
    (result.len() == size).then_some(result)
}

/// Reads a number of which the flags say which of its bytes, lowest first, are there.
fn sparse(bytes: &mut &[u8], flags: u8, width: u32) -> Option<usize> {
    let mut value = 0;
    for place in 0..width {
        if flags & (1 << place) != 0 {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= usize::from(*byte) << (8 * place);
        }
    }
    Some(value)
}

fn delta_size(bytes: &mut &[u8]) -> Option<usize> {
    let (mut size, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift > 28 {
            return None;
        }
        size |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
}

fn take_byte(bytes: &mut &[u8]) -> Result<u8, Fault> {
    let (byte, rest) = bytes.split_first().ok_or(Fault::Truncated("the pack"))?;
    *bytes = rest;
    Ok(*byte)
}

fn take_id(bytes: &mut &[u8]) -> Result<ObjectId, Fault> {
    let (id, rest) = bytes.split_first_chunk::<20>().ok_or(Fault::Truncated("the pack"))?;
    *bytes = rest;
    Ok(ObjectId::from_bytes(*id))
}

fn kind_of(number: u8) -> Option<Kind> {
    [Kind::Commit, Kind::Tree, Kind::Blob].into_iter().find(|kind| *kind as u8 == number)
}

fn too_large() -> Fault {
    Fault::Protocol(format!("a pack of more than {} MiB for one commit and its tree", LARGEST >> 20))
}

const TAG: u8 = 4;
/// How much is held in memory at most: what a server that cannot filter sends may be the whole tip.
pub const LARGEST: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};
    use proptest::prelude::*;
    use sha1::{Digest as _, Sha1};

    use super::*;
    use crate::object::{Packed, pack};

    /// Appends an object to a pack, whose count and trailer are made anew.
    fn append(pack: &[u8], first: &[u8], content: &[u8]) -> Vec<u8> {
        let mut longer = pack[..pack.len() - 20].to_vec();
        longer[11] += 1;
        longer.extend_from_slice(first);
        let mut deflated = ZlibEncoder::new(&mut longer, Compression::fast());
        deflated.write_all(content).unwrap();
        deflated.finish().unwrap();
        let trailer = Sha1::digest(&longer);
        longer.extend_from_slice(&trailer);
        longer
    }

    #[test]
    fn commits_and_trees_are_found_by_name() {
        let tree = Object::new(Kind::Tree, b"100644 a\0aaaaaaaaaaaaaaaaaaaa".to_vec());
        let blob = Object::new(Kind::Blob, vec![b'x'; 5_000]);
        let commit = Object::new(Kind::Commit, b"tree x\n".to_vec());
        let read =
            PackObjects::read(&pack(&[Packed::Whole(&blob), Packed::Whole(&commit), Packed::Whole(&tree)]))
                .unwrap();
        assert_eq!(read.find(tree.id, Kind::Tree), Some(&tree.content[..]));
        assert_eq!(read.find(commit.id, Kind::Commit), Some(&commit.content[..]));
        assert_eq!((read.find(tree.id, Kind::Commit), read.find(blob.id, Kind::Blob)), (None, None));
    }

    #[test]
    fn a_tree_that_came_as_a_delta_is_made_whole() {
        let base = Object::new(Kind::Tree, b"100644 a\0aaaaaaaaaaaaaaaaaaaa".to_vec());
        // 29 bytes become 9 of the base, then 20 new ones: copy 0..9, insert 20.
        let mut delta = vec![29, 29, 0x90, 9, 20];
        delta.extend_from_slice(&[b'b'; 20]);
        let mut header = vec![0x70 | 0x80 | 9, 1];
        header.extend_from_slice(base.id.as_bytes());
        let read = PackObjects::read(&append(&pack(&[Packed::Whole(&base)]), &header, &delta)).unwrap();
        let made = Object::new(Kind::Tree, b"100644 a\0bbbbbbbbbbbbbbbbbbbb".to_vec());
        assert_eq!(read.find(made.id, Kind::Tree), Some(&made.content[..]));
    }

    proptest! {
        #[test]
        fn broken_packs_are_refused_without_harm(place: usize, byte: u8, cut: usize) {
            let tree = Object::new(Kind::Tree, b"100644 a\0aaaaaaaaaaaaaaaaaaaa".to_vec());
            let commit = Object::new(Kind::Commit, b"tree x\n".to_vec());
            let whole = pack(&[Packed::Whole(&tree), Packed::Whole(&commit)]);
            let mut broken = whole.clone();
            broken[place % whole.len()] = byte;
            let _ = PackObjects::read(&broken);
            let _ = PackObjects::read(&whole[..cut % whole.len()]);
        }

        #[test]
        fn any_delta_is_applied_or_refused(base: Vec<u8>, delta: Vec<u8>) {
            if let Some(made) = apply(&base, &delta) {
                prop_assert!(made.len() <= LARGEST);
            }
        }
    }
}
