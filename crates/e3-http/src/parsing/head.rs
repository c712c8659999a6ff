//! The head of a response: its status, and how its body ends.

use std::{mem::MaybeUninit, ops::Range};

use httparse::{Header, ParserConfig, Status};

use super::Violation;

/// The head of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the server lets the connection carry another exchange.
    pub keeps_alive: bool,
    /// Whether it sets cookies.
    pub sets_cookies: bool,
    /// Where the header lines are in the parsed bytes.
    pub fields: Range<usize>,
    /// How many bytes the head has.
    pub length: usize,
}

/// How the end of a body is told.
///
/// Source: RFC 9112, section 6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes; 0 where there is no body.
    Length(u64),
    /// By a chunk of length 0.
    Chunked,
    /// By the connection's end.
    UntilClose,
}

/// Returns the head at the start of these bytes; none if its end is not among them. `to_head` says that a HEAD request is
/// answered.
///
/// # Errors
/// Fails if the bytes begin no response, or its headers contradict each other on where its body ends.
pub fn parse_head(bytes: &[u8], to_head: bool) -> Result<Option<Head>, Violation> {
    let mut headers = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut headers);
    let length = match parsed {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if bytes.len() >= MAX_HEAD => {
            return Err(Violation::new("its head does not end"));
        }
        Ok(Status::Partial) => return Ok(None),
        Err(error) => return Err(Violation::new(format!("the head of its answer is malformed: {error}"))),
    };
    let status = response.code.unwrap_or_default();
    let mut seen = Seen::default();
    for header in response.headers.iter() {
        seen.note(header)?;
    }
    let version_keeps = response.version == Some(1);
    let framing = seen.framing(status, to_head);
    // A message that has both lengths may be two messages to another reader of the connection.
    let is_ambiguous = seen.coding.is_some() && seen.length.is_some();
    Ok(Some(Head {
        status,
        framing,
        keeps_alive: framing != Framing::UntilClose
            && !seen.close
            && !is_ambiguous
            && (version_keeps || seen.keep_alive),
        sets_cookies: seen.cookies,
        fields: fields_start(bytes)..length,
        length,
    }))
}

/// What the headers say of the message and its connection.
#[derive(Default)]
struct Seen {
    length: Option<u64>,
    /// Whether the last transfer coding is `chunked`; none if there is no coding.
    coding: Option<bool>,
    close: bool,
    keep_alive: bool,
    cookies: bool,
}

impl Seen {
    fn note(&mut self, header: &Header<'_>) -> Result<(), Violation> {
        // Most headers have none of these lengths, so names are seldom compared.
        match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => {
                for token in tokens(header.value) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            10 if header.name.eq_ignore_ascii_case("set-cookie") => self.cookies = true,
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                // One field may hold the same length several times, as may several fields.
                for token in header.value.split(|byte| *byte == b',') {
                    let length = decimal(token.trim_ascii())
                        .ok_or_else(|| Violation::new("its Content-Length is no number"))?;
                    if self.length.is_some_and(|known| known != length) {
                        return Err(Violation::new("it names two different lengths of its body"));
                    }
                    self.length = Some(length);
                }
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                let last = tokens(header.value).last().unwrap_or_default();
                self.coding = Some(last.eq_ignore_ascii_case(b"chunked"));
            }
            _ => {}
        }
        Ok(())
    }

    fn framing(&self, status: u16, to_head: bool) -> Framing {
        if to_head || matches!(status, 100..=199 | 204 | 304) {
            return Framing::Length(0);
        }
        match (self.coding, self.length) {
            (Some(true), _) => Framing::Chunked,
            (Some(false), _) | (None, None) => Framing::UntilClose,
            (None, Some(length)) => Framing::Length(length),
        }
    }
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Returns where the first header line begins: behind the status line, before which a server may send empty lines.
fn fields_start(bytes: &[u8]) -> usize {
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or_default();
    let line = bytes.iter().skip(begin).position(|byte| *byte == b'\n').unwrap_or_default();
    begin + line + 1
}

/// The most bytes that a head may have.
pub const MAX_HEAD: usize = 64 << 10;

/// The most headers that a head may have.
const MAX_HEADERS: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(lines: &str) -> Head {
        parse_head(format!("HTTP/1.1 {lines}\r\n\r\n").as_bytes(), false).unwrap().unwrap()
    }

    #[test]
    fn the_end_of_the_body_is_told_as_rfc_9112_says() {
        use Framing::{Chunked, Length, UntilClose};
        for (lines, framing, keeps_alive) in [
            ("200 OK\r\ncontent-length: 12", Length(12), true),
            ("200 OK\r\nContent-Length: 7, 7\r\ncontent-length: 7", Length(7), true),
            ("200 OK", UntilClose, false),
            ("204 No Content", Length(0), true),
            ("304 Not Modified\r\ncontent-length: 500", Length(0), true),
            ("200 OK\r\ntransfer-encoding: chunked", Chunked, true),
            ("200 OK\r\ntransfer-encoding: gzip, Chunked", Chunked, true),
            ("200 OK\r\ntransfer-encoding: chunked, gzip", UntilClose, false),
            // Another reader might believe the length: the connection cannot be trusted after this.
            ("200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5", Chunked, false),
            ("200 OK\r\ncontent-length: 1\r\nconnection: x, Close", Length(1), false),
        ] {
            let head = head(lines);
            assert_eq!((head.framing, head.keeps_alive), (framing, keeps_alive), "{lines}");
        }
        let old = |lines: &str| {
            parse_head(format!("HTTP/1.0 200 OK\r\n{lines}\r\n\r\n").as_bytes(), false).unwrap().unwrap()
        };
        assert!(!old("content-length: 1").keeps_alive);
        assert!(old("content-length: 1\r\nconnection: keep-alive").keeps_alive);
        let to_head = parse_head(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", true).unwrap().unwrap();
        assert_eq!((to_head.framing, to_head.keeps_alive), (Length(0), true));
    }

    #[test]
    fn fields_are_what_stands_between_the_status_line_and_the_body() {
        let bytes = b"\r\nHTTP/1.1 200 a: b\r\nSet-Cookie: x\r\n\r\nbody";
        let head = parse_head(bytes, false).unwrap().unwrap();
        assert_eq!(&bytes[head.fields.clone()], b"Set-Cookie: x\r\n\r\n");
        assert_eq!((&bytes[head.length..], head.sets_cookies), (&b"body"[..], true));
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for text in [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        ] {
            assert!(parse_head(text.as_bytes(), false).is_err(), "{text:?}");
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(MAX_HEADERS + 1));
        assert!(parse_head(many.as_bytes(), false).is_err());
        let endless = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(MAX_HEAD));
        assert!(parse_head(endless.as_bytes(), false).is_err());
    }

    proptest! {
        /// A head means the same when more bytes follow, and nothing before it is whole.
        #[test]
        fn a_head_means_the_same_however_it_is_cut(
            status in 200_u16..600,
            names in proptest::collection::vec("[A-Za-z-]{1,20}", 0..6),
            value in "[ -~]{0,30}",
            body in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let fields: String = names.iter().map(|name| format!("x{name}: {value}\r\n")).collect();
            let text = format!("HTTP/1.1 {status} Some reason\r\n{fields}content-length: 5\r\n\r\n");
            let mut bytes = text.clone().into_bytes();
            bytes.extend(&body);
            let whole = parse_head(&bytes, false).unwrap().unwrap();
            prop_assert_eq!((whole.status, whole.length), (status, text.len()));
            for cut in 0..bytes.len() {
                let found = parse_head(&bytes[..cut], false).unwrap();
                prop_assert_eq!(found, (cut >= text.len()).then(|| whole.clone()));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), to_head: bool) {
            let _ = parse_head(&bytes, to_head);
            let _ = parse_head(&[b"HTTP/1.1 200 OK\r\n", bytes.as_slice()].concat(), to_head);
        }
    }
}
