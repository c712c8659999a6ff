//! The answer to a fetch: what was agreed, then the pack.
//!
//! Source: gitprotocol-v2(5), section fetch; gitprotocol-pack(5), section Packfile Negotiation, for version 0.

use crate::{
    advertisement::Version,
    conversation::AnswerReader,
    fault::Fault,
    pack::{Pack, PackDrain},
    pack_objects::LARGEST,
    pkt_line::{Decoder, Piece},
    ref_list::reported_error,
    sideband::Demultiplexer,
};

/// How the pack is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// In packets of a band each; always so in version 2.
    Bands,
    /// Not at all: the rest of the body is the pack.
    Bare,
}

/// Reads the answer to a fetch that has nothing and is done.
#[derive(Debug)]
pub(crate) struct FetchAnswer {
    version: Version,
    wrapping: Wrapping,
    /// Whether history was asked for to a depth only, so that the server names where it ends.
    is_shallow: bool,
    stage: Stage,
    decoder: Decoder,
    line: Vec<u8>,
    bands: Demultiplexer,
    pack: PackDrain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Agreement,
    Pack,
    Ended,
}

impl FetchAnswer {
    pub(crate) fn new(version: Version, wrapping: Wrapping) -> Self {
        Self {
            version,
            wrapping,
            is_shallow: false,
            stage: Stage::Agreement,
            decoder: Decoder::default(),
            line: Vec::new(),
            bands: Demultiplexer::default(),
            pack: PackDrain::default(),
        }
    }

    /// Returns the reader of the answer to a fetch of one commit without history, whose pack is kept.
    pub(crate) fn of_a_tip(version: Version, wrapping: Wrapping) -> Self {
        Self { is_shallow: true, pack: PackDrain::keeping(LARGEST), ..Self::new(version, wrapping) }
    }
}

impl AnswerReader for FetchAnswer {
    type Answer = Pack;

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        loop {
            if self.stage == Stage::Pack && self.wrapping == Wrapping::Bare {
                return self.pack.push(bytes);
            }
            let Some(piece) = self.decoder.next(&mut bytes)? else { return Ok(()) };
            match self.stage {
                Stage::Agreement => self.agreement(piece)?,
                Stage::Pack => self.packed(piece)?,
                Stage::Ended => return Err(Fault::Protocol("more after the end of the pack".to_owned())),
            }
        }
    }

    /// Returns whether the first byte of the pack has come.
    fn has_begun(&self) -> bool {
        self.pack.has_begun()
    }

    /// A pack without bands ends where the connection does.
    fn is_complete(&self) -> bool {
        self.stage == Stage::Ended
    }

    fn finish(self) -> Result<Pack, Fault> {
        let whole = match (self.stage, self.wrapping) {
            (Stage::Ended, Wrapping::Bands) => self.decoder.is_between_packets(),
            (Stage::Pack, Wrapping::Bare) => true,
            _ => false,
        };
        if whole { self.pack.finish() } else { Err(Fault::Truncated("the pack")) }
    }
}

impl FetchAnswer {
    fn agreement(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        match piece {
            Piece::Data { bytes, first, last } => {
                if first {
                    self.line.clear();
                }
                self.line.extend_from_slice(bytes);
                if last { self.agreed() } else { Ok(()) }
            }
            // Sections of version 2 that precede the pack end so.
            Piece::Delimiter if self.version == Version::V2 => Ok(()),
            // So does the list of where history ends in version 0.
            Piece::Flush if self.version == Version::V0 && self.is_shallow => Ok(()),
            Piece::Flush | Piece::Delimiter | Piece::ResponseEnd => {
                Err(Fault::Protocol("the answer ends without a pack".to_owned()))
            }
        }
    }

    fn agreed(&mut self) -> Result<(), Fault> {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        reported_error(line)?;
        let pack_follows = match self.version {
            Version::V2 => line == b"packfile",
            // The server's last word on a client that has nothing.
            Version::V0 => line == b"NAK",
        };
        if pack_follows {
            self.stage = Stage::Pack;
            self.line = Vec::new();
            return Ok(());
        }
        let known: &[&[u8]] = match self.version {
            Version::V2 => &[b"acknowledgments", b"NAK", b"ready", b"shallow-info", b"wanted-refs"],
            Version::V0 => &[],
        };
        let is_boundary = self.is_shallow && line.starts_with(b"shallow ");
        if is_boundary || known.contains(&line) { Ok(()) } else { Err(Fault::unexpected(line, "the pack")) }
    }

    fn packed(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        match piece {
            Piece::Data { bytes, first, last } => {
                let bytes = self.bands.piece(bytes, first, last)?;
                if bytes.is_empty() { Ok(()) } else { self.pack.push(bytes) }
            }
            Piece::Flush => {
                self.stage = Stage::Ended;
                Ok(())
            }
            Piece::Delimiter | Piece::ResponseEnd => {
                Err(Fault::Protocol("a delimiter within the pack".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wild::{in_chunks, wild_bytes};

    const EMPTY_PACK: &[u8] =
        b"PACK\0\0\0\x02\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e";

    fn packet(line: &[u8]) -> Vec<u8> {
        [format!("{:04x}", line.len() + 4).as_bytes(), line].concat()
    }

    fn band(band: u8, bytes: &[u8]) -> Vec<u8> {
        packet(&[&[band], bytes].concat())
    }

    fn read(version: Version, wrapping: Wrapping, bytes: &[u8], cuts: &[usize]) -> Result<Pack, Fault> {
        let mut answer = FetchAnswer::new(version, wrapping);
        push(&mut answer, bytes, cuts).and_then(|()| answer.finish())
    }

    fn push(answer: &mut FetchAnswer, bytes: &[u8], cuts: &[usize]) -> Result<(), Fault> {
        let mut pushed = Ok(());
        in_chunks(bytes, cuts, |chunk| {
            pushed = answer.push(chunk);
            pushed.is_ok()
        });
        pushed
    }

    #[test]
    fn the_pack_is_found_in_every_wrapping() {
        let (head, tail) = EMPTY_PACK.split_at(7);
        let banded =
            [band(2, b"Counting\r"), band(1, head), band(1, b""), band(1, tail), b"0000".to_vec()].concat();
        let expected = Ok(Pack { objects: 0, bytes: 32, kept: Vec::new() });
        for (version, wrapping, bytes) in [
            (Version::V2, Wrapping::Bands, [packet(b"packfile\n"), banded.clone()].concat()),
            (
                Version::V2,
                Wrapping::Bands,
                [packet(b"shallow-info\n"), b"0001".to_vec(), packet(b"packfile\n"), banded.clone()].concat(),
            ),
            (Version::V0, Wrapping::Bands, [packet(b"NAK\n"), banded].concat()),
            (Version::V0, Wrapping::Bare, [packet(b"NAK\n"), EMPTY_PACK.to_vec()].concat()),
        ] {
            for cut in 0..bytes.len() {
                assert_eq!(
                    read(version, wrapping, &bytes, &[cut]),
                    expected,
                    "{version:?} {wrapping:?} {cut}"
                );
            }
            for end in 0..bytes.len() {
                assert!(
                    read(version, wrapping, &bytes[..end], &[]).is_err(),
                    "{version:?} {wrapping:?} {end}"
                );
            }
        }
    }

    #[test]
    fn a_shallow_answer_says_first_where_history_ends() {
        let boundary = packet(format!("shallow {}\n", "1".repeat(40)).as_bytes());
        let banded = [band(1, EMPTY_PACK), b"0000".to_vec()].concat();
        let v2 = [
            packet(b"shallow-info\n"),
            boundary.clone(),
            b"0001".to_vec(),
            packet(b"packfile\n"),
            banded.clone(),
        ];
        let v0 = [boundary, b"0000".to_vec(), packet(b"NAK\n"), banded];
        for (version, bytes) in [(Version::V2, v2.concat()), (Version::V0, v0.concat())] {
            let mut answer = FetchAnswer::of_a_tip(version, Wrapping::Bands);
            bytes.chunks(5).try_for_each(|chunk| answer.push(chunk)).unwrap();
            assert!(answer.is_complete());
            assert_eq!(answer.finish().unwrap().kept, EMPTY_PACK);
            // Who did not ask for it must not get it.
            assert!(
                matches!(read(version, Wrapping::Bands, &bytes, &[]), Err(Fault::Protocol(_))),
                "{version:?}"
            );
        }
    }

    #[test]
    fn errors_of_the_server_are_told_in_its_words() {
        for bytes in [
            packet(b"ERR upload-pack: not our ref"),
            [packet(b"packfile\n"), band(1, b"PACK"), band(3, b"upload-pack: not our ref\n")].concat(),
        ] {
            let fault = read(Version::V2, Wrapping::Bands, &bytes, &[]);
            assert_eq!(fault, Err(Fault::Remote("upload-pack: not our ref".to_owned())));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(bytes in wild_bytes(), cuts: Vec<usize>) {
            for (version, wrapping) in
                [(Version::V2, Wrapping::Bands), (Version::V0, Wrapping::Bands), (Version::V0, Wrapping::Bare)]
            {
                let whole = read(version, wrapping, &bytes, &[]);
                let cut = read(version, wrapping, &bytes, &cuts);
                // Which bytes of a broken pack header a message shows depends on how many have come.
                match (whole, cut) {
                    (Err(Fault::Protocol(_)), Err(Fault::Protocol(_))) => {}
                    (whole, cut) => prop_assert_eq!(whole, cut),
                }
                let mut tip = FetchAnswer::of_a_tip(version, wrapping);
                let _ = push(&mut tip, &bytes, &cuts).and_then(|()| tip.finish());
            }
        }
    }
}
