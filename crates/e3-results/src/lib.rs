//! From what a run recorded to what it means: gather, then analyse.
//!
//! [`gather`] seals the samples of every stage, also of a run that was killed, and lists them with their hashes in
//! results.json. [`analyze`] turns plan, run, results and samples into analysis.json: every number that the report
//! shows. Equal results give a byte-identical analysis: nothing here reads a clock or draws a random number.
//!
//! The populations are those of [`e3_model::StageAnalysis`]; what counts as what is written where it is counted.

mod analyze;
mod cycle;
mod error;
mod gather;
mod headline;
mod mix;
mod operations;
mod stage;
mod stamp;
mod timeline;

#[cfg(test)]
mod fixture;

pub use analyze::analyze;
pub use error::ResultsError;
pub use gather::gather;
