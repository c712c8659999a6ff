//! The binary as its users run it: real processes, real Git, nothing left behind.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod breakage;
mod commands;
mod idle;
mod kill;
mod node_kill;
mod orchestrate;
mod phases;
mod reset;
mod scripts;
mod support;
mod validate;
