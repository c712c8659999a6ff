//! How long the machine keeps a thread waiting that never waits: what no program on it can be more punctual than.

use std::time::{Duration, Instant};

/// Keeps every CPU busy for a while with nothing but looking at the clock, and returns, for people, how often and how long
/// the kernel or the hypervisor took one away.
pub(super) fn of_the_machine(lasting: Duration) -> String {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let look = move || gaps(lasting, Instant::now);
    let threads: Vec<_> = (0..cpus).map(|_| std::thread::spawn(look)).collect();
    // A thread that broke has seen nothing.
    let gaps: Vec<Duration> =
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect();
    let longest = gaps.iter().max().copied().unwrap_or_default();
    format!(
        "the machine itself took a CPU away {} times in {:.1} s, for {} us at most",
        gaps.len(),
        lasting.as_secs_f64(),
        longest.as_micros()
    )
}

/// Returns how long this thread did not run, each time that is of interest, as a clock shows it.
fn gaps(lasting: Duration, mut clock: impl FnMut() -> Instant) -> Vec<Duration> {
    let begun = clock();
    let (mut last, mut gaps) = (begun, Vec::new());
    while last.duration_since(begun) < lasting {
        let now = clock();
        let gap = now.duration_since(last);
        if gap >= LEAST {
            gaps.push(gap);
        }
        last = now;
    }
    gaps
}

/// An interrupt takes less.
const LEAST: Duration = Duration::from_micros(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_an_interrupt_is_seen_until_the_time_is_up() {
        let begun = Instant::now();
        let mut shown = [0, 10, 309, 610, 620, 5_000, 9_990, 10_001, 20_000].into_iter();
        let clock = || begun + Duration::from_micros(shown.next().unwrap());
        let found: Vec<_> = gaps(Duration::from_millis(10), clock).iter().map(Duration::as_micros).collect();
        assert_eq!(found, [301, 4_380, 4_990]);
        assert_eq!(shown.next(), Some(20_000), "nobody looks after that");
    }
}
