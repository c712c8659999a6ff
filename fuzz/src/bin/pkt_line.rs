//! Packets mean the same however they are cut, and what was read is what was written.
#![no_main]

use e3_fuzz::Input;
use e3_git_wire::{Decoder, Piece};
use libfuzzer_sys::fuzz_target;

/// Returns the packets as they would be written, and whether the stream was sound.
fn rewritten<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, bool, bool) {
    let (mut decoder, mut line, mut written) = (Decoder::default(), Vec::new(), Vec::new());
    for mut input in pieces {
        loop {
            match decoder.next(&mut input) {
                Ok(Some(Piece::Flush)) => written.extend_from_slice(b"0000"),
                Ok(Some(Piece::Delimiter)) => written.extend_from_slice(b"0001"),
                Ok(Some(Piece::ResponseEnd)) => written.extend_from_slice(b"0002"),
                Ok(Some(Piece::Data { bytes, first, last })) => {
                    assert_eq!(first, line.is_empty(), "a line begins once");
                    line.extend_from_slice(bytes);
                    if last {
                        written.extend_from_slice(format!("{:04x}", line.len() + 4).as_bytes());
                        written.append(&mut line);
                    }
                }
                Ok(None) => break,
                Err(_) => return (written, false, false),
            }
        }
        assert!(input.is_empty(), "all of a piece is taken");
    }
    (written, true, decoder.is_between_packets())
}

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let whole = rewritten(std::iter::once(input.bytes));
    assert_eq!(rewritten(input.pieces()), whole);
    let (written, is_sound, is_between) = whole;
    let read = &input.bytes[..written.len()];
    assert!(read.eq_ignore_ascii_case(&written) || read.to_ascii_lowercase() == written.to_ascii_lowercase());
    if is_sound && is_between {
        assert_eq!(written.len(), input.bytes.len(), "nothing is lost");
    }
});
