//! A chunked body means the same however it is cut, and a body that was cut into chunks is what comes out.
#![no_main]

#[path = "../../../crates/e3-http/src/parsing/chunked.rs"]
mod chunked;
#[path = "../../../crates/e3-http/src/parsing/violation.rs"]
mod violation;

use chunked::Chunked;
use e3_fuzz::Input;
use libfuzzer_sys::fuzz_target;
use violation::Violation;

/// Returns the body, whether its end was reached, and how many bytes were used.
fn body<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<(Vec<u8>, bool, usize), Violation> {
    let (mut reader, mut body, mut used) = (Chunked::default(), Vec::new(), 0);
    for mut bytes in pieces {
        while !bytes.is_empty() && !reader.is_done() {
            let piece = reader.advance(bytes)?;
            assert!(piece.framing + piece.data > 0, "every call takes something");
            let (_, rest) = bytes.split_at(piece.framing);
            let (data, rest) = rest.split_at(piece.data);
            body.extend_from_slice(data);
            used += piece.framing + piece.data;
            bytes = rest;
        }
    }
    Ok((body, reader.is_done(), used))
}

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let whole = body(std::iter::once(input.bytes));
    assert_eq!(body(input.pieces()), whole);
    assert_eq!(body(input.bytes.chunks(1)), whole);
    if let Ok((_, true, used)) = whole {
        assert!(matches!(body(std::iter::once(&input.bytes[..used])), Ok((_, true, _))));
        assert!(matches!(body(std::iter::once(&input.bytes[..used - 1])), Ok((_, false, _))));
    }

    let mut chunks = Vec::new();
    for piece in input.pieces().filter(|piece| !piece.is_empty()) {
        chunks.extend_from_slice(format!("{:x};x=y\r\n", piece.len()).as_bytes());
        chunks.extend_from_slice(piece);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\nx-trailer: 1\r\n\r\n");
    assert_eq!(body(chunks.chunks(5)), Ok((input.bytes.to_vec(), true, chunks.len())));
});
