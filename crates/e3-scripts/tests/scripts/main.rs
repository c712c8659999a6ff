//! Every script against servers on loopback: what it asks, in which order, and what it measures.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod catalogue;
mod descriptions;
mod fetches;
mod git;
mod http;
mod needs;
mod orders;
mod personas;
mod site;
mod versions;
mod workflow;
