//! Asking every source once per interval while a stage runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::store::Store;
use crate::{MetricSource, MetricsError, Readout};

/// What a collector is to do.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Where the readings go, beside the stage's samples.
    pub stage_directory: PathBuf,
    /// The stage's start: from it times count, and whole intervals after it the sources are asked.
    pub origin: Instant,
    /// How often they are asked; at least every 100 ms.
    pub interval: Duration,
}

/// What came of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Collected {
    /// How many readings the stage's file of metrics holds.
    pub readings: u64,
    /// What went wrong, in the order in which it first did.
    pub problems: Vec<Noted>,
}

/// Something that went wrong, once or more often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The source's name.
    pub source: String,
    /// What it said.
    pub message: String,
    /// How often.
    pub count: u64,
}

/// Sources that are being asked. Dropping it ends that at once; what was written stays, unsealed.
#[derive(Debug)]
pub struct Collector {
    stop: CancellationToken,
    task: JoinHandle<Collected>,
}

impl Collector {
    /// Begins to ask these sources, each in a task of its own, so that a slow one holds up no other.
    ///
    /// The first look is at the origin, the others whole intervals after it, however long a look takes; one that is
    /// due while the last is still under way is left out.
    pub fn start(sources: Vec<Box<dyn MetricSource>>, collection: Collection) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(collect(sources, collection, stop.clone()));
        Self { stop, task }
    }

    /// Says that the stage is over: every source is asked a last time, for what is left of the last interval.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Stops, and returns when all that was read is in the stage's file of metrics.
    pub async fn finish(mut self) -> Collected {
        self.stop();
        let ended = (&mut self.task).await;
        ended.unwrap_or_else(|error| {
            let message = e3_model::with_causes(&MetricsError::Task(error));
            let noted = Noted { source: "collector".to_owned(), message, count: 1 };
            Collected { readings: 0, problems: vec![noted] }
        })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn collect(
    sources: Vec<Box<dyn MetricSource>>,
    collection: Collection,
    stop: CancellationToken,
) -> Collected {
    let (sender, mut readouts) = mpsc::channel(READOUTS_AHEAD);
    let mut watching = JoinSet::new();
    for source in sources {
        watching.spawn(watch(source, collection.clone(), stop.clone(), sender.clone()));
    }
    drop(sender);
    let mut store = Store::new(&collection);
    while let Some((source, readout)) = readouts.recv().await {
        store.add(&source, readout).await;
    }
    while let Some(ended) = watching.join_next().await {
        if let Err(error) = ended {
            store.note("collector", &error.into());
        }
    }
    store.seal().await
}

/// Asks one source until the end.
async fn watch(
    mut source: Box<dyn MetricSource>,
    collection: Collection,
    stop: CancellationToken,
    readouts: mpsc::Sender<(Arc<str>, Readout)>,
) {
    let name: Arc<str> = source.name().into();
    let interval = collection.interval.max(SHORTEST);
    let mut last: Option<Instant> = None;
    loop {
        let due = last.map_or(collection.origin, |_| next_look(collection.origin, interval));
        let stopping = tokio::select! {
            biased;
            () = stop.cancelled() => true,
            () = sleep_until(due) => false,
        };
        // A rate over a moment is noise: a process's time, for one, is counted in steps of 10 ms.
        let is_due = last.map_or(!stopping, |last| last.elapsed() >= interval / 4);
        if is_due {
            last = Some(Instant::now());
            let slow = |_| Readout::failed(MetricsError::Slow { what: name.to_string(), within: LONGEST });
            let readout = timeout(LONGEST, source.read()).await.unwrap_or_else(slow);
            if readouts.send((Arc::clone(&name), readout)).await.is_err() {
                return;
            }
        }
        if stopping {
            return;
        }
    }
}

/// Returns the next whole interval after the origin.
fn next_look(origin: Instant, interval: Duration) -> Instant {
    let past = Instant::now().saturating_duration_since(origin).as_nanos() / interval.as_nanos().max(1);
    let ahead = u32::try_from(past).unwrap_or(u32::MAX).saturating_add(1);
    origin + interval.saturating_mul(ahead)
}

const SHORTEST: Duration = Duration::from_millis(100);
/// How long one look may take; sources have tighter bounds of their own.
const LONGEST: Duration = Duration::from_secs(10);
const READOUTS_AHEAD: usize = 16;

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    /// Yields the number of the look, after some time.
    struct Looks {
        taken: u64,
        takes: Vec<u64>,
        fails_at: Option<u64>,
    }

    #[async_trait]
    impl MetricSource for Looks {
        fn name(&self) -> &'static str {
            "looks"
        }

        async fn read(&mut self) -> Readout {
            self.taken += 1;
            let at = Instant::now();
            let index = usize::try_from(self.taken - 1).unwrap();
            let takes = self.takes.get(index).copied().unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(takes)).await;
            if self.fails_at == Some(self.taken) {
                return Readout::failed(MetricsError::Ended { subject: "x".to_owned() });
            }
            let mut readout = Readout::default();
            readout.add(
                (at, &"x".into()),
                "looks/taken",
                "",
                Some(f64::from(u32::try_from(self.taken).unwrap())),
            );
            readout
        }
    }

    fn looks(takes: &[u64], fails_at: Option<u64>) -> Box<dyn MetricSource> {
        Box::new(Looks { taken: 0, takes: takes.to_vec(), fails_at })
    }

    /// Collects for so many milliseconds and returns when the readings were made, in milliseconds, and the problems.
    async fn collected(sources: Vec<Box<dyn MetricSource>>, for_ms: u64) -> (Vec<u64>, Collected) {
        let directory = tempfile::tempdir().unwrap();
        let origin = Instant::now() + Duration::from_millis(200);
        let collection = Collection {
            stage_directory: directory.path().to_owned(),
            origin,
            interval: Duration::from_secs(1),
        };
        let collector = Collector::start(sources, collection);
        sleep_until(origin + Duration::from_millis(for_ms)).await;
        let collected = collector.finish().await;
        let readings = e3_samples::read_metrics(directory.path()).unwrap();
        assert_eq!(readings.len() as u64, collected.readings);
        (readings.iter().map(|reading| reading.at_ns / 1_000_000).collect(), collected)
    }

    #[tokio::test(start_paused = true)]
    async fn looks_are_whole_seconds_after_the_start_and_once_more_at_the_end() {
        let (at, collected) = collected(vec![looks(&[], None)], 3_700).await;
        assert_eq!(at, [0, 1_000, 2_000, 3_000, 3_700]);
        assert_eq!(collected.problems, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_source_holds_up_no_other_and_does_not_drift() {
        let slow = looks(&[0, 1_300, 900], None);
        let (at, _) = collected(vec![slow, looks(&[], None)], 5_000).await;
        // The slow one misses the look at 2 s, and is on time at 3 s and at 4 s.
        assert_eq!(at, [0, 0, 1_000, 1_000, 2_000, 3_000, 3_000, 4_000, 4_000, 5_000, 5_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_noted_and_leaves_a_gap() {
        let (at, collected) = collected(vec![looks(&[], Some(3))], 4_100).await;
        assert_eq!(at, [0, 1_000, 3_000, 4_000]);
        let message = "the process of x has ended".to_owned();
        assert_eq!(collected.problems, [Noted { source: "looks".to_owned(), message, count: 1 }]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_hangs_is_given_up_and_asked_again() {
        let (at, collected) = collected(vec![looks(&[0, 3_600_000], None)], 12_500).await;
        assert_eq!(at, [0, 12_000, 12_500]);
        assert_eq!(collected.problems[0].message, "looks was not read within 10 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_that_never_starts_is_never_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let collection = Collection {
            stage_directory: directory.path().to_owned(),
            origin: Instant::now() + Duration::from_secs(60),
            interval: Duration::from_secs(1),
        };
        let collected = Collector::start(vec![looks(&[], None)], collection).finish().await;
        assert_eq!(collected, Collected::default());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_read_is_on_disk_within_seconds() {
        let directory = tempfile::tempdir().unwrap();
        let origin = Instant::now();
        let stage_directory = directory.path().to_owned();
        let interval = Duration::from_secs(1);
        let collector =
            Collector::start(vec![looks(&[], None)], Collection { stage_directory, origin, interval });
        sleep_until(origin + Duration::from_millis(10_500)).await;
        let written = e3_samples::read_metrics(directory.path()).unwrap().len();
        assert!((8..=11).contains(&written), "{written}");
        drop(collector);
    }

    #[tokio::test(start_paused = true)]
    async fn readings_that_cannot_be_stored_are_noted() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let collection =
            Collection { stage_directory: file, origin: Instant::now(), interval: Duration::from_secs(1) };
        let collector = Collector::start(vec![looks(&[], None)], collection);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let collected = collector.finish().await;
        assert_eq!(collected.readings, 0);
        assert!(collected.problems.iter().all(|noted| noted.source == "store"), "{collected:?}");
        assert!(!collected.problems.is_empty());
    }
}
