//! A pack on its way through: its header is read, its checksum verified, nothing of it kept but on request.
//!
//! Source: gitformat-pack(5): `PACK`, version and object count of four bytes each, objects, SHA-1 of all before.

use sha1::{Digest, Sha1};

use crate::fault::Fault;

/// What is known of a pack that was drained whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pack {
    /// The number of objects that the header announces.
    pub(crate) objects: u32,
    /// The size with header and trailer.
    pub(crate) bytes: u64,
    /// The pack itself, if it was to be kept; else empty.
    pub(crate) kept: Vec<u8>,
}

/// Drains a pack that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct PackDrain {
    header: Vec<u8>,
    hash: Sha1,
    /// The last bytes so far, at most a trailer: only the end tells which bytes are the trailer.
    held: Vec<u8>,
    bytes: u64,
    /// How much of the pack may be kept; none where it is thrown away.
    room: Option<usize>,
    kept: Vec<u8>,
}

impl PackDrain {
    /// Returns a drain that keeps the pack, which may be so large at most.
    pub(crate) fn keeping(room: usize) -> Self {
        Self { room: Some(room), ..Self::default() }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
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
        if bytes.len() >= TRAILER {
            let (body, end) = bytes.split_at(bytes.len() - TRAILER);
            self.hash.update(&self.held);
            self.hash.update(body);
            self.held.clear();
            self.held.extend_from_slice(end);
        } else {
            self.held.extend_from_slice(bytes);
            let surplus = self.held.len().saturating_sub(TRAILER);
            for byte in self.held.drain(..surplus) {
                self.hash.update([byte]);
            }
        }
        Ok(())
    }

    /// Returns whether any byte came.
    pub(crate) fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    pub(crate) fn finish(self) -> Result<Pack, Fault> {
        let smallest = u64::try_from(HEADER + TRAILER).unwrap_or(u64::MAX);
        let objects =
            self.header.get(8..HEADER).and_then(|count| count.try_into().ok()).map(u32::from_be_bytes);
        match objects {
            Some(objects) if self.bytes >= smallest => {
                if self.hash.finalize()[..] == self.held[..] {
                    Ok(Pack { objects, bytes: self.bytes, kept: self.kept })
                } else {
                    Err(Fault::Checksum)
                }
            }
            _ => Err(Fault::Truncated("the pack")),
        }
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

    use super::*;
    use crate::wild::in_chunks;

    fn pack(objects: u32, body: &[u8]) -> Vec<u8> {
        let mut pack = [&b"PACK\0\0\0\x02"[..], &objects.to_be_bytes(), body].concat();
        let hash = Sha1::digest(&pack);
        pack.extend_from_slice(&hash);
        pack
    }

    fn drain(bytes: &[u8], cuts: &[usize]) -> Result<Pack, Fault> {
        let mut drain = PackDrain::default();
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
        assert_eq!(drain(bytes, &[]), Ok(Pack { objects: 0, bytes: 32, kept: Vec::new() }));
    }

    #[test]
    fn other_headers_are_refused_at_once() {
        for bytes in [&b"X"[..], b"PACX", b"PACK\0\0\0\x04", b"PACK\x01\0\0\x02\0\0\0\0", b"<!DOCTYPE html>"]
        {
            assert!(matches!(PackDrain::default().push(bytes), Err(Fault::Protocol(_))), "{bytes:?}");
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

    proptest! {
        #[test]
        fn a_whole_pack_verifies_however_it_is_cut(
            objects: u32, body in prop::collection::vec(any::<u8>(), 0..300), cuts: Vec<usize>
        ) {
            let bytes = pack(objects, &body);
            let expected = Pack { objects, bytes: bytes.len() as u64, kept: Vec::new() };
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
