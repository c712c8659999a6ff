//! The figures of the report, one file each: a function of the analysis that returns its [`Figure`](crate::figure)s.

mod latency;
mod mix;
mod order;
mod throughput;
mod timeline;

pub(crate) use latency::{latency, latency_by_op, latency_cells, legend_by_op};
pub(crate) use mix::mix;
pub(crate) use order::order;
pub(crate) use throughput::throughput;
pub(crate) use timeline::{TimelineGroup, timelines};
