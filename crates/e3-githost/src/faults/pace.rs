//! Answers that leave slowly: so many bytes per second, in small pieces.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

/// When the bytes of one answer may leave.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: u64,
    /// When all that was let go so far has been read from the slow disk; none before the first.
    due: Option<Instant>,
}

impl Pace {
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), due: None }
    }

    /// Cuts off the piece that leaves next, and returns when it may; the piece is empty only if the data is.
    pub(super) fn cut(&mut self, data: &mut Bytes) -> (Bytes, Instant) {
        let most = usize::try_from(self.bytes_per_second / PIECES_PER_SECOND).unwrap_or(usize::MAX).max(1);
        let piece = data.split_to(data.len().min(most));
        let now = Instant::now();
        // A wake-up that is a little late is made up for; time in which there was nothing to send is not.
        let from = self.due.map_or(now, |due| due.max(now.checked_sub(SLACK).unwrap_or(now)));
        let due = from + self.time_for(piece.len());
        self.due = Some(due);
        (piece, due)
    }

    /// Waits until the next piece of the data may leave, and returns it; none when nothing is left.
    pub(super) async fn next(&mut self, data: &mut Bytes) -> Option<Bytes> {
        if data.is_empty() {
            return None;
        }
        let (piece, due) = self.cut(data);
        sleep_until(due).await;
        Some(piece)
    }

    fn time_for(&self, bytes: usize) -> Duration {
        let nanoseconds =
            u128::try_from(bytes).unwrap_or(u128::MAX) * NANOSECONDS / u128::from(self.bytes_per_second);
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

/// Small enough to look smooth, large enough for a timer of a millisecond.
const PIECES_PER_SECOND: u64 = 20;
const SLACK: Duration = Duration::from_millis(100);
const NANOSECONDS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_leave_evenly_and_none_too_early() {
        let mut pace = Pace::new(10_000);
        let begun = Instant::now();
        let mut data = Bytes::from(vec![0; 5_000]);
        let (mut sent, mut pieces) = (0, 0);
        while let Some(piece) = pace.next(&mut data).await {
            sent += piece.len();
            pieces += 1;
            let least = Duration::from_micros(u64::try_from(sent).unwrap() * 100);
            let elapsed = begun.elapsed();
            assert!(elapsed >= least && elapsed < least + Duration::from_millis(2), "{sent}: {elapsed:?}");
        }
        assert_eq!((sent, pieces), (5_000, 10));
        // A pause gives no credit but for the slack.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let again = Instant::now();
        let mut data = Bytes::from(vec![0; 5_000]);
        while pace.next(&mut data).await.is_some() {}
        assert!(again.elapsed() >= Duration::from_millis(400), "{:?}", again.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn late_wake_ups_do_not_add_up() {
        let mut pace = Pace::new(1_000_000);
        let begun = Instant::now();
        let mut data = Bytes::from(vec![0; 1_000_000]);
        while pace.next(&mut data).await.is_some() {
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        assert!(begun.elapsed() < Duration::from_millis(1_030), "{:?}", begun.elapsed());
    }
}
