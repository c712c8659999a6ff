//! Metrics of one stage: what is watched, from the stage's start to its end. Nothing here fails a stage.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use e3_metrics::{Collection, Collector, MetricSource, Targets};
use e3_model::{StageRef, ThreadId};
use tokio::time::Instant;

use crate::conduct::Conduct;

/// Knows what there is to watch.
#[async_trait]
pub trait Watch: Send + Sync {
    /// Returns what there is to watch while a stage of this thread runs; asked anew before each, since a reset may have
    /// replaced every process.
    ///
    /// # Errors
    /// A sentence that says why that is not known; then only the machine is watched.
    async fn targets(&self, thread: ThreadId) -> Result<Targets, String>;
}

/// The metrics of a stage, before, while and after they are read.
#[derive(Default)]
pub(crate) struct Collecting {
    sources: Vec<Box<dyn MetricSource>>,
    collector: Option<Collector>,
}

impl Collecting {
    /// Opens the sources that the plan wants, for what there is to watch now.
    pub(crate) async fn prepare(input: &Conduct<'_>, stage: StageRef) -> Self {
        let wanted = &input.plan.collect.sources;
        let kinds: Vec<_> =
            input.metric_sources.iter().filter(|kind| wanted.iter().any(|name| name == kind.name)).collect();
        if kinds.is_empty() {
            return Self::default();
        }
        let found = tokio::time::timeout(RESOLUTION, input.watch.targets(stage.thread)).await;
        let late = |_| Err(format!("it was not known within {} s", RESOLUTION.as_secs()));
        let targets = found.unwrap_or_else(late).unwrap_or_else(|reason| {
            tracing::warn!(%stage, "only the machine is watched: {reason}");
            Targets::default()
        });
        Self { sources: kinds.iter().flat_map(|kind| (kind.open)(&targets)).collect(), collector: None }
    }

    /// Begins to read at the stage's start.
    pub(crate) fn begin(&mut self, stage_directory: PathBuf, origin: Instant, interval: Duration) {
        if !self.sources.is_empty() {
            let sources = std::mem::take(&mut self.sources);
            let collection = Collection { stage_directory, origin, interval };
            self.collector = Some(Collector::start(sources, collection));
        }
    }

    /// Reads a last time: the stage is over. Said again, it changes nothing.
    pub(crate) fn stop(&self) {
        if let Some(collector) = &self.collector {
            collector.stop();
        }
    }

    /// Waits until everything that was read is in the stage's file of metrics.
    pub(crate) async fn finish(mut self, stage: StageRef) {
        let Some(collector) = self.collector.take() else { return };
        let collected = collector.finish().await;
        for noted in &collected.problems {
            let (source, count) = (&noted.source, noted.count);
            tracing::warn!(%stage, source, count, "metrics are missing: {}", noted.message);
        }
        tracing::info!(%stage, readings = collected.readings, "the stage's metrics are sealed");
    }
}

/// How long it may take to find what there is to watch.
const RESOLUTION: Duration = Duration::from_secs(5);
