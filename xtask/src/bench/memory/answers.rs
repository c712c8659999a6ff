//! What a server of one repository says, made once: what it is able to do, its refs, and a pack.
//!
//! Source: gitprotocol-v2(5), gitformat-pack(5).

use bytes::Bytes;
use sha1::{Digest as _, Sha1};

/// Every answer of a server of one repository, in protocol version 2.
pub(super) struct Answers {
    /// What the server is able to do.
    pub(super) capabilities: Bytes,
    /// Its refs.
    pub(super) refs: Bytes,
    /// The pack, in packets of the first band.
    pub(super) pack: Bytes,
    pack_bytes: usize,
}

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Refs,
    Pack,
}

impl Answers {
    /// Makes the answers with a pack of about so many bytes, whose header and checksum are in order; what is between them
    /// does not compress and is no object, since the client inflates nothing.
    pub(super) fn new(pack_bytes: usize) -> Self {
        let mut pack = b"PACK\0\0\0\x02\0\x01\0\0".to_vec();
        let mut state = 1_u64;
        while pack.len() < pack_bytes {
            // Source: Marsaglia's xorshift64.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            pack.extend_from_slice(&state.to_le_bytes());
        }
        let checksum = Sha1::digest(&pack);
        pack.extend_from_slice(&checksum);
        let mut answer = line(b"packfile\n");
        for piece in pack.chunks(LARGEST_BAND) {
            answer.extend(line(&[&[1], piece].concat()));
        }
        answer.extend_from_slice(FLUSH);
        let oid = "1".repeat(40);
        let refs = [
            line(format!("{oid} HEAD symref-target:refs/heads/main\n").as_bytes()),
            line(format!("{oid} refs/heads/main\n").as_bytes()),
            FLUSH.to_vec(),
        ];
        let abilities: [&[u8]; 5] =
            [b"version 2\n", b"agent=bench\n", b"ls-refs\n", b"fetch=shallow\n", b"object-format=sha1\n"];
        let capabilities = abilities.into_iter().flat_map(line).chain(FLUSH.iter().copied()).collect();
        Self { capabilities, refs: refs.concat().into(), pack: answer.into(), pack_bytes: pack.len() }
    }

    /// Returns the size of the pack.
    pub(super) fn pack_bytes(&self) -> usize {
        self.pack_bytes
    }
}

impl Asked {
    /// Returns what a request asks for; none if it is not whole.
    pub(super) fn by(request: &[u8]) -> Option<Self> {
        if !request.ends_with(FLUSH) {
            return None;
        }
        let command = request.get(4..)?;
        if command.starts_with(b"command=ls-refs") {
            Some(Self::Refs)
        } else if command.starts_with(b"command=fetch") {
            Some(Self::Pack)
        } else {
            None
        }
    }
}

fn line(payload: &[u8]) -> Vec<u8> {
    [format!("{:04x}", payload.len() + 4).as_bytes(), payload].concat()
}

const FLUSH: &[u8] = b"0000";
/// Source: gitprotocol-common(5): a line has at most 65,520 bytes, of which four are its length and one is the band.
const LARGEST_BAND: usize = 65_515;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_is_framed_in_lines_and_ends_with_its_checksum() {
        let answers = Answers::new(200_000);
        let mut rest = &answers.pack[..];
        let mut pack = Vec::new();
        let mut lines = 0;
        while !rest.starts_with(FLUSH) {
            let length = usize::from_str_radix(std::str::from_utf8(&rest[..4]).unwrap(), 16).unwrap();
            if lines > 0 {
                assert_eq!(rest[4], 1);
                pack.extend_from_slice(&rest[5..length]);
            }
            rest = &rest[length..];
            lines += 1;
        }
        assert_eq!((rest, pack.len(), lines), (FLUSH, answers.pack_bytes(), 5));
        let (content, checksum) = pack.split_at(pack.len() - 20);
        assert_eq!(&Sha1::digest(content)[..], checksum);
    }

    #[test]
    fn requests_are_told_apart_once_they_are_whole() {
        for (request, expected) in [
            (&b"0014command=ls-refs\n0000"[..], Some(Asked::Refs)),
            (b"0012command=fetch\n0009done\n0000", Some(Asked::Pack)),
            (b"0012command=fetch\n", None),
            (b"0000", None),
            (b"", None),
        ] {
            assert_eq!(Asked::by(request), expected, "{request:?}");
        }
    }
}
