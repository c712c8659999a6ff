//! Deflating: the contents of a pack, and long requests.

use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress, Status};

thread_local! {
    /// What a compressor works in is hundreds of kilobytes. To clear it takes longer than most objects do, and to ask
    /// for it and give it back each time leaves an allocator's memory in pieces: so each thread keeps its own.
    static ZLIB: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), true));
    static GZIP: RefCell<Compress> = RefCell::new(Compress::new_gzip(Compression::fast(), LARGEST_WINDOW));
}

/// Appends a content in the zlib format.
pub(crate) fn zlib(content: &[u8], out: &mut Vec<u8>) {
    ZLIB.with_borrow_mut(|compress| deflate(compress, content, out));
}

/// Returns a body in the gzip format.
pub fn gzip(body: &[u8]) -> Vec<u8> {
    // Requests are mostly ids, of which half their digits are left at any level.
    let mut out = Vec::with_capacity(body.len() / 2 + SLACK);
    GZIP.with_borrow_mut(|compress| deflate(compress, body, &mut out));
    out
}

fn deflate(compress: &mut Compress, content: &[u8], out: &mut Vec<u8>) {
    compress.reset();
    let mut status = Status::Ok;
    while status != Status::StreamEnd {
        let taken = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let rest = content.get(taken..).unwrap_or_default();
        // As much as what cannot be deflated takes, nearly always.
        out.reserve(rest.len() + rest.len() / 512 + SLACK);
        let deflated = compress.compress_vec(rest, out, FlushCompress::Finish);
        status = deflated.expect("a stream that was begun anew goes on");
    }
}

/// Source: RFC 1950, section 2.2: 2^15 bytes are the most.
const LARGEST_WINDOW: u8 = 15;
/// Room for a header, a trailer and the frame of a block.
const SLACK: usize = 64;

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::{GzDecoder, ZlibDecoder};
    use sha1::{Digest as _, Sha1};

    use super::*;

    #[test]
    fn each_content_is_deflated_by_itself_whatever_its_size() {
        // Bytes that cannot be deflated take more room than they have.
        let noise: Vec<u8> = (0..20_000_u32).flat_map(|number| Sha1::digest(number.to_be_bytes())).collect();
        let texts = [Vec::new(), b"a\n".to_vec(), b"a\n".repeat(100_000), noise, b"a\n".to_vec()];
        for text in &texts {
            let mut out = b"before".to_vec();
            zlib(text, &mut out);
            let mut inflated = Vec::new();
            ZlibDecoder::new(&out[6..]).read_to_end(&mut inflated).unwrap();
            assert!(out.starts_with(b"before") && inflated == *text, "zlib, {} bytes", text.len());
            inflated.clear();
            GzDecoder::new(&*gzip(text)).read_to_end(&mut inflated).unwrap();
            assert!(inflated == *text, "gzip, {} bytes", text.len());
        }
        let of = |text: &[u8]| (gzip(text), text.len());
        assert_eq!(of(&texts[1]), of(&texts[4]), "nothing is left of what came before");
    }
}
