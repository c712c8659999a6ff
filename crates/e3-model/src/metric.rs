//! Metrics: what machines and products say about themselves while a stage runs.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One reading of one metric.
///
/// Its name is `group/part`, such as `cpu/user` or `disk/read`; a report shows a group's parts together. What a source
/// counts is handed on as a rate, over the time since the reading before.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When it was read, in nanoseconds since the stage's start, on the reader's monotonic clock.
    pub at_ns: u64,
    /// What read it: `proc` or `prometheus`.
    pub source: Arc<str>,
    /// What it is about: `machine`, a node's name, `node-1 git` for a node's git children, or `worker`.
    pub subject: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its unit: `%`, `bytes`, `bytes/s`, `1/s`, `ms`, or empty for a plain number.
    pub unit: Arc<str>,
    /// Its value.
    pub value: f64,
}

/// One metric over a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricSeries {
    /// What read it: `proc` or `prometheus`.
    pub source: String,
    /// What it is about: `machine`, a node's name, `node-1 git` for a node's git children, or `worker`.
    pub subject: String,
    /// Its name: `group/part`.
    pub name: String,
    /// Its unit: `%`, `bytes`, `bytes/s`, `1/s`, `ms`, or empty for a plain number.
    pub unit: String,
    /// How much time one value stands for, in seconds.
    pub step_s: f64,
    /// The values from the stage's start on, the mean of the readings within each step; none where there was none.
    pub values: Vec<Option<f64>>,
    /// The mean over the measured window's readings.
    pub mean: Option<f64>,
    /// The largest of the measured window's readings.
    pub max: Option<f64>,
}
