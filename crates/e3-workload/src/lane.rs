//! A number for each thread: what many threads count or record at once, they do side by side.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Returns this thread's number: threads that ask one after another get different ones, modulo any number of lanes.
///
/// It only spreads work; nothing that is measured or drawn may depend on it.
pub fn thread_lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    LANE.with(|lane| *lane)
}

/// Returns how many lanes are worth having on this machine: two for each CPU, since threads that are gone have used up
/// numbers, and at most 32.
pub fn thread_lanes() -> usize {
    std::thread::available_parallelism().map_or(2, |cpus| cpus.get().saturating_mul(2)).min(32)
}
