//! Git's framing: four hex digits of length, then the line.
//!
//! Source: gitprotocol-common(5), section pkt-line Format; gitprotocol-v2(5), section Packet-Line Framing, for the
//! delimiter and the response end.

use crate::fault::Fault;

/// One piece of a stream of packets, as far as it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// `0000`.
    Flush,
    /// `0001`.
    Delimiter,
    /// `0002`.
    ResponseEnd,
    /// Bytes of a line; an empty line is one empty piece that is both first and last.
    Data {
        /// The bytes, at most the rest of the line.
        bytes: &'a [u8],
        /// Whether the line begins with them.
        first: bool,
        /// Whether the line ends with them.
        last: bool,
    },
}

/// Cuts a stream into pieces without holding any of it back but the digits of a length.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
}

#[derive(Debug)]
enum State {
    Length { digits: [u8; 4], have: usize },
    Data { left: usize, first: bool },
}

impl Default for State {
    fn default() -> Self {
        Self::Length { digits: [0; 4], have: 0 }
    }
}

impl Decoder {
    /// Takes the next piece off the input; none when the input is used up.
    ///
    /// # Errors
    /// Fails if the length of a packet is none.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, Fault> {
        if let State::Length { digits, have } = &mut self.state {
            while let Some(slot) = digits.get_mut(*have) {
                let Some((digit, rest)) = input.split_first() else { return Ok(None) };
                (*slot, *input) = (*digit, rest);
                *have += 1;
            }
            match length(*digits)? {
                0 => return Ok(Some(self.between(Piece::Flush))),
                1 => return Ok(Some(self.between(Piece::Delimiter))),
                2 => return Ok(Some(self.between(Piece::ResponseEnd))),
                PREFIX => return Ok(Some(self.between(Piece::Data { bytes: &[], first: true, last: true }))),
                length => self.state = State::Data { left: length - PREFIX, first: true },
            }
        }
        let State::Data { left, first } = &mut self.state else { return Ok(None) };
        let (bytes, rest) = input.split_at(input.len().min(*left));
        if bytes.is_empty() {
            return Ok(None);
        }
        *input = rest;
        *left -= bytes.len();
        let piece = Piece::Data { bytes, first: std::mem::take(first), last: *left == 0 };
        Ok(Some(if *left == 0 { self.between(piece) } else { piece }))
    }

    /// Returns whether the stream may end here: not within a packet.
    pub fn is_between_packets(&self) -> bool {
        matches!(self.state, State::Length { have: 0, .. })
    }

    fn between<'a>(&mut self, piece: Piece<'a>) -> Piece<'a> {
        self.state = State::default();
        piece
    }
}

/// One whole packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0000`.
    Flush,
    /// `0001`.
    Delimiter,
    /// `0002`.
    ResponseEnd,
    /// A line, without the line break that it may end with.
    Line(&'a [u8]),
}

/// Puts lines together that come in pieces; holds at most one line, which is at most 65,516 bytes.
#[derive(Debug, Default)]
pub struct Packets {
    decoder: Decoder,
    line: Vec<u8>,
}

impl Packets {
    /// Takes the next whole packet off the input; none when the input is used up.
    ///
    /// # Errors
    /// Fails if the length of a packet is none.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Option<Packet<'s>>, Fault> {
        // Most lines lie whole in what has come, and need not be put together.
        if self.decoder.is_between_packets()
            && let Some((digits, rest)) = input.split_first_chunk()
            && let Some(length) = length(*digits)?.checked_sub(PREFIX + 1)
            && let Some((line, rest)) = rest.split_at_checked(length + 1)
        {
            *input = rest;
            return Ok(Some(Packet::Line(without_break(line))));
        }
        while let Some(piece) = self.decoder.next(input)? {
            match piece {
                Piece::Flush => return Ok(Some(Packet::Flush)),
                Piece::Delimiter => return Ok(Some(Packet::Delimiter)),
                Piece::ResponseEnd => return Ok(Some(Packet::ResponseEnd)),
                Piece::Data { bytes, first, last } => {
                    if first {
                        self.line.clear();
                    }
                    self.line.extend_from_slice(bytes);
                    if last {
                        return Ok(Some(Packet::Line(without_break(&self.line))));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Returns whether the stream may end here: not within a packet.
    pub fn is_between_packets(&self) -> bool {
        self.decoder.is_between_packets()
    }
}

fn without_break(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Appends a line, with the line break that Git's own lines end with.
pub fn write_line(out: &mut Vec<u8>, line: &str) {
    debug_assert!(line.len() < LARGEST - PREFIX, "requests have short lines only");
    out.extend_from_slice(format!("{:04x}{line}\n", line.len() + PREFIX + 1).as_bytes());
}

/// Appends a line without a line break, as git writes the update of a ref.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() < LARGEST - PREFIX, "requests have short lines only");
    out.extend_from_slice(format!("{:04x}{text}", text.len() + PREFIX).as_bytes());
}

/// Appends `0000`.
pub fn write_flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// Appends `0001`.
pub fn write_delimiter(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0001");
}

fn length(digits: [u8; 4]) -> Result<usize, Fault> {
    // A list of refs is a thousand short lines; without a branch a digit, their lengths cost next to nothing.
    let worth = |digit: u8| WORTH.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT);
    let [a, b, c, d] = digits.map(worth);
    let length = [a, b, c, d].into_iter().fold(0, |length, worth| length << 4 | usize::from(worth));
    if (a | b | c | d) == NO_DIGIT || length == 3 || length > LARGEST {
        return Err(Fault::unexpected(&digits, "the length of a packet"));
    }
    Ok(length)
}

/// What each byte is worth as a hex digit.
#[expect(clippy::indexing_slicing, reason = "the compiler fills the table, and would find it too small")]
const WORTH: [u8; 256] = {
    let mut worth = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while value < 16 {
        worth[b"0123456789abcdef"[value as usize] as usize] = value;
        worth[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    worth
};
/// All bits, so that one such byte shows among others.
const NO_DIGIT: u8 = u8::MAX;

/// The length of the length itself, which counts.
const PREFIX: usize = 4;

/// Source: `LARGE_PACKET_MAX` in git's pkt-line.h.
const LARGEST: usize = 65520;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wild::{in_chunks, wild_bytes};

    /// What a stream holds, in a form that does not depend on how it was cut.
    fn decode(bytes: &[u8], cuts: &[usize]) -> (Vec<String>, Option<Fault>) {
        let mut packets = Packets::default();
        let mut seen = Vec::new();
        let mut fault = None;
        in_chunks(bytes, cuts, |mut chunk| {
            loop {
                match packets.next(&mut chunk) {
                    Ok(Some(packet)) => seen.push(format!("{packet:?}")),
                    Ok(None) => break true,
                    Err(error) => {
                        fault = Some(error);
                        break false;
                    }
                }
            }
        });
        (seen, fault)
    }

    #[test]
    fn reads_the_examples_of_the_specification() {
        // Source: the table in gitprotocol-common(5).
        let (seen, fault) = decode(b"0006a\n0005a000bfoobar\n000400000001", &[]);
        assert_eq!(fault, None);
        let expected = ["Line([97])", "Line([97])", &format!("{:?}", Packet::Line(b"foobar")), "Line([])"];
        assert_eq!(seen[..4], expected);
        assert_eq!(seen[4..], ["Flush", "Delimiter"]);
    }

    #[test]
    fn lengths_that_no_packet_has_are_refused() {
        for bytes in [&b"0003"[..], b"fff1", b"ffff", b"00g0", b"-001", b"<htm", b"\xff\xff\xff\xff"] {
            assert!(matches!(decode(bytes, &[]).1, Some(Fault::Protocol(_))), "{bytes:?}");
        }
        let mut largest = b"fff0".to_vec();
        largest.resize(LARGEST, b'x');
        assert_eq!(decode(&largest, &[]).0.len(), 1);
    }

    #[test]
    fn knows_where_a_stream_must_not_end() {
        for (bytes, whole) in
            [(&b""[..], true), (b"0000", true), (b"00", false), (b"0006a", false), (b"0005a", true)]
        {
            let mut packets = Packets::default();
            let mut input = bytes;
            while packets.next(&mut input).unwrap().is_some() {}
            assert_eq!(packets.is_between_packets(), whole, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(lines in prop::collection::vec("[ -~]{0,200}", 0..20), cuts: Vec<usize>) {
            let mut bytes = Vec::new();
            for line in &lines {
                write_line(&mut bytes, line);
            }
            write_delimiter(&mut bytes);
            write_flush(&mut bytes);
            let (seen, fault) = decode(&bytes, &cuts);
            let mut expected: Vec<_> = lines.iter().map(|line| format!("{:?}", Packet::Line(line.as_bytes()))).collect();
            expected.extend(["Delimiter".to_owned(), "Flush".to_owned()]);
            prop_assert_eq!((seen, fault), (expected, None));
        }

        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(bytes in wild_bytes(), cuts: Vec<usize>) {
            prop_assert_eq!(decode(&bytes, &cuts), decode(&bytes, &[]));
        }
    }
}
