//! The chunked transfer coding.

use super::Violation;

/// Where in a chunked body its reader is.
///
/// Source: RFC 9112, section 7.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunked {
    state: State,
    /// What is left of the bytes that extensions and trailers may have, which nobody reads.
    idle_bytes_left: u32,
}

/// What the next bytes of a chunked body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// So many bytes of framing come first.
    pub framing: usize,
    /// So many bytes of the body follow; none where more must come first, or the end is reached.
    pub data: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the digits of a size, of which there were so many.
    Size {
        value: u64,
        digits: u8,
    },
    /// Behind them, up to the line's end.
    Extension {
        value: u64,
    },
    SizeLineFeed {
        value: u64,
    },
    Data {
        left: u64,
    },
    DataReturn,
    DataLineFeed,
    /// At the start of a trailer line, or of the empty line that ends the body.
    TrailerStart,
    Trailer,
    TrailerLineFeed,
    EndLineFeed,
    Done,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { state: START, idle_bytes_left: MAX_IDLE_BYTES }
    }
}

impl Chunked {
    /// Returns whether the body's end was reached.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Goes through the next bytes: first framing, then data, of which as many are taken as are there.
    ///
    /// # Errors
    /// Fails if they are no chunked body.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Piece, Violation> {
        let mut framing = 0_usize;
        for byte in bytes {
            match self.state {
                State::Data { left } => return Ok(self.take(framing, left, bytes)),
                State::Done => break,
                state => self.state = self.after(state, *byte)?,
            }
            framing += 1;
        }
        Ok(Piece { framing, data: 0 })
    }

    fn take(&mut self, framing: usize, left: u64, bytes: &[u8]) -> Piece {
        let there = bytes.len() - framing;
        let data = usize::try_from(left).unwrap_or(usize::MAX).min(there);
        let left = left - u64::try_from(data).unwrap_or(left);
        self.state = if left == 0 { State::DataReturn } else { State::Data { left } };
        Piece { framing, data }
    }

    /// Returns the state behind a byte of framing.
    fn after(&mut self, state: State, byte: u8) -> Result<State, Violation> {
        Ok(match (state, byte) {
            (State::Size { value, digits }, _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                let value = value.checked_mul(16).map(|value| value | u64::from(digit));
                let value = value.ok_or_else(|| Violation::new("a chunk's size is too large a number"))?;
                // Zeros lengthen a number without end.
                let digits = digits.checked_add(1).filter(|digits| *digits <= MAX_DIGITS);
                State::Size {
                    value,
                    digits: digits.ok_or_else(|| Violation::new("a chunk's size does not end"))?,
                }
            }
            (State::Size { digits: 0, .. }, _) => {
                return Err(Violation::new("a chunk begins with something else than its size"));
            }
            (State::Size { value, .. } | State::Extension { value }, b'\r') => State::SizeLineFeed { value },
            (State::Size { value, .. }, b' ' | b'\t' | b';') => State::Extension { value },
            (State::Size { .. }, _) => return Err(Violation::new("a chunk's size is no number")),
            (State::Extension { .. }, b'\n') => {
                return Err(Violation::new("a chunk's size line is malformed"));
            }
            (State::Extension { value }, _) => {
                self.count_idle_byte()?;
                State::Extension { value }
            }
            (State::SizeLineFeed { value: 0 }, b'\n') => State::TrailerStart,
            (State::SizeLineFeed { value }, b'\n') => State::Data { left: value },
            (State::DataReturn, b'\r') => State::DataLineFeed,
            (State::DataLineFeed, b'\n') => START,
            (State::TrailerStart, b'\r') => State::EndLineFeed,
            (State::Trailer, b'\r') => State::TrailerLineFeed,
            (State::TrailerStart | State::Trailer, b'\n') => {
                return Err(Violation::new("a trailer line is malformed"));
            }
            (State::TrailerStart | State::Trailer, _) => {
                self.count_idle_byte()?;
                State::Trailer
            }
            (State::TrailerLineFeed, b'\n') => State::TrailerStart,
            (State::EndLineFeed, b'\n') => State::Done,
            (State::DataReturn | State::DataLineFeed, _) => {
                return Err(Violation::new("a chunk is longer than its size"));
            }
            _ => return Err(Violation::new("the end of a line is malformed in its chunked body")),
        })
    }

    fn count_idle_byte(&mut self) -> Result<(), Violation> {
        let left = self.idle_bytes_left.checked_sub(1);
        self.idle_bytes_left =
            left.ok_or_else(|| Violation::new("the extensions and trailers of its chunked body do not end"))?;
        Ok(())
    }
}

const START: State = State::Size { value: 0, digits: 0 };

/// The most digits of a size: leading zeros are allowed, as in 16 digits for any 64 bits.
const MAX_DIGITS: u8 = 16;

/// The most bytes of extensions and trailers together.
const MAX_IDLE_BYTES: u32 = 16 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads the bytes cut at these places; returns the body, and whether its end was reached with how many bytes left over.
    fn read(bytes: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, Option<usize>), Violation> {
        let mut chunked = Chunked::default();
        let (mut body, mut at) = (Vec::new(), 0);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([bytes.len()]).collect();
        cuts.sort_unstable();
        for cut in cuts {
            while at < cut && !chunked.is_done() {
                let piece = chunked.advance(&bytes[at..cut])?;
                assert!(piece.framing + piece.data > 0, "no progress at {at}");
                body.extend_from_slice(&bytes[at + piece.framing..at + piece.framing + piece.data]);
                at += piece.framing + piece.data;
            }
        }
        Ok((body, chunked.is_done().then_some(bytes.len() - at)))
    }

    #[test]
    fn bodies_are_what_the_chunks_hold() {
        for (text, body, left) in [
            ("0\r\n\r\n", "", Some(0)),
            ("5\r\nabcde\r\n0\r\n\r\n", "abcde", Some(0)),
            ("A;x=y\r\n0123456789\r\n00\r\n\r\nnext", "0123456789", Some(4)),
            ("1 \r\na\r\n2\r\nbc\r\n0\r\nx: y\r\nz: 1\r\n\r\n", "abc", Some(0)),
            ("5\r\nabcde\r\n", "abcde", None),
            ("5\r\nab", "ab", None),
            ("", "", None),
        ] {
            assert_eq!(read(text.as_bytes(), &[]), Ok((body.as_bytes().to_vec(), left)), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let endless = format!("1;{}", "x".repeat(20_000));
        let zeros = "0".repeat(17);
        for text in [
            "xyz\r\n",
            "\r\n",
            "-1\r\n",
            "5g\r\n",
            "5\nabcde",
            "5;a\nb",
            "5\rx",
            "1\r\nab\r\n",
            "1\r\na\rb",
            "11111111111111111\r\n",
            "0\r\n\n",
            "0\r\nx: y\n\n",
            "0\r\n\rx",
            &endless,
            &zeros,
        ] {
            assert!(read(text.as_bytes(), &[]).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_body_is_the_same_however_it_is_cut(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
            surplus in proptest::collection::vec(any::<u8>(), 0..10),
        ) {
            let mut bytes = Vec::new();
            for chunk in &chunks {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
            bytes.extend(&surplus);
            prop_assert_eq!(read(&bytes, &cuts), Ok((chunks.concat(), Some(surplus.len()))));
        }

        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(
            bytes in "[0-9a-f;x\r\n]{0,60}",
            raw in proptest::collection::vec(any::<u8>(), 0..60),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
        ) {
            for bytes in [bytes.as_bytes(), &raw] {
                prop_assert_eq!(read(bytes, &cuts), read(bytes, &[]));
            }
        }
    }
}
