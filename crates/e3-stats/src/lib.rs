//! Statistics: numbers in, numbers out.
//!
//! Percentiles are exact order statistics, never interpolated and never averaged; intervals are two-sided at
//! [`LEVEL`]; tests return a p-value. No clock, no file, no draw but from a seed that comes in: equal input gives equal
//! bits. Every formula names its source, and its tests name the reference implementation they agree with, or show by
//! simulation how often the truth lies within.

mod block;
mod bootstrap;
mod chi_square;
mod draws;
mod gamma;
mod histogram;
mod interval;
mod multiple;
mod normal;
mod percentile;
mod random;
mod rate;
mod search;

#[cfg(test)]
mod simulation;

pub use block::{SLOTS, block_dispersion, block_length, slot_of};
pub use bootstrap::{Slotted, StageValues, percentile_draws};
pub use chi_square::{ChiSquare, fit, homogeneity};
pub use draws::{Draws, REPLICATES, Ratio};
pub use histogram::LatencyHistogram;
pub use interval::{Interval, LEVEL, poisson_rate, share_difference, wilson};
pub use multiple::discoveries;
pub use percentile::{Quantile, mean, nearest_rank, percentile};
pub use rate::{rate_draws, student_factor};
pub use search::{SearchState, search};
