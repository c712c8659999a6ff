//! pkt-lines, git's framing. Source: git's `gitprotocol-common`.

/// One packet of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// `0000`
    Flush,
    /// `0001`
    Delimiter,
    /// Data, without its length and one final newline.
    Line(&'a [u8]),
}

/// What the beginning of a stream holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A packet, and what follows it.
    Packet(Packet<'a>, &'a [u8]),
    /// Not enough of one yet.
    Short,
    /// Nothing that git's protocols v0 and v2 send here.
    Wrong,
}

/// Reads the first packet.
pub(crate) fn parse(data: &[u8]) -> Parsed<'_> {
    let Some((length, rest)) = data.split_at_checked(4) else { return Parsed::Short };
    let length =
        std::str::from_utf8(length).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match length.and_then(|text| usize::from_str_radix(text, 16).ok()) {
        Some(0) => Parsed::Packet(Packet::Flush, rest),
        Some(1) => Parsed::Packet(Packet::Delimiter, rest),
        Some(length @ 4..=LONGEST) => match rest.split_at_checked(length - 4) {
            Some((line, rest)) => {
                Parsed::Packet(Packet::Line(line.strip_suffix(b"\n").unwrap_or(line)), rest)
            }
            None => Parsed::Short,
        },
        _ => Parsed::Wrong,
    }
}

/// Appends a line made of these parts; a newline is the caller's affair. False if it is too long to be one.
pub(crate) fn write(into: &mut Vec<u8>, parts: &[&[u8]]) -> bool {
    let length = parts.iter().map(|part| part.len()).sum::<usize>() + 4;
    if length > LONGEST {
        return false;
    }
    into.extend_from_slice(format!("{length:04x}").as_bytes());
    parts.iter().for_each(|part| into.extend_from_slice(part));
    true
}

/// The packet that ends a list.
pub(crate) const FLUSH: &[u8] = b"0000";
/// Source: `LARGE_PACKET_MAX`.
const LONGEST: usize = 65_520;

/// Returns packets as a client sends them: lines, `|` for a delimiter and `.` for a flush.
#[cfg(test)]
pub(crate) fn request(lines: &[&str]) -> Vec<u8> {
    let mut data = Vec::new();
    for line in lines {
        match *line {
            "|" => data.extend_from_slice(b"0001"),
            "." => data.extend_from_slice(b"0000"),
            line => assert!(write(&mut data, &[line.as_bytes(), b"\n"])),
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packets_are_told_apart() {
        assert_eq!(parse(b"0009done\nrest"), Parsed::Packet(Packet::Line(b"done"), b"rest"));
        assert_eq!(parse(b"0004"), Parsed::Packet(Packet::Line(b""), b""));
        assert_eq!(parse(b"00000001"), Parsed::Packet(Packet::Flush, b"0001"));
        assert_eq!(parse(b"0001"), Parsed::Packet(Packet::Delimiter, b""));
        for short in [&b""[..], b"00", b"0009", b"0009don"] {
            assert_eq!(parse(short), Parsed::Short, "{short:?}");
        }
        for wrong in [&b"0002"[..], b"0003", b"fff1", b"ffff", b"zzzz", b"+123", b" 123", b"\xff\xff\xff\xff"]
        {
            assert_eq!(parse(wrong), Parsed::Wrong, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(parts in proptest::collection::vec("[a-z ]{0,40}", 0..5), tail in "[0-9]{0,9}") {
            let mut data = Vec::new();
            let slices: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            prop_assert!(write(&mut data, &slices));
            data.extend_from_slice(tail.as_bytes());
            let line = parts.concat();
            prop_assert_eq!(parse(&data), Parsed::Packet(Packet::Line(line.as_bytes()), tail.as_bytes()));
        }

        #[test]
        fn no_stream_breaks_the_parser(data in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&data);
        }
    }
}
