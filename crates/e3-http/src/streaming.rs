//! A response whose body is still coming.

use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::{BaseUrl, HttpError, connection::Connection};

/// A response whose body is still coming.
///
/// The connection goes back to the session when the body is drained; dropping this earlier closes it.
pub struct Streaming<'a> {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    base: &'a BaseUrl,
    kept: &'a mut Option<Connection>,
    connection: Option<Connection>,
    body: Incoming,
    sent_at: Instant,
    head_at: Instant,
    first_byte: Option<Instant>,
    bytes_in: u64,
    bytes_out: u64,
}

impl<'a> Streaming<'a> {
    pub(crate) fn new(
        base: &'a BaseUrl,
        kept: &'a mut Option<Connection>,
        connection: Connection,
        response: http::Response<Incoming>,
        bytes_out: u64,
    ) -> Self {
        let head_at = Instant::now();
        let (head, body) = response.into_parts();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            base,
            kept,
            sent_at: connection.trace.last_write(),
            connection: Some(connection),
            body,
            head_at,
            first_byte: None,
            bytes_in: 0,
            bytes_out,
        }
    }

    /// Returns the next piece of the body, never empty; none at its end, however often one asks.
    ///
    /// # Errors
    /// Fails if the connection breaks before the body's end, or its chunks are malformed.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        while self.connection.is_some() {
            match self.body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => {
                        self.first_byte.get_or_insert_with(Instant::now);
                        self.bytes_in =
                            self.bytes_in.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
                        return Ok(Some(data));
                    }
                    // Trailers say nothing that a client of this house reads.
                    Ok(_) | Err(_) => {}
                },
                Some(Err(source)) => {
                    self.connection = None;
                    return Err(HttpError::of_exchange(self.base.authority(), source));
                }
                None => *self.kept = self.connection.take(),
            }
        }
        Ok(None)
    }

    /// Returns when the request's last byte was handed to the operating system.
    pub fn sent_at(&self) -> Instant {
        self.sent_at
    }

    /// Returns when the response's head was there.
    pub fn head_at(&self) -> Instant {
        self.head_at
    }

    /// Returns when the first byte of the body came; none before it did.
    pub fn first_byte(&self) -> Option<Instant> {
        self.first_byte
    }

    /// Returns how many bytes of the body have come, without the framing of chunks.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Returns how many bytes the request's body had.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// Returns the length that the server announced; none if it did not.
    pub(crate) fn announced(&self) -> Option<usize> {
        self.body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
    }
}

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.body.is_end_stream()
        {
            *self.kept = Some(connection);
        }
    }
}
