//! What an operation moved, and where its time went.

use std::time::Instant;

use e3_http::Streaming;
use e3_model::GitPhases;

/// What an operation moved, and where its time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transfer {
    /// When the first byte came that was asked for: of the pack, or of the refs where there is no pack.
    pub first_byte: Option<Instant>,
    /// Bytes of all answers' bodies.
    pub bytes_in: u64,
    /// Bytes of all requests' bodies.
    pub bytes_out: u64,
    /// Where the time went.
    pub phases: GitPhases,
}

impl Transfer {
    /// Counts an exchange whose body was read.
    pub(crate) fn count(&mut self, exchange: &Streaming<'_>) {
        self.bytes_in = self.bytes_in.saturating_add(exchange.bytes_in());
        self.bytes_out = self.bytes_out.saturating_add(exchange.bytes_out());
    }
}

/// Returns the nanoseconds between two instants; 0 if they are in the other order.
pub(crate) fn nanoseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}
