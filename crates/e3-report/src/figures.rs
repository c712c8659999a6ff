//! The figures of the report, one file each: a function of the analysis that returns its [`Figure`](crate::figure)s.

mod capacity;
mod distribution;
mod effects;
mod errors;
mod lag;
mod latency;
mod metrics;
mod mix;
mod order;
mod over_time;
mod stages;
mod throughput;
mod timeline;

pub(crate) use capacity::capacity;
pub(crate) use distribution::{distribution_by_op, distributions};
pub(crate) use effects::{effects, sign};
pub(crate) use errors::errors;
pub(crate) use lag::scheduling_lag;
pub(crate) use latency::{all_due_words, latency, latency_by_op, latency_cells, legend_by_op};
pub(crate) use metrics::{Panel, metrics, panels, values_json};
pub(crate) use mix::mix;
pub(crate) use order::order;
pub(crate) use over_time::over_time;
pub(crate) use stages::Own;
pub(crate) use throughput::throughput;
pub(crate) use timeline::timeline;
