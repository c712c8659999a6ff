//! Three streams in one: the pack, progress for people, and the error that ends both.
//!
//! Source: gitprotocol-pack(5), section Packfile Data.

use crate::fault::Fault;

/// Tells the bands apart; progress is dropped, an error is held until it is whole.
#[derive(Debug, Default)]
pub struct Demultiplexer {
    band: u8,
    error: Vec<u8>,
}

impl Demultiplexer {
    /// Takes a piece of a line and returns the bytes of the pack in it.
    ///
    /// # Errors
    /// Fails with the server's words when a whole error has come, or if the band is unknown.
    pub fn piece<'a>(&mut self, bytes: &'a [u8], first: bool, last: bool) -> Result<&'a [u8], Fault> {
        let bytes = if first {
            let (band, rest) = bytes.split_first().ok_or_else(|| Fault::unexpected(b"", "a band"))?;
            self.band = *band;
            rest
        } else {
            bytes
        };
        match self.band {
            PACK => Ok(bytes),
            PROGRESS => Ok(&[]),
            ERROR => {
                let room = LONGEST_ERROR.saturating_sub(self.error.len());
                self.error.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                if last { Err(Fault::remote(&self.error)) } else { Ok(&[]) }
            }
            band => Err(Fault::Protocol(format!("band {band} instead of 1, 2 or 3"))),
        }
    }
}

const PACK: u8 = 1;
const PROGRESS: u8 = 2;
const ERROR: u8 = 3;

const LONGEST_ERROR: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_the_pack_drops_progress_and_holds_errors() {
        let mut bands = Demultiplexer::default();
        assert_eq!(bands.piece(b"\x01PA", true, false).unwrap(), b"PA");
        assert_eq!(bands.piece(b"CK", false, true).unwrap(), b"CK");
        assert_eq!(bands.piece(b"\x01", true, true).unwrap(), b"");
        assert_eq!(bands.piece(b"\x02Counting", true, true).unwrap(), b"");
        assert_eq!(bands.piece(b"\x03fatal: ", true, false).unwrap(), b"");
        assert_eq!(
            bands.piece(b"disk full\n", false, true),
            Err(Fault::Remote("fatal: disk full".to_owned()))
        );
    }

    #[test]
    fn a_line_without_a_known_band_is_refused() {
        for line in [&b""[..], b"\x00x", b"\x04x", b"PACK"] {
            assert!(
                matches!(Demultiplexer::default().piece(line, true, true), Err(Fault::Protocol(_))),
                "{line:?}"
            );
        }
    }

    #[test]
    fn an_endless_error_takes_bounded_memory() {
        let mut bands = Demultiplexer::default();
        bands.piece(b"\x03", true, false).unwrap();
        for _ in 0..1000 {
            bands.piece(&[b'x'; 1000], false, false).unwrap();
        }
        assert_eq!(bands.error.len(), LONGEST_ERROR);
    }
}
