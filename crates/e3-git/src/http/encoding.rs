//! Compressed bodies, in both directions.
//!
//! Source: RFC 9110, section 8.4.1, where `deflate` means the zlib format; `post_rpc` in git's remote-curl.c for requests.

use std::io::{self, Write};

use e3_git_wire::{AnswerReader, Fault, gzip};
use flate2::write::{MultiGzDecoder, ZlibDecoder};

/// What a client can inflate.
pub(super) const ACCEPTED: &str = "deflate, gzip";

/// Returns a request's body compressed, if git would compress it.
pub(super) fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    (body.len() > LARGEST_PLAIN).then(|| gzip(body))
}

/// Hands the plain bytes of an answer to its reader as they come; holds no more of them than a decoder's window.
pub(super) enum Plain<R: AnswerReader> {
    Same(R),
    Gzip(MultiGzDecoder<Outlet<R>>),
    Deflate(ZlibDecoder<Outlet<R>>),
}

/// What is wrong with a body.
#[derive(Debug)]
pub(super) enum Wrong {
    /// What it says.
    Fault(Fault),
    /// Its compression.
    Encoding(io::Error),
}

/// Where a decoder writes to.
pub(super) struct Outlet<R> {
    reader: R,
    fault: Option<Fault>,
}

impl<R: AnswerReader> Plain<R> {
    /// Returns what decodes that content encoding; `""` is none.
    pub(super) fn new(encoding: &str, reader: R) -> Result<Self, io::Error> {
        let outlet = |reader| Outlet { reader, fault: None };
        match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Same(reader)),
            "gzip" | "x-gzip" => Ok(Self::Gzip(MultiGzDecoder::new(outlet(reader)))),
            "deflate" => Ok(Self::Deflate(ZlibDecoder::new(outlet(reader)))),
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, "only gzip and deflate are understood")),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        match self {
            Self::Same(reader) => reader.push(bytes).map_err(Wrong::Fault),
            Self::Gzip(decoder) => {
                let written = decoder.write_all(bytes);
                decoder.get_mut().check(written)
            }
            Self::Deflate(decoder) => {
                let written = decoder.write_all(bytes);
                decoder.get_mut().check(written)
            }
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        match self {
            Self::Same(reader) => reader.has_begun(),
            Self::Gzip(decoder) => decoder.get_ref().reader.has_begun(),
            Self::Deflate(decoder) => decoder.get_ref().reader.has_begun(),
        }
    }

    pub(super) fn finish(self) -> Result<R::Answer, Wrong> {
        let outlet = match self {
            Self::Same(reader) => return reader.finish().map_err(Wrong::Fault),
            Self::Gzip(mut decoder) => {
                let ended = decoder.try_finish();
                decoder.get_mut().check(ended)?;
                decoder.finish()
            }
            Self::Deflate(mut decoder) => {
                let ended = decoder.try_finish();
                decoder.get_mut().check(ended)?;
                decoder.finish()
            }
        };
        outlet.map_err(Wrong::Encoding)?.reader.finish().map_err(Wrong::Fault)
    }
}

impl<R> Outlet<R> {
    /// What the reader found is why the decoder could not go on.
    fn check(&mut self, written: io::Result<()>) -> Result<(), Wrong> {
        match (self.fault.take(), written) {
            (Some(fault), _) => Err(Wrong::Fault(fault)),
            (None, Err(error)) => Err(Wrong::Encoding(error)),
            (None, Ok(())) => Ok(()),
        }
    }
}

impl<R: AnswerReader> Write for Outlet<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.reader.push(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(fault) => {
                self.fault = Some(fault);
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const LARGEST_PLAIN: usize = 1024;

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    /// Counts bytes, and has had enough of them at some point.
    struct Counter {
        left: usize,
    }

    impl AnswerReader for Counter {
        type Answer = usize;

        fn push(&mut self, bytes: &[u8]) -> Result<(), Fault> {
            self.left = self.left.checked_sub(bytes.len()).ok_or(Fault::Truncated("its patience"))?;
            Ok(())
        }

        fn is_complete(&self) -> bool {
            false
        }

        fn finish(self) -> Result<usize, Fault> {
            Ok(self.left)
        }
    }

    fn read(encoding: &str, body: &[u8], left: usize) -> Result<usize, Wrong> {
        let mut plain = Plain::new(encoding, Counter { left }).unwrap();
        body.chunks(7).try_for_each(|chunk| plain.push(chunk))?;
        plain.finish()
    }

    #[test]
    fn answers_are_inflated_as_they_come() {
        let text = [b'x'; 5000];
        let gzip = compressed(&text).unwrap();
        let mut deflate = ZlibEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(&text).unwrap();
        let deflate = deflate.finish().unwrap();
        for (encoding, body) in
            [("gzip", &gzip[..]), ("X-GZIP", &gzip), ("deflate", &deflate), ("", &text), ("identity", &text)]
        {
            assert_eq!(read(encoding, body, 6000).unwrap(), 1000, "{encoding}");
            // What its reader refuses is the reader's to name.
            assert!(
                matches!(read(encoding, body, 4000), Err(Wrong::Fault(Fault::Truncated(_)))),
                "{encoding}"
            );
        }
        for (encoding, body) in
            [("gzip", &gzip[..gzip.len() - 1]), ("gzip", b"<html>"), ("deflate", &deflate[..9])]
        {
            assert!(matches!(read(encoding, body, 6000), Err(Wrong::Encoding(_))), "{encoding}");
        }
        assert!(Plain::new("br", Counter { left: 0 }).is_err());
    }

    #[test]
    fn only_long_requests_are_compressed() {
        assert_eq!(compressed(&[0; 1024]), None);
        assert!(compressed(&[0; 1025]).is_some_and(|body| body.len() < 100));
    }
}
