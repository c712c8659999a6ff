//! Where samples go: blocks that clients fill and the recorder empties.
//!
//! Each thread fills a block of its own. A block that is full, or that the recorder asks for, is handed over whole, and
//! the recorder gives it back to be filled again: recording allocates nothing and never waits. When no block is left
//! the sample is counted as lost, so none disappears in silence.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use e3_model::Sample;
use tokio::sync::Notify;
use tokio::sync::mpsc::error::TryRecvError;

use crate::{thread_lane, thread_lanes};

/// The clients' end of a sample channel.
#[derive(Debug, Clone)]
pub struct SampleSink(Arc<OpenEnd>);

/// The recorder's end of a sample channel.
#[derive(Debug)]
pub struct SampleSource {
    store: Arc<Store>,
    /// What [`SampleSource::try_recv`] has taken and not returned yet.
    taken: VecDeque<Sample>,
}

/// Returns a sample channel that holds at least so many samples, whichever threads record them.
pub fn sample_channel(capacity: usize) -> (SampleSink, SampleSource) {
    let length = capacity.clamp(1, BLOCK);
    let lanes = thread_lanes().max(1);
    // Every lane but one may hold a block with room for a single sample more.
    let blocks = capacity.div_ceil(length).max(1) + lanes - 1;
    let spare: Vec<Block> = (0..blocks).map(|_| Vec::with_capacity(length)).collect();
    let store = Arc::new(Store {
        lanes: (0..lanes).map(|_| Lane::default()).collect(),
        blocks: Mutex::new(Blocks { spare, full: VecDeque::with_capacity(blocks) }),
        full: Notify::new(),
        closed: AtomicBool::new(false),
        lost: AtomicU64::new(0),
    });
    (SampleSink(Arc::new(OpenEnd(Arc::clone(&store)))), SampleSource { store, taken: VecDeque::new() })
}

impl SampleSink {
    /// Hands a sample to the recorder; counts it as lost when the recorder is too far behind.
    pub(crate) fn record(&self, sample: Sample) {
        let store = &self.0.0;
        let Some(lane) = store.lanes.get(thread_lane() % store.lanes.len()) else { return };
        let mut filling = lane.lock();
        if filling.capacity() == 0 {
            let spare = store.blocks().spare.pop();
            let Some(spare) = spare else {
                store.lost.fetch_add(1, Ordering::Relaxed);
                return;
            };
            *filling = spare;
        }
        filling.push(sample);
        if filling.len() == filling.capacity() {
            let full = std::mem::take(&mut *filling);
            drop(filling);
            store.blocks().full.push_back(full);
            store.full.notify_one();
        }
    }

    /// Returns how many samples were lost; any makes the stage invalid.
    pub fn lost(&self) -> u64 {
        self.0.0.lost.load(Ordering::Relaxed)
    }
}

impl SampleSource {
    /// Waits until a block is full; returns false at once, and for ever, when every sink is gone.
    ///
    /// # Cancellation
    /// Nothing is lost when the future is dropped.
    pub async fn wait(&self) -> bool {
        loop {
            if self.store.closed.load(Ordering::Acquire) {
                return false;
            }
            if !self.store.blocks().full.is_empty() {
                return true;
            }
            self.store.full.notified().await;
        }
    }

    /// Takes the oldest full block; none when there is none.
    pub fn next_block(&self) -> Option<Vec<Sample>> {
        self.store.blocks().full.pop_front()
    }

    /// Counts the blocks that are being filled as full, however little they hold; small ones are joined.
    pub fn cut(&self) {
        let mut joined: Option<Block> = None;
        for lane in &self.store.lanes {
            let mut part = std::mem::take(&mut *lane.lock());
            if part.is_empty() {
                self.give_back(part);
                continue;
            }
            if let Some(whole) = joined.as_mut().filter(|whole| whole.len() + part.len() <= whole.capacity())
            {
                whole.append(&mut part);
                self.give_back(part);
            } else if let Some(before) = joined.replace(part) {
                self.store.blocks().full.push_back(before);
            }
        }
        self.store.blocks().full.extend(joined);
    }

    /// Gives a block back, to be filled again.
    pub fn give_back(&self, mut block: Vec<Sample>) {
        if block.capacity() > 0 {
            block.clear();
            self.store.blocks().spare.push(block);
        }
    }

    /// Returns the next sample that was recorded; those of one thread come in their order.
    ///
    /// # Errors
    /// When there is none now, or when there is none and every sink is gone.
    pub fn try_recv(&mut self) -> Result<Sample, TryRecvError> {
        if self.taken.is_empty() {
            let closed = self.store.closed.load(Ordering::Acquire);
            self.cut();
            while let Some(mut block) = self.next_block() {
                self.taken.extend(block.drain(..));
                self.give_back(block);
            }
            if self.taken.is_empty() && closed {
                return Err(TryRecvError::Disconnected);
            }
        }
        self.taken.pop_front().ok_or(TryRecvError::Empty)
    }
}

/// Closes the channel when the last sink is gone.
#[derive(Debug)]
struct OpenEnd(Arc<Store>);

impl Drop for OpenEnd {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.full.notify_one();
    }
}

#[derive(Debug)]
struct Store {
    lanes: Box<[Lane]>,
    blocks: Mutex<Blocks>,
    /// Notified when a block is full, and when the channel is closed.
    full: Notify,
    closed: AtomicBool,
    lost: AtomicU64,
}

impl Store {
    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Block = Vec<Sample>;

/// The block that one thread, or a few of them, fill; without room when they have none.
///
/// Two lanes never share a cache line, nor the pair of lines that a CPU fetches at once.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lane(Mutex<Block>);

impl Lane {
    fn lock(&self) -> MutexGuard<'_, Block> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The blocks that nobody fills.
#[derive(Debug)]
struct Blocks {
    /// Empty ones; the one that was used last is the next, since its memory is still near.
    spare: Vec<Block>,
    /// Full ones, the oldest first.
    full: VecDeque<Block>,
}

/// How many samples a block holds at most: about 1 MB.
const BLOCK: usize = 8192;

#[cfg(test)]
mod tests {
    use e3_model::{CacheState, Outcome};

    use super::*;

    fn sample(iteration: u32) -> Sample {
        Sample {
            scheduled_ns: 0,
            started_ns: 0,
            first_byte_ns: None,
            ended_ns: 1,
            bytes_in: None,
            bytes_out: None,
            client: 0,
            job: 0,
            op: 0,
            iteration,
            outcome: Outcome::Ok,
            cache: CacheState::Unknown,
            phases: None,
        }
    }

    fn rest(source: &mut SampleSource) -> Vec<u32> {
        std::iter::from_fn(|| source.try_recv().ok()).map(|sample| sample.iteration).collect()
    }

    #[test]
    fn samples_come_in_order_and_the_end_is_told() {
        let (sink, mut source) = sample_channel(100);
        assert_eq!(source.try_recv(), Err(TryRecvError::Empty));
        (0..70).for_each(|it| sink.record(sample(it)));
        assert_eq!(rest(&mut source), (0..70).collect::<Vec<_>>());
        let another = sink.clone();
        drop(sink);
        another.record(sample(7));
        drop(another);
        assert_eq!(rest(&mut source), [7]);
        assert_eq!(source.try_recv(), Err(TryRecvError::Disconnected));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_what_was_recorded_stays() {
        for capacity in [1, 5, 8192, 20_000] {
            let (sink, mut source) = sample_channel(capacity);
            let offered = u32::try_from(capacity * 40).unwrap();
            (0..offered).for_each(|it| sink.record(sample(it)));
            let kept = rest(&mut source);
            assert!(kept.len() >= capacity, "{} of {capacity}", kept.len());
            assert_eq!(kept.len() as u64 + sink.lost(), u64::from(offered), "none disappears");
            assert!(kept.iter().copied().eq(0..u32::try_from(kept.len()).unwrap()), "the first are kept");
            sink.record(sample(0));
            assert_eq!(rest(&mut source).len(), 1, "blocks that were emptied are filled again");
        }
    }

    #[test]
    fn many_threads_lose_none_while_they_are_emptied() {
        let (sink, mut source) = sample_channel(1 << 16);
        let kept = std::thread::scope(|scope| {
            let recording: Vec<_> = (0..4)
                .map(|_| {
                    let sink = sink.clone();
                    scope.spawn(move || (0..15_000).for_each(|it| sink.record(sample(it))))
                })
                .collect();
            let mut kept = 0;
            while recording.iter().any(|thread| !thread.is_finished()) {
                kept += rest(&mut source).len();
            }
            kept + rest(&mut source).len()
        });
        assert_eq!((kept, sink.lost()), (60_000, 0));
    }

    #[test]
    fn small_parts_are_handed_over_as_one_block() {
        let (sink, source) = sample_channel(1000);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..10).for_each(|it| sink.record(sample(it))));
            }
        });
        source.cut();
        assert_eq!(source.next_block().map(|block| block.len()), Some(30));
        assert_eq!(source.next_block(), None);
        source.cut();
        assert_eq!(source.next_block(), None, "nothing was recorded since");
    }

    #[tokio::test]
    async fn a_full_block_and_the_end_wake_the_recorder() {
        let (sink, source) = sample_channel(4);
        let waiting = tokio::spawn(async move {
            assert!(source.wait().await);
            let block = source.next_block().unwrap();
            (source.wait().await, block.len())
        });
        tokio::task::yield_now().await;
        (0..4).for_each(|it| sink.record(sample(it)));
        tokio::task::yield_now().await;
        drop(sink);
        assert_eq!(waiting.await.unwrap(), (false, 4));
    }
}
