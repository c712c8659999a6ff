//! The answer to a fetch: what was agreed, then the pack.
//!
//! Source: gitprotocol-v2(5), section fetch; gitprotocol-pack(5), section Packfile Negotiation, for version 0.

use crate::{
    AnswerReader, ObjectId,
    advertisement::Version,
    fault::Fault,
    pack::{Pack, PackDrain},
    pkt_line::{Decoder, Piece},
    ref_list::reported_error,
    sideband::Demultiplexer,
};

/// How the pack is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// In packets of a band each; always so in version 2.
    Bands,
    /// Not at all: the rest of the body is the pack.
    Bare,
}

/// What was asked, as far as the form of the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The version that is spoken.
    pub version: Version,
    /// How the pack will come.
    pub wrapping: Wrapping,
    /// Whether history was asked for to a depth only, so that the server says where it ends.
    pub is_shallow: bool,
    /// How many objects the client said that it has; the server acknowledges no others.
    pub haves: usize,
    /// Whether the client has said all that it has, so that the pack must follow.
    pub is_done: bool,
    /// Whether the server may send the pack as soon as it knows enough: always so in version 2, in version 0 by `no-done`.
    pub is_pack_early: bool,
}

impl Asked {
    /// Returns what a client asks that has nothing and is done.
    pub fn everything(version: Version, wrapping: Wrapping) -> Self {
        Self { version, wrapping, is_shallow: false, haves: 0, is_done: true, is_pack_early: false }
    }
}

/// What a fetch, or one round of its negotiation, came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The objects of the client that the server has, too; one may come more than once.
    pub common: Vec<ObjectId>,
    /// The pack; none if the server wants to hear of more objects first.
    pub pack: Option<Pack>,
}

/// Reads the answer to a fetch.
#[derive(Debug)]
pub struct FetchAnswer {
    asked: Asked,
    stage: Stage,
    decoder: Decoder,
    line: Vec<u8>,
    common: Vec<ObjectId>,
    is_ready: bool,
    /// Whether the server has said where history ends.
    is_bounded: bool,
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
    /// Returns the reader of the answer to what was asked, which drains the pack so.
    pub fn new(asked: Asked, pack: PackDrain) -> Self {
        Self {
            asked,
            stage: Stage::Agreement,
            decoder: Decoder::default(),
            line: Vec::new(),
            common: Vec::new(),
            is_ready: false,
            is_bounded: false,
            bands: Demultiplexer::default(),
            pack,
        }
    }
}

impl AnswerReader for FetchAnswer {
    type Answer = Fetched;

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        loop {
            if self.stage == Stage::Pack && self.asked.wrapping == Wrapping::Bare {
                return if bytes.is_empty() { Ok(()) } else { self.pack.push(bytes) };
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

    fn finish(self) -> Result<Fetched, Fault> {
        let is_bare = self.asked.wrapping == Wrapping::Bare;
        let pack = match self.stage {
            // Who asks over HTTP where history ends is told that, and some servers say no more.
            Stage::Agreement
                if self.is_bounded && !self.asked.is_done && self.decoder.is_between_packets() =>
            {
                None
            }
            Stage::Agreement => return Err(Fault::Truncated("the answer before the pack")),
            Stage::Pack if !is_bare => return Err(Fault::Truncated("the pack")),
            Stage::Ended if !self.decoder.is_between_packets() => return Err(Fault::Truncated("the pack")),
            // A round that ended without a pack.
            Stage::Ended if !self.asked.is_done && !self.pack.has_begun() => None,
            Stage::Pack | Stage::Ended => Some(self.pack.finish()?),
        };
        Ok(Fetched { common: self.common, pack })
    }
}

impl FetchAnswer {
    fn agreement(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        match (piece, self.asked.version) {
            (Piece::Data { bytes, first, last }, version) => {
                if first {
                    self.line.clear();
                }
                self.line.extend_from_slice(bytes);
                if !last {
                    return Ok(());
                }
                let line = std::mem::take(&mut self.line);
                let agreed = match version {
                    Version::V2 => self.agreed(&line),
                    Version::V0 => self.agreed_v0(&line),
                };
                self.line = line;
                agreed
            }
            // Sections of version 2 that precede the pack end so.
            (Piece::Delimiter, Version::V2) => Ok(()),
            // So does a round that the pack does not follow yet.
            (Piece::Flush, Version::V2) if !self.asked.is_done && !self.is_ready => {
                self.stage = Stage::Ended;
                Ok(())
            }
            // So does the list of where history ends in version 0.
            (Piece::Flush, Version::V0) if self.asked.is_shallow && !self.is_bounded => {
                self.is_bounded = true;
                Ok(())
            }
            (Piece::Flush | Piece::Delimiter | Piece::ResponseEnd, _) => {
                Err(Fault::Protocol("the answer ends without a pack".to_owned()))
            }
        }
    }

    fn agreed(&mut self, line: &[u8]) -> Result<(), Fault> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        reported_error(line)?;
        match line {
            b"packfile" if self.asked.is_done || self.is_ready => self.stage = Stage::Pack,
            b"ready" if !self.asked.is_done => self.is_ready = true,
            b"acknowledgments" | b"NAK" | b"shallow-info" | b"wanted-refs" => {}
            _ => match line.strip_prefix(b"ACK ") {
                Some(id) => self.acknowledged(ObjectId::parse(id), line)?,
                None => self.boundary(line)?,
            },
        }
        Ok(())
    }

    fn agreed_v0(&mut self, line: &[u8]) -> Result<(), Fault> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        reported_error(line)?;
        if line == b"NAK" {
            // The last word on a client that has nothing in common, or the end of a round.
            if self.asked.is_done {
                self.stage = Stage::Pack;
            } else if !self.is_pack_next() {
                self.stage = Stage::Ended;
            }
            return Ok(());
        }
        let Some(rest) = line.strip_prefix(b"ACK ") else { return self.boundary(line) };
        let (id, status) = rest.split_at_checked(40).unwrap_or((rest, &[]));
        self.acknowledged(ObjectId::parse(id), line)?;
        match status {
            b" common" | b" continue" => {}
            b" ready" => self.is_ready = true,
            // The last word on a client that has something in common.
            b"" if self.asked.is_done || self.is_pack_next() => self.stage = Stage::Pack,
            _ => return Err(Fault::unexpected(line, "an acknowledgment")),
        }
        Ok(())
    }

    fn is_pack_next(&self) -> bool {
        self.is_ready && self.asked.is_pack_early
    }

    fn acknowledged(&mut self, id: Option<ObjectId>, line: &[u8]) -> Result<(), Fault> {
        let id = id.ok_or_else(|| Fault::unexpected(line, "an acknowledgment"))?;
        // Once as common, once as what makes it ready, once as the last word.
        if self.common.len() >= self.asked.haves.saturating_mul(3) {
            return Err(Fault::unexpected(line, "the acknowledgment of what was named"));
        }
        self.common.push(id);
        Ok(())
    }

    /// Takes a line that says where history ends, which only those get who asked for it.
    fn boundary(&self, line: &[u8]) -> Result<(), Fault> {
        let is_boundary = line.starts_with(b"shallow ") || line.starts_with(b"unshallow ");
        if self.asked.is_shallow && is_boundary { Ok(()) } else { Err(Fault::unexpected(line, "the pack")) }
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

    fn read(asked: Asked, bytes: &[u8], cuts: &[usize]) -> Result<Fetched, Fault> {
        let mut answer = FetchAnswer::new(asked, PackDrain::discarding(true));
        push(&mut answer, bytes, cuts).and_then(|()| answer.finish())
    }

    const V2: Asked = Asked {
        version: Version::V2,
        wrapping: Wrapping::Bands,
        is_shallow: false,
        haves: 0,
        is_done: true,
        is_pack_early: false,
    };
    const V0: Asked = Asked { version: Version::V0, ..V2 };

    fn empty_pack() -> Pack {
        Pack { objects: 0, bytes: 32, is_verified: true, kept: Vec::new() }
    }

    fn id(digit: char) -> ObjectId {
        ObjectId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
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
        let expected = Ok(Fetched { common: Vec::new(), pack: Some(empty_pack()) });
        let bare = Asked { wrapping: Wrapping::Bare, ..V0 };
        for (asked, bytes) in [
            (V2, [packet(b"packfile\n"), banded.clone()].concat()),
            (
                V2,
                [packet(b"shallow-info\n"), b"0001".to_vec(), packet(b"packfile\n"), banded.clone()].concat(),
            ),
            (V0, [packet(b"NAK\n"), banded].concat()),
            (bare, [packet(b"NAK\n"), EMPTY_PACK.to_vec()].concat()),
        ] {
            for cut in 0..bytes.len() {
                assert_eq!(read(asked, &bytes, &[cut]), expected, "{asked:?} {cut}");
                assert!(read(asked, &bytes[..cut], &[]).is_err(), "{asked:?} {cut}");
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
        for (asked, bytes) in [(V2, v2.concat()), (V0, v0.concat())] {
            let shallow = Asked { is_shallow: true, ..asked };
            let mut answer = FetchAnswer::new(shallow, PackDrain::keeping(100));
            bytes.chunks(5).try_for_each(|chunk| answer.push(chunk)).unwrap();
            assert!(answer.is_complete());
            assert_eq!(answer.finish().unwrap().pack.unwrap().kept, EMPTY_PACK);
            // Who did not ask for it must not get it.
            assert!(matches!(read(asked, &bytes, &[]), Err(Fault::Protocol(_))), "{asked:?}");
        }
    }

    #[test]
    fn where_history_ends_may_be_asked_for_first() {
        let first = Asked { is_shallow: true, is_done: false, ..V0 };
        for lines in [&["shallow 1", "", "NAK"][..], &["shallow 1", ""], &[""]] {
            let expected = Ok(Fetched { common: Vec::new(), pack: None });
            assert_eq!(read(first, &answer(lines), &[3]), expected, "{lines:?}");
        }
        for lines in [&["shallow 1"][..], &["", ""], &["", "NAK", "NAK"]] {
            assert!(read(first, &answer(lines), &[]).is_err(), "{lines:?}");
        }
    }

    /// Lines as packets; an empty one stands for a flush, `|` for a delimiter, `pack` for an empty pack in bands, and a
    /// digit for an id of it alone.
    fn answer(lines: &[&str]) -> Vec<u8> {
        let packets = lines.iter().map(|line| match *line {
            "" => b"0000".to_vec(),
            "|" => b"0001".to_vec(),
            "pack" => [band(1, EMPTY_PACK), b"0000".to_vec()].concat(),
            line => {
                let line = line.replace('1', &"1".repeat(40)).replace('2', &"2".repeat(40));
                packet(format!("{line}\n").as_bytes())
            }
        });
        packets.collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_round_of_negotiation_ends_with_a_pack_or_with_what_is_common() {
        let (round, done) = (Asked { haves: 2, is_done: false, ..V2 }, Asked { haves: 2, ..V2 });
        let (round_v0, done_v0) =
            (Asked { version: Version::V0, ..round }, Asked { version: Version::V0, ..done });
        let early = Asked { is_pack_early: true, ..round_v0 };
        for (asked, lines, common, has_pack) in [
            (round, &["acknowledgments", "ACK 1", "ready", "|", "packfile", "pack"][..], "1", true),
            (round, &["acknowledgments", "ACK 1", "ACK 2", ""], "12", false),
            (round, &["acknowledgments", "NAK", ""], "", false),
            (done_v0, &["ACK 1 common", "ACK 2 common", "ACK 2", "pack"], "122", true),
            (done_v0, &["NAK", "pack"], "", true),
            (round_v0, &["ACK 1 common", "NAK"], "1", false),
            (round_v0, &["ACK 1 common", "ACK 1 ready", "NAK"], "11", false),
            (early, &["ACK 1 common", "ACK 1 ready", "NAK", "ACK 1", "pack"], "111", true),
            (early, &["NAK"], "", false),
        ] {
            let bytes = answer(lines);
            let expected =
                Fetched { common: common.chars().map(id).collect(), pack: has_pack.then(empty_pack) };
            for cut in 0..bytes.len() {
                assert_eq!(read(asked, &bytes, &[cut]), Ok(expected.clone()), "{lines:?}");
                assert!(read(asked, &bytes[..cut], &[]).is_err(), "{lines:?} {cut}");
            }
        }
        for (asked, lines, why) in [
            (done, &[""][..], "the pack must follow"),
            (V2, &["ACK 1", ""], "nothing was named"),
            (round, &["ACK 1", "ready", ""], "what is ready has a pack"),
            (round, &["packfile", "pack"], "not ready"),
            (round_v0, &["ACK 1"], "not the last word yet"),
            (round_v0, &["ACK 1 later"], "an unknown word"),
        ] {
            assert!(matches!(read(asked, &answer(lines), &[]), Err(Fault::Protocol(_))), "{why}");
        }
    }

    #[test]
    fn no_more_is_acknowledged_than_was_named() {
        let asked = Asked { haves: 1, is_done: false, ..V2 };
        assert!(matches!(read(asked, &answer(&["ACK 1"; 4]), &[]), Err(Fault::Protocol(_))));
    }

    #[test]
    fn errors_of_the_server_are_told_in_its_words() {
        for bytes in [
            packet(b"ERR upload-pack: not our ref"),
            [packet(b"packfile\n"), band(1, b"PACK"), band(3, b"upload-pack: not our ref\n")].concat(),
        ] {
            let fault = read(V2, &bytes, &[]);
            assert_eq!(fault, Err(Fault::Remote("upload-pack: not our ref".to_owned())));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(bytes in wild_bytes(), cuts: Vec<usize>) {
            let bare = Asked { wrapping: Wrapping::Bare, ..V0 };
            let (shallow, round) = (Asked { is_shallow: true, ..V2 }, Asked { haves: 2, is_done: false, ..V2 });
            let round_v0 = Asked { version: Version::V0, is_pack_early: true, ..round };
            for asked in [V2, V0, bare, shallow, round, round_v0] {
                let whole = read(asked, &bytes, &[]);
                let cut = read(asked, &bytes, &cuts);
                // Which bytes of a broken pack header a message shows depends on how many have come.
                match (whole, cut) {
                    (Err(Fault::Protocol(_)), Err(Fault::Protocol(_))) => {}
                    (whole, cut) => prop_assert_eq!(whole, cut),
                }
            }
        }
    }
}
