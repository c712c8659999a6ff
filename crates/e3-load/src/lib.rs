//! One worker's share of one stage: its clients, their pacing, the recorder and the honesty meter.
//!
//! In comes a [`Share`] of a plan; out go sample batches, each at most one second long, and at the end a
//! [`ShareReport`]. This crate runs whatever scripts it is given and knows nothing of Git hosting.

mod batch;
mod client;
mod error;
mod failures;
mod honesty;
mod pacing;
mod recorder;
mod share;

pub use batch::Batch;
pub use error::LoadError;
pub use pacing::{JobDraw, think};
pub use share::{FailureNote, Share, ShareReport, run};
