//! Whether the engine tells the truth: servers of known behaviour, in simulated time, against what follows from theory.
//!
//! In simulated time the runtime's timers still count whole milliseconds, so that service times and distances between
//! constant arrivals are whole milliseconds here.

#![expect(clippy::unwrap_used, reason = "a truth test that panics has failed, and says where")]

mod bound;
mod open;
mod poisson;
mod service_times;
mod shares;
mod stall;
mod throttled;
mod world;
