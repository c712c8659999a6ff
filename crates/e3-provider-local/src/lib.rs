//! Systems under test on this machine: githost nodes on loopback behind E3's round-robin front.
//!
//! In: how many nodes, and where they may write. Out: one URL for HTTP, one for SSH, and behind them n processes that
//! share one home. A reset stops them all and starts them where they were, for a restore on a copy of the loaded home.
//! Every process is this e3's own program, carries a mark, and is in the journal before it runs.
//!
//! This crate never signals a process that it cannot prove to be one of those.

mod copy;
mod disturb;
mod git;
mod provider;
mod remove;
mod start;
mod status;
mod system;

pub use disturb::FaultSwitch;
pub use provider::{Bounds, LocalProvider};
