//! What an operation moved, and where its time went.

use std::time::Instant;

use e3_model::GitPhases;

use crate::conversation::Exchange;

/// What an operation moved, and where its time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transfer {
    /// When the first byte came that was asked for: of the pack, or of the refs where there is no pack.
    pub first_byte: Option<Instant>,
    /// Bytes of all answers, without what HTTP or SSH put around them.
    pub bytes_in: u64,
    /// Bytes of all requests, likewise.
    pub bytes_out: u64,
    /// Where the time went; connecting and authenticating belong to the advertisement.
    pub phases: GitPhases,
}

impl Transfer {
    /// Counts what an exchange moved.
    pub(crate) fn count(&mut self, bytes_in: u64, bytes_out: u64) {
        self.bytes_in = self.bytes_in.saturating_add(bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(bytes_out);
    }

    /// Notes the phases of the exchange that an operation is about, which was just read to its end.
    pub(crate) fn received<A>(&mut self, started: Instant, exchange: &Exchange<A>) {
        self.first_byte = Some(exchange.begun);
        self.phases.negotiation_ns = nanoseconds(started, exchange.sent);
        self.phases.server_think_ns = nanoseconds(exchange.sent, exchange.begun);
        self.phases.transfer_ns = nanoseconds(exchange.begun, Instant::now());
    }
}

/// Returns the nanoseconds between two instants; 0 if they are in the other order.
pub(crate) fn nanoseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_nanos()).unwrap_or(u64::MAX)
}
