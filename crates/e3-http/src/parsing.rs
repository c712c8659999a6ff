//! What the bytes of HTTP/1 mean: pure functions of bytes, which no connection, clock or task enters.
//!
//! Public so that properties and fuzz targets reach it; no part of what the crate offers.

mod chunked;
mod head;
mod violation;

pub use chunked::{Chunked, Piece};
pub use head::{Framing, Head, MAX_HEAD, parse_head};
pub use violation::Violation;
