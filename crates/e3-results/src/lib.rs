//! From what a run recorded to what it means: gather, then analyse.
//!
//! [`gather`] seals the samples of every stage, also of a run that was killed, and lists them with their hashes in
//! results.json. [`analyze`] turns plan, run, results, samples and metrics into analysis.json: every number that the
//! report shows. [`compare_runs`] sets two runs against each other; [`judge_probe`] says, while a run goes on, how one
//! probe of a search came out, by the same numbers. Equal results give a byte-identical analysis: nothing
//! here reads a clock, and every draw follows from the plan's seed.
//!
//! The populations are those of [`e3_model::StageAnalysis`]; what counts as what is written where it is counted.

mod analyze;
mod answer;
mod bounded;
mod capacity;
mod compare;
mod compare_runs;
mod cycle;
mod error;
mod estimate;
mod evidence;
mod gather;
mod headline;
mod latency;
mod load;
mod mix;
mod operations;
mod probe;
mod repeats;
mod search;
mod series;
mod stage;
mod stamp;
mod threshold;
mod timeline;

#[cfg(test)]
mod fixture;

pub use analyze::analyze;
pub use compare_runs::compare_runs;
pub use error::ResultsError;
pub use gather::gather;
pub use probe::judge_probe;
