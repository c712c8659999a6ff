//! The binary as its users run it: real processes, real Git, nothing left behind.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

mod breakage;
mod clock;
mod commands;
mod disk_full;
mod idle;
mod kill;
mod library;
mod load;
mod node_kill;
mod open_load;
mod orchestrate;
mod phases;
mod rehearsal;
mod reset;
mod scripts;
mod search;
mod support;
mod surface;
mod validate;
mod ways;
