//! Readings on their way to the disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use e3_model::{Reading, with_causes};
use tokio::time::Instant;

use crate::{Collected, Collection, MetricsError, Noted, Readout};

/// Gathers what sources read, and writes it down every few seconds.
pub(crate) struct Store {
    directory: PathBuf,
    origin: Instant,
    pending: Vec<Reading>,
    written: Instant,
    sequence: u64,
    collected: Collected,
}

impl Store {
    pub(crate) fn new(collection: &Collection) -> Self {
        Self {
            directory: collection.stage_directory.clone(),
            origin: collection.origin,
            pending: Vec::new(),
            written: Instant::now(),
            sequence: 1,
            collected: Collected::default(),
        }
    }

    /// Adds what a source read; what it read before the stage's start is left out.
    pub(crate) async fn add(&mut self, source: &Arc<str>, readout: Readout) {
        for observation in readout.observations {
            let Some(since) = observation.at.checked_duration_since(self.origin) else { continue };
            self.pending.push(Reading {
                at_ns: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
                source: Arc::clone(source),
                subject: observation.subject,
                name: observation.name,
                unit: observation.unit,
                value: observation.value,
            });
        }
        for problem in readout.problems {
            self.note(source, &problem);
        }
        if self.written.elapsed() >= WRITE_EVERY {
            self.write().await;
        }
    }

    /// Notes a problem; the log hears of it the first time.
    pub(crate) fn note(&mut self, source: &str, problem: &MetricsError) {
        let message = with_causes(problem);
        let problems = &mut self.collected.problems;
        let known = problems.iter_mut().find(|noted| noted.source == source && noted.message == message);
        if let Some(known) = known {
            known.count += 1;
        } else if problems.len() < MOST_PROBLEMS {
            tracing::warn!(source, "metrics are missing: {message}");
            problems.push(Noted { source: source.to_owned(), message, count: 1 });
        }
    }

    /// Writes everything, makes it one file, and returns what came of it.
    pub(crate) async fn seal(mut self) -> Collected {
        self.write().await;
        let directory = self.directory.clone();
        match tokio::task::spawn_blocking(move || e3_samples::seal_metrics(&directory)).await {
            Ok(Ok(readings)) => self.collected.readings = readings,
            Ok(Err(error)) => self.note(STORE, &error.into()),
            Err(error) => self.note(STORE, &error.into()),
        }
        self.collected
    }

    /// Writes what is pending; a segment that cannot be written is lost, and noted.
    async fn write(&mut self) {
        self.written = Instant::now();
        if self.pending.is_empty() {
            return;
        }
        let (directory, sequence) = (self.directory.clone(), self.sequence);
        let readings = std::mem::take(&mut self.pending);
        self.sequence += 1;
        let append = move || e3_samples::append_metrics(&directory, sequence, &readings);
        match tokio::task::spawn_blocking(append).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.note(STORE, &error.into()),
            Err(error) => self.note(STORE, &error.into()),
        }
    }
}

/// What a kill costs at most.
const WRITE_EVERY: Duration = Duration::from_secs(3);
/// More kinds of problems than these are not told.
const MOST_PROBLEMS: usize = 50;
/// In the place of a source, for problems of the store itself.
const STORE: &str = "store";
