//! Statistics: numbers in, numbers out.
//!
//! Percentiles are exact order statistics, never interpolated and never averaged; intervals are two-sided at
//! [`LEVEL`]; tests return a p-value. No clock, no file, no random draw: equal input gives equal bits. Every formula
//! names its source, and its tests name the reference implementation they agree with.

mod chi_square;
mod gamma;
mod histogram;
mod interval;
mod percentile;

pub use chi_square::{ChiSquare, fit, homogeneity};
pub use histogram::LatencyHistogram;
pub use interval::{Interval, LEVEL, poisson_rate, wilson};
pub use percentile::{Quantile, mean, nearest_rank, percentile};
