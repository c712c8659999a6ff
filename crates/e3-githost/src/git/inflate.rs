//! Request bodies as git sends them: plain, or compressed with gzip when they are long.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzDecoder;

/// Inflates a body as it arrives, holding no more of it than a few pieces.
pub(super) enum Inflate {
    Plain,
    Gzip(Box<GzDecoder<Vec<u8>>>),
}

impl Inflate {
    /// Chooses by the `Content-Encoding`; none for an encoding that is not served.
    pub(super) fn of(encoding: Option<&[u8]>) -> Option<Self> {
        match encoding {
            None | Some(b"" | b"identity") => Some(Self::Plain),
            Some(b"gzip" | b"x-gzip") => Some(Self::Gzip(Box::new(GzDecoder::new(Vec::new())))),
            Some(_) => None,
        }
    }

    /// Cuts a chunk so small that inflating each piece stays small: gzip expands at most 1032 times.
    ///
    /// Source: zlib's technical details, "Maximum Compression Factor".
    pub(super) fn cut(&self, chunk: &Bytes) -> Vec<Bytes> {
        match self {
            Self::Plain => vec![chunk.clone()],
            Self::Gzip(_) => (0..chunk.len())
                .step_by(PIECE)
                .map(|from| chunk.slice(from..chunk.len().min(from.saturating_add(PIECE))))
                .collect(),
        }
    }

    /// Returns what the piece inflates to; possibly nothing yet.
    pub(super) fn inflate(&mut self, piece: Bytes) -> io::Result<Bytes> {
        match self {
            Self::Plain => Ok(piece),
            Self::Gzip(decoder) => {
                decoder.write_all(&piece)?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
        }
    }

    /// Returns what the whole body inflates to; none if that is too much, or it is broken.
    pub(super) fn whole(mut self, body: &Bytes, most: usize) -> Option<Bytes> {
        let mut whole = Vec::new();
        for piece in self.cut(body) {
            whole.extend_from_slice(&self.inflate(piece).ok()?);
            if whole.len() > most {
                return None;
            }
        }
        whole.extend_from_slice(&self.finish().ok()?);
        Some(whole.into())
    }

    /// Returns the rest after the last piece.
    ///
    /// # Errors
    /// The stream is cut off, or its checksum is wrong.
    pub(super) fn finish(&mut self) -> io::Result<Bytes> {
        match self {
            Self::Plain => Ok(Bytes::new()),
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                Ok(std::mem::take(decoder.get_mut()).into())
            }
        }
    }
}

const PIECE: usize = 4096;

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    /// More than one piece when compressed.
    const BOMB: usize = 6 << 20;

    fn gzip(data: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap().into()
    }

    fn inflate_all(chunks: impl IntoIterator<Item = Bytes>) -> io::Result<(Vec<u8>, usize)> {
        let mut inflate = Inflate::of(Some(b"gzip")).unwrap();
        let (mut whole, mut largest) = (Vec::new(), 0);
        for chunk in chunks {
            for piece in inflate.cut(&chunk) {
                let data = inflate.inflate(piece)?;
                largest = largest.max(data.len());
                whole.extend_from_slice(&data);
            }
        }
        whole.extend_from_slice(&inflate.finish()?);
        Ok((whole, largest))
    }

    #[test]
    fn a_bomb_comes_in_bounded_portions() {
        let (whole, largest) = inflate_all([gzip(&vec![0; BOMB])]).unwrap();
        assert_eq!(whole.len(), BOMB);
        assert!(largest <= PIECE * 1032 + (64 << 10), "{largest}");
    }

    #[test]
    fn a_cut_off_or_wrong_stream_is_an_error() {
        let good = gzip(b"want a lot, have a little");
        assert!(inflate_all([good.slice(..good.len() - 9)]).is_err());
        assert!(inflate_all([Bytes::from_static(b"not gzip at all")]).is_err());
        let mut flipped = good.to_vec();
        let last = flipped.len() - 6;
        flipped[last] ^= 1;
        assert!(inflate_all([flipped.into()]).is_err());
        assert!(Inflate::of(Some(b"br")).is_none());
    }

    proptest! {
        #[test]
        fn inflates_what_was_deflated_however_it_is_chunked(
            data in proptest::collection::vec(any::<u8>(), 0..20_000), step in 1_usize..5000,
        ) {
            let packed = gzip(&data);
            let chunks = (0..packed.len()).step_by(step).map(|at| packed.slice(at..packed.len().min(at + step)));
            prop_assert_eq!(inflate_all(chunks).unwrap().0, data);
        }
    }
}
