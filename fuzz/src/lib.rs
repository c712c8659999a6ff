//! What the fuzz targets share: an input that says how it is cut, and readers that must not care.
//!
//! Each file of `bin/` is a target: what it reads, and what must hold whatever the bytes are. `seeds/TARGET` holds a few
//! inputs to begin with. `cargo xtask fuzz` builds and runs them.

use e3_git_wire::{AnswerReader, Fault};

/// An input: some bytes, and where they are cut on their way to the reader.
#[derive(Debug)]
pub struct Input<'a> {
    /// What the reader reads.
    pub bytes: &'a [u8],
    cuts: Vec<usize>,
}

impl<'a> Input<'a> {
    /// Reads an input: a number of cuts, as many places of two bytes each, then the bytes.
    pub fn new(data: &'a [u8]) -> Self {
        let (count, rest) =
            data.split_first().map_or((0, data), |(count, rest)| (usize::from(count % 8), rest));
        let (places, bytes) = rest.split_at((2 * count).min(rest.len() / 2 * 2));
        let (places, _) = places.as_chunks::<2>();
        let mut cuts: Vec<_> =
            places.iter().map(|place| usize::from(u16::from_le_bytes(*place)) % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        Self { bytes, cuts }
    }

    /// Returns the bytes as they come: pieces, some of them empty.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> {
        let starts = std::iter::once(0).chain(self.cuts.iter().copied());
        let ends = self.cuts.iter().copied().chain([self.bytes.len()]);
        starts.zip(ends).map(|(start, end)| &self.bytes[start..end])
    }

    /// Reads the bytes as they come, whole, and byte by byte: three times the same must be found.
    pub fn read<R: AnswerReader<Answer: PartialEq + std::fmt::Debug>>(
        &self,
        reader: impl Fn() -> R,
    ) -> Result<R::Answer, Fault> {
        let whole = read(reader(), std::iter::once(self.bytes));
        let cut = read(reader(), self.pieces());
        assert_eq!(shown(&cut), shown(&whole), "cut at {:?}", self.cuts);
        if self.bytes.len() < 2_000 {
            assert_eq!(shown(&read(reader(), self.bytes.chunks(1))), shown(&whole), "byte by byte");
        }
        whole
    }
}

fn read<'a, R: AnswerReader>(
    mut reader: R,
    mut pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<R::Answer, Fault> {
    pieces.try_for_each(|piece| reader.push(piece))?;
    reader.finish()
}

/// Shows what was found; what a message quotes of broken bytes may depend on how many have come.
fn shown<A: std::fmt::Debug>(found: &Result<A, Fault>) -> String {
    match found {
        Err(Fault::Protocol(_)) => "a breach of the protocol".to_owned(),
        found => format!("{found:?}"),
    }
}
