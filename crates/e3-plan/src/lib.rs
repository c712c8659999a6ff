//! From an experiment to a plan, or to everything that is wrong with it.
//!
//! In: the text of an experiment, and a [`Library`] of the workloads, snapshots and scripts it may name. Out: findings,
//! each with line and column, and, when none of them is an error, a plan in which every client of every stage has its
//! worker, job, seed and start.
//!
//! A document is read in steps: syntax, duplicate keys, schema, types; then the rules under `check/` look at what it
//! means, one rule a file. All steps that can still say something do, so that a user sees all findings at once.
//! Everything here is a pure function: no clock, no file, no network; no input makes it panic.

mod allowed;
mod arguments;
mod assign;
mod build;
mod check;
mod context;
mod document;
mod explain;
mod format;
mod library;
mod load_model;
mod long_span;
mod one_stage;
mod placement;
mod plan;
mod pointer;
mod probe;
mod render;
mod report;
mod rounds;
mod search;
mod syntax;
mod table;
mod threshold;
mod tree;
mod violation;
mod words;

pub use e3_model::Kind;
pub use explain::explain;
pub use library::{Library, Source};
pub use one_stage::{OneStage, one_stage};
pub use placement::providers;
pub use plan::{Planned, plan};
pub use probe::{probe, with_probes};
pub use render::render;

#[cfg(test)]
mod tests;
