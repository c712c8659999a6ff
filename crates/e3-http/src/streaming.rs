//! A response whose body is still coming.

use std::time::Instant;

use bytes::Bytes;

use crate::{
    BaseUrl, HttpError,
    connection::{Answer, Connection},
    headers::Headers,
};

/// A response whose body is still coming.
///
/// The connection goes back to the session when the body is drained; dropping this earlier closes it.
pub struct Streaming<'a> {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    base: &'a BaseUrl,
    kept: &'a mut Option<Connection>,
    /// None once the body ended or broke.
    connection: Option<Connection>,
    /// Whether the connection may carry another exchange.
    keeps: bool,
    announced: Option<u64>,
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
        (connection, answer): (Connection, Answer),
        keeps: bool,
        bytes_out: u64,
    ) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers,
            base,
            kept,
            connection: Some(connection),
            keeps,
            announced: answer.announced,
            sent_at: answer.sent_at,
            head_at: answer.head_at,
            first_byte: None,
            bytes_in: 0,
            bytes_out,
        }
    }

    /// Returns the next piece of the body where it was read to, never empty; none at the body's end, however often one asks.
    ///
    /// # Errors
    /// Fails if the connection breaks before the body's end, or its framing is malformed.
    ///
    /// # Cancellation
    /// A future that is dropped before its end loses nothing.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, HttpError> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        let (length, waited) = match connection.next().await {
            Ok(Some(next)) => next,
            Ok(None) => {
                self.finish();
                return Ok(None);
            }
            Err(error) => {
                self.connection = None;
                return Err(HttpError::of_exchange(self.base.authority(), error));
            }
        };
        if self.first_byte.is_none() {
            // What came with the head came when the head did.
            self.first_byte = Some(if waited { Instant::now() } else { self.head_at });
        }
        self.bytes_in = self.bytes_in.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Ok(self.connection.as_ref().map(Connection::piece))
    }

    /// Returns the next piece of the body as [`Streaming::next`] does, in memory of its own.
    ///
    /// # Errors
    /// As [`Streaming::next`] does.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        Ok(self.next().await?.map(Bytes::copy_from_slice))
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

    /// Returns the length that the server announced, in bytes; none if it did not.
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// Gives the connection back, if the exchange is over for both sides.
    fn finish(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && self.keeps
            && connection.rest()
        {
            *self.kept = Some(connection);
        }
    }
}

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        if self.connection.as_ref().is_some_and(Connection::is_drained) {
            self.finish();
        }
        if let Some(kept) = self.kept {
            kept.recycle(std::mem::take(&mut self.headers));
        }
    }
}
