//! How much each user may ask: a bucket of tokens, filled at a steady rate.
//!
//! Source: "Improving instance stability with rate limiting" of Bitbucket Data Center: each user has a bucket of their own;
//! a request takes one token; without one it is refused with 429.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use e3_model::RateLimit;
use tokio::time::Instant;

/// The buckets of all users.
#[derive(Debug)]
pub(crate) struct Rates {
    limit: RateLimit,
    buckets: Mutex<HashMap<i64, Bucket>>,
    refused: AtomicU64,
}

/// What one user may still send.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rates {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: Mutex::default(), refused: AtomicU64::new(0) }
    }

    /// Takes a token of the user's.
    ///
    /// # Errors
    /// How long it takes until there is one, if there is none.
    pub(crate) fn take(&self, user: i64) -> Result<(), Duration> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_USERS && !buckets.contains_key(&user) {
            // Whoever has a full bucket has none to lose.
            buckets.retain(|_, bucket| bucket.filled(now, self.limit).tokens < self.limit.capacity);
        }
        let new = Bucket { tokens: self.limit.capacity, at: now };
        let bucket = buckets.entry(user).or_insert(new);
        *bucket = bucket.filled(now, self.limit);
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let missing = 1.0 - bucket.tokens;
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Duration::try_from_secs_f64(missing / self.limit.fill_rate).unwrap_or(Duration::MAX))
    }

    /// Returns how many requests were refused so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Bucket {
    fn filled(self, now: Instant, limit: RateLimit) -> Self {
        let added = now.duration_since(self.at).as_secs_f64() * limit.fill_rate;
        Self { tokens: (self.tokens + added).min(limit.capacity), at: now }
    }
}

const MOST_USERS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_empties_at_once_and_fills_by_the_rate() {
        let rates = Rates::new(RateLimit { capacity: 60.0, fill_rate: 5.0 });
        let passed = (0..100).filter(|_| rates.take(1).is_ok()).count();
        assert_eq!((passed, rates.refused()), (60, 40));
        assert!(rates.take(2).is_ok(), "others have buckets of their own");
        assert_eq!(rates.take(1), Err(Duration::from_millis(200)));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(rates.take(1), Ok(()));
        assert!(rates.take(1).is_err());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!((0..100).filter(|_| rates.take(1).is_ok()).count(), 5);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(
            (0..100).filter(|_| rates.take(1).is_ok()).count(),
            60,
            "it holds no more than its capacity"
        );
    }
}
