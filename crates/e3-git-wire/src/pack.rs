//! A pack on its way through: its header is read, its checksum verified, nothing of it kept but on request.
//!
//! Source: gitformat-pack(5): `PACK`, version and object count of four bytes each, objects, SHA-1 of all before.

use crate::checksum::Checksum;
use crate::fault::Fault;

/// What is known of a pack that was drained whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// The number of objects that the header announces.
    pub objects: u32,
    /// The size with header and trailer.
    pub bytes: u64,
    /// Whether its trailer was found to be the checksum of all before; else only header, framing and end were checked.
    pub is_verified: bool,
    /// The pack itself, if it was to be kept; else empty.
    pub kept: Vec<u8>,
}

/// Drains a pack that comes in pieces.
#[derive(Debug)]
pub struct PackDrain {
    header: Vec<u8>,
    /// None where the checksum is not verified.
    hash: Option<Checksum>,
    /// The last bytes so far, at most a trailer: only the end tells which bytes are the trailer.
    held: Vec<u8>,
    bytes: u64,
    /// How much of the pack may be kept; none where it is thrown away.
    room: Option<usize>,
    kept: Vec<u8>,
}

impl PackDrain {
    /// Returns a drain that throws the pack away; computing its checksum costs most of draining.
    pub fn discarding(is_verified: bool) -> Self {
        let hash = is_verified.then(Checksum::new);
        Self { header: Vec::new(), hash, held: Vec::new(), bytes: 0, room: None, kept: Vec::new() }
    }

    /// Returns a drain that verifies the pack and keeps it, which may be so large at most.
    pub fn keeping(room: usize) -> Self {
        Self { room: Some(room), ..Self::discarding(true) }
    }

    /// Takes the next bytes of the pack.
    ///
    /// # Errors
    /// Fails if the header is none, or the pack is larger than may be kept.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.header.len() < HEADER {
            let missing = HEADER - self.header.len();
            self.header.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
            self.check_header()?;
        }
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if let Some(room) = self.room {
            if self.kept.len().saturating_add(bytes.len()) > room {
                return Err(Fault::Protocol(format!("a pack of more than {} MiB", room >> 20)));
            }
            self.kept.extend_from_slice(bytes);
        }
        if let Some(hash) = &mut self.hash {
            // A piece is hashed where it lies, all of it that cannot be the trailer at once.
            let surplus = (self.held.len() + bytes.len()).saturating_sub(TRAILER);
            let old = surplus.min(self.held.len());
            hash.update(self.held.get(..old).unwrap_or_default());
            self.held.drain(..old);
            let (body, end) = bytes.split_at(surplus - old);
            hash.update(body);
            self.held.extend_from_slice(end);
        }
        Ok(())
    }

    /// Returns whether any byte came.
    pub fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    /// Returns what is known of the pack, which has come whole.
    ///
    /// # Errors
    /// Fails if it is too short for a header and a trailer, or the trailer is wrong.
    pub fn finish(self) -> Result<Pack, Fault> {
        let smallest = u64::try_from(HEADER + TRAILER).unwrap_or(u64::MAX);
        let objects =
            self.header.get(8..HEADER).and_then(|count| count.try_into().ok()).map(u32::from_be_bytes);
        let Some(objects) = objects.filter(|_| self.bytes >= smallest) else {
            return Err(Fault::Truncated("the pack"));
        };
        let is_verified = match self.hash {
            Some(hash) => {
                if hash.finish()[..] != self.held[..] {
                    return Err(Fault::Checksum);
                }
                true
            }
            None => false,
        };
        Ok(Pack { objects, bytes: self.bytes, is_verified, kept: self.kept })
    }

    fn check_header(&self) -> Result<(), Fault> {
        let mut wrong = MAGIC.iter().zip(&self.header).any(|(expected, found)| expected != found);
        if let Some(version) = self.header.get(4..8) {
            wrong |= !matches!(version, [0, 0, 0, 2 | 3]);
        }
        if wrong {
            Err(Fault::unexpected(&self.header, "the header of a pack of version 2 or 3"))
        } else {
            Ok(())
        }
    }
}

const MAGIC: &[u8; 4] = b"PACK";
const HEADER: usize = 12;
const TRAILER: usize = 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha1::{Digest as _, Sha1};

    use super::*;
    use crate::wild::in_chunks;

    fn pack(objects: u32, body: &[u8]) -> Vec<u8> {
        let mut pack = [&b"PACK\0\0\0\x02"[..], &objects.to_be_bytes(), body].concat();
        let hash = Sha1::digest(&pack);
        pack.extend_from_slice(&hash);
        pack
    }

    fn drain(bytes: &[u8], cuts: &[usize]) -> Result<Pack, Fault> {
        let mut drain = PackDrain::discarding(true);
        let mut pushed = Ok(());
        in_chunks(bytes, cuts, |chunk| {
            pushed = drain.push(chunk);
            pushed.is_ok()
        });
        pushed.and_then(|()| drain.finish())
    }

    #[test]
    fn the_empty_pack_of_git_is_whole() {
        // Source: `git pack-objects --stdout </dev/null | xxd`.
        let bytes = b"PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";
        assert_eq!(
            drain(bytes, &[]),
            Ok(Pack { objects: 0, bytes: 32, is_verified: true, kept: Vec::new() })
        );
    }

    #[test]
    fn other_headers_are_refused_at_once() {
        for bytes in [&b"X"[..], b"PACX", b"PACK\0\0\0\x04", b"PACK\x01\0\0\x02\0\0\0\0", b"<!DOCTYPE html>"]
        {
            assert!(matches!(PackDrain::discarding(true).push(bytes), Err(Fault::Protocol(_))), "{bytes:?}");
        }
    }

    #[test]
    fn a_pack_is_kept_whole_up_to_a_bound() {
        let bytes = pack(1, &[7; 100]);
        for (room, kept) in [(bytes.len(), Some(bytes.clone())), (bytes.len() - 1, None)] {
            let mut drain = PackDrain::keeping(room);
            let pushed = bytes.chunks(9).try_for_each(|chunk| drain.push(chunk));
            assert_eq!(pushed.and_then(|()| drain.finish()).ok().map(|pack| pack.kept), kept);
        }
    }

    #[test]
    fn without_its_checksum_a_pack_is_still_counted_and_must_have_header_and_trailer() {
        let mut bytes = pack(3, &[9; 50]);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let drained = |bytes: &[u8]| {
            let mut drain = PackDrain::discarding(false);
            bytes.chunks(7).try_for_each(|chunk| drain.push(chunk)).and_then(|()| drain.finish())
        };
        let expected = Pack { objects: 3, bytes: bytes.len() as u64, is_verified: false, kept: Vec::new() };
        assert_eq!(drained(&bytes), Ok(expected));
        assert_eq!(drained(&bytes[..31]), Err(Fault::Truncated("the pack")));
        assert!(matches!(drained(b"PACK\0\0\0\x04"), Err(Fault::Protocol(_))));
    }

    proptest! {
        #[test]
        fn a_whole_pack_verifies_however_it_is_cut(
            objects: u32, body in prop::collection::vec(any::<u8>(), 0..300), cuts: Vec<usize>
        ) {
            let bytes = pack(objects, &body);
            let expected = Pack { objects, bytes: bytes.len() as u64, is_verified: true, kept: Vec::new() };
            prop_assert_eq!(drain(&bytes, &cuts), Ok(expected.clone()));
            let every_byte: Vec<_> = (0..bytes.len()).collect();
            prop_assert_eq!(drain(&bytes, &every_byte), Ok(expected));
        }

        #[test]
        fn no_flipped_bit_and_no_lost_byte_goes_unseen(
            body in prop::collection::vec(any::<u8>(), 0..300), place: usize, bit in 0..8_u8, lost in 1..400_usize
        ) {
            let whole = pack(7, &body);
            let mut flipped = whole.clone();
            flipped[place % whole.len()] ^= 1 << bit;
            prop_assert!(drain(&flipped, &[place]).is_err());
            prop_assert!(drain(&whole[..whole.len().saturating_sub(lost)], &[]).is_err());
        }
    }
}
