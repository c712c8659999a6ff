//! A response with its whole body.

use std::{
    io::{self, Read},
    time::Instant,
};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, header::CONTENT_ENCODING};

use crate::HttpError;

/// A response with its whole body, as it came over the wire.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code; redirects are not followed.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, still in its content encoding.
    pub body: Bytes,
    /// When the response's head was there.
    pub first_byte: Instant,
    /// How many bytes the body has on the wire.
    pub bytes_in: u64,
    /// How many bytes the request's body had.
    pub bytes_out: u64,
    pub(crate) max_body: usize,
}

impl Response {
    /// Returns a header's value; none if it is absent or no visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the body as text, inflated if it came as gzip; what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// Fails if the encoding is not gzip, the stream is broken, or the text is larger than the request allowed.
    pub fn text(&self) -> Result<String, HttpError> {
        let encoding = self.header(CONTENT_ENCODING.as_str()).unwrap_or_default();
        match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(String::from_utf8_lossy(&self.body).into_owned()),
            "gzip" | "x-gzip" => {
                let plain = self
                    .inflate()
                    .map_err(|source| HttpError::Encoding { encoding: encoding.to_owned(), source })?;
                Ok(String::from_utf8_lossy(&plain).into_owned())
            }
            _ => Err(HttpError::Encoding {
                encoding: encoding.to_owned(),
                source: io::Error::new(io::ErrorKind::Unsupported, "only gzip is understood"),
            }),
        }
    }

    fn inflate(&self) -> io::Result<Vec<u8>> {
        let limit = u64::try_from(self.max_body).unwrap_or(u64::MAX);
        let mut plain = Vec::new();
        let inflated =
            MultiGzDecoder::new(&*self.body).take(limit.saturating_add(1)).read_to_end(&mut plain)?;
        if inflated > self.max_body {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("more than {limit} bytes of text"),
            ));
        }
        Ok(plain)
    }
}
