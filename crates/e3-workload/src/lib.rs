//! The contract between a script and the engine that runs it.
//!
//! A [`Script`] makes clients; a client iterates; each iteration performs ops through its [`ClientContext`], which
//! keeps the clock, the draws and the samples. Preparation stays outside the clock, and a script never writes a
//! sample by itself: whatever happens to an op, the context records it exactly once.

mod budget;
mod catalogue;
mod ciphers;
mod conformance;
mod context;
mod failure;
mod lane;
mod needs;
mod op;
mod op_timer;
mod script;
mod setting;
mod sink;

pub use budget::OpBudget;
pub use catalogue::Catalogue;
pub use ciphers::Ciphers;
pub use conformance::check_descriptor;
pub use context::{ClientContext, Load, Seat};
pub use failure::{Failure, Stopped};
pub use lane::{thread_lane, thread_lanes};
pub use needs::check_needs;
pub use op::Measured;
pub use script::{Script, ScriptClient, ScriptError};
pub use setting::{Account, DrawnRepository, RepositoryDraw, Setting};
pub use sink::{SampleSink, SampleSource, sample_channel};
pub use tokio::time::Instant;
