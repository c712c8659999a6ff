//! The headers of a response, read when they are asked for.

use std::{fmt, str::Utf8Error};

use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of a response as they came; each is looked for only when it is asked for.
#[derive(Clone, Default)]
pub struct Headers {
    lines: Vec<u8>,
}

/// The value of a header, without the blanks around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderText<'a>(&'a [u8]);

impl Headers {
    /// Takes over these lines, each ended by LF or CRLF, which an HTTP parser found sound; empty lines are ignored.
    pub(crate) fn of_lines(lines: Vec<u8>) -> Self {
        Self { lines }
    }

    pub(crate) fn of_map(map: &HeaderMap) -> Self {
        let mut lines = Vec::with_capacity(map.len() * 32);
        for (name, value) in map {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                lines.extend_from_slice(part);
            }
        }
        Self { lines }
    }

    pub(crate) fn into_lines(self) -> Vec<u8> {
        self.lines
    }

    /// Returns the first value of a header, in any case of its name; none if it is absent.
    pub fn get(&self, name: impl AsRef<str>) -> Option<HeaderText<'_>> {
        self.all(name).next()
    }

    /// Returns all values of a header in their order.
    pub fn all(&self, name: impl AsRef<str>) -> impl Iterator<Item = HeaderText<'_>> {
        self.iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_ref()))
            .map(|(_, value)| value)
    }

    /// Returns whether a header is there.
    pub fn contains_key(&self, name: impl AsRef<str>) -> bool {
        self.get(name).is_some()
    }

    /// Returns every header's name, as it was written, and value, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, HeaderText<'_>)> {
        self.lines.split(|byte| *byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            Some((str::from_utf8(name).ok()?, HeaderText(value)))
        })
    }

    /// Returns the headers as a map.
    pub fn to_map(&self) -> HeaderMap {
        let read = |(name, value): (&str, HeaderText<'_>)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        };
        let mut map = HeaderMap::new();
        for (name, value) in self.iter().filter_map(read) {
            map.append(name, value);
        }
        map
    }
}

/// Names only: values may be secrets, such as a session's cookie.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl<'a> HeaderText<'a> {
    /// Returns the value as text.
    ///
    /// # Errors
    /// Fails if it is not UTF-8.
    pub fn to_str(self) -> Result<&'a str, Utf8Error> {
        str::from_utf8(self.0)
    }

    /// Returns the value's bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_whatever_the_case_of_their_names() {
        let lines =
            b"Content-Type: text/html \r\nset-cookie: a=b:c\nSet-Cookie:d\r\nx-odd: \xff\r\nempty:\r\n\r\n";
        let headers = Headers::of_lines(lines.to_vec());
        assert_eq!(headers.get("content-type").unwrap().to_str(), Ok("text/html"));
        let cookies: Vec<_> = headers.all(http::header::SET_COOKIE).map(HeaderText::as_bytes).collect();
        assert_eq!(cookies, [&b"a=b:c"[..], b"d"]);
        assert!(headers.get("x-odd").unwrap().to_str().is_err());
        assert_eq!(headers.get("empty").unwrap().as_bytes(), b"");
        assert!(!headers.contains_key("type") && headers.contains_key("EMPTY"));
        let map = headers.to_map();
        assert_eq!((map.len(), map.get_all("set-cookie").iter().count()), (5, 2));
        assert_eq!(Headers::of_map(&map).to_map(), map);
        assert!(!format!("{headers:?}").contains("a=b"));
    }
}
