//! Metrics: what machines, processes and products say about themselves while a stage runs.
//!
//! In come [`Targets`]; a [`MetricSource`] reads what there is to read about them, and a [`Collector`] asks each source
//! once per interval, from the stage's start to its end, and writes what it hears beside the stage's samples. What a
//! source counts is handed on as a rate over the time since its last reading, on the monotonic clock. A reading that
//! could not be made is a gap, never a zero; a source that fails is noted and fails nothing.
//!
//! A source is one file under `sources/`, registered by one line in [`all`]. It must never wait without a bound, and
//! never hold up the runtime that the clients run on.

mod collector;
mod counter;
mod error;
mod readout;
mod source;
mod sources;
mod store;
mod targets;

pub use collector::{Collected, Collection, Collector, Noted};
pub use error::MetricsError;
pub use readout::{Observation, Readout};
pub use source::{MetricSource, SourceKind};
pub use sources::all;
pub use sources::prometheus::exposition::{Exposition, Kind, Mistake, Sample, parse};
pub use targets::{Endpoint, Targets, WatchedProcess};
