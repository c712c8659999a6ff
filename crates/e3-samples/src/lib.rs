//! Samples on disk: Arrow IPC segments while a stage runs, one Parquet file when it has ended.
//!
//! In come [`Sample`](e3_model::Sample)s and the [`Names`] of their stage; out come files that explain themselves:
//! scripts, ops and outcomes are written by name, so DuckDB and pandas read them without E3. A segment appears whole or
//! not at all, and sealing can be killed at any point and repeated: no sample is lost or counted twice.
//!
//! The columns are those of [`COLUMNS`]. A stage's directory holds `segments/worker-001-000001.arrow`, … while it
//! runs, and `samples.parquet` once it is sealed. [`Reading`](e3_model::Reading)s go the same way, from
//! `metric-segments/` to `metrics.parquet`, with the columns of [`METRIC_COLUMNS`].

mod batch;
mod columns;
mod error;
mod metrics;
mod metrics_rows;
mod names;
mod schema;
mod seal;
mod segment;

pub use error::SamplesError;
pub use metrics::{append_metrics, metrics_file, read_metrics, seal_metrics};
pub use metrics_rows::METRIC_COLUMNS;
pub use names::Names;
pub use schema::{COLUMNS, Column};
pub use seal::{has_samples, read, samples_file, seal};
pub use segment::{SegmentEncoder, append_segment, to_segment, torn_segments};
