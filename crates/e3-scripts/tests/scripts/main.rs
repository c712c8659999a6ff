//! Every script against servers on loopback: what it asks, in which order, and what it measures.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod catalogue;
mod git;
mod http;
mod orders;
mod site;
mod workflow;
