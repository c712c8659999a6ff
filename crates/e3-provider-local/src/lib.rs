//! Systems under test on this machine: githost nodes on loopback behind E3's round-robin front.
//!
//! In: how many nodes, and where they may write. Out: one URL, and behind it n processes that share one home.
//! Every process is this e3's own program, carries a mark, and is in the journal before it runs.
//!
//! This crate never signals a process that it cannot prove to be one of those.

mod git;
mod provider;
mod remove;
mod start;
mod status;

pub use provider::{Bounds, LocalProvider};
