//! One worker's share of one stage: its clients, their pacing, the recorder and the honesty meter.
//!
//! In comes a [`Share`] of a plan; out go sample batches, each at most one second long, and at the end a
//! [`ShareReport`]. In the closed model clients pace themselves; in the open model a [`Schedule`] says when iterations
//! are due, and a dispatcher calls clients for them, late rather than never. This crate runs whatever scripts it is given
//! and knows nothing of Git hosting.

mod alarm;
mod batch;
mod client;
mod cut;
mod dispatcher;
mod error;
mod failures;
mod honesty;
mod lag;
mod pacing;
mod pool;
mod recorder;
mod schedule;
mod share;

pub use batch::Batch;
pub use error::LoadError;
pub use pacing::{JobDraw, think};
pub use schedule::{Due, Schedule};
pub use share::{FailureNote, Share, ShareReport, run};
