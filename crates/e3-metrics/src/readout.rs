//! What one look of a source yields.

use std::sync::Arc;

use tokio::time::Instant;

use crate::MetricsError;

/// One value that a source read; the collector adds the source's name and the stage's clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When it was read.
    pub at: Instant,
    /// What it is about, as in [`e3_model::Reading`].
    pub subject: Arc<str>,
    /// Its name, `group/part`.
    pub name: Arc<str>,
    /// Its unit, one of those of [`e3_model::Reading`].
    pub unit: Arc<str>,
    /// Its value, a finite number.
    pub value: f64,
}

/// Everything that one look of a source yields: what it read, and what it could not read.
#[derive(Debug, Default)]
pub struct Readout {
    /// The values, in no particular order; empty when nothing could be read, and mostly so at the first look.
    pub observations: Vec<Observation>,
    /// What went wrong; the values that are missing for it are gaps.
    pub problems: Vec<MetricsError>,
}

impl Readout {
    /// Returns a readout of nothing but a problem.
    pub fn failed(problem: MetricsError) -> Self {
        Self { observations: Vec::new(), problems: vec![problem] }
    }

    /// Adds a value unless there is none, or it is no finite number.
    pub fn add(&mut self, (at, subject): (Instant, &Arc<str>), name: &str, unit: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.observations.push(Observation {
                at,
                subject: Arc::clone(subject),
                name: name.into(),
                unit: unit.into(),
                value,
            });
        }
    }
}
