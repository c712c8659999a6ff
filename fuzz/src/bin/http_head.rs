//! The head of a response is found when its last byte is there, and means the same whatever follows it.
#![no_main]

#[path = "../../../crates/e3-http/src/parsing/head.rs"]
mod head;
#[path = "../../../crates/e3-http/src/parsing/violation.rs"]
mod violation;

use head::{Framing, parse_head};
use libfuzzer_sys::fuzz_target;
use violation::Violation;

fuzz_target!(|data: &[u8]| {
    for to_head in [false, true] {
        let Ok(Some(head)) = parse_head(data, to_head) else { continue };
        assert!(
            head.length <= data.len()
                && head.fields.end <= head.length
                && head.fields.start <= head.fields.end
        );
        assert_eq!(
            parse_head(&data[..head.length], to_head),
            Ok(Some(head.clone())),
            "what follows is another's"
        );
        // Without its last byte the head is not whole yet.
        for end in 0..head.length {
            assert_eq!(parse_head(&data[..end], to_head), Ok(None), "{end} of {}", head.length);
        }
        if to_head || head.status == 204 || head.status == 304 {
            assert_eq!(head.framing, Framing::Length(0));
        }
        assert!(!head.keeps_alive || head.framing != Framing::UntilClose);
    }
});
