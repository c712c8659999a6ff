//! What a source of metrics is.

use async_trait::async_trait;

use crate::{Readout, Targets};

/// Something that can be asked again and again how it is.
#[async_trait]
pub trait MetricSource: Send {
    /// Returns the source's name, as plans write it: `proc` or `prometheus`.
    fn name(&self) -> &'static str;

    /// Reads what there is to read now. What is counted comes as a rate since the last look, so the first yields none.
    ///
    /// Takes at most a few seconds, whatever happens, and does not block the runtime.
    ///
    /// # Cancellation
    /// May be dropped at any await; the next look may then yield no rates.
    async fn read(&mut self) -> Readout;
}

/// A kind of source: its name, and how its sources are opened.
#[derive(Debug, Clone, Copy)]
pub struct SourceKind {
    /// The name by which plans ask for it, one of [`e3_model::CollectPlan::SOURCES`].
    pub name: &'static str,
    /// Opens the sources for these targets: each fails, and is slow, by itself.
    pub open: fn(&Targets) -> Vec<Box<dyn MetricSource>>,
}
