//! How long the machine keeps a thread waiting that never waits: what no program on it can be more punctual than.

use std::time::{Duration, Instant};

/// Keeps every CPU busy for a while with nothing but looking at the clock, and returns, for people, how often and how long
/// the kernel or the hypervisor took one away.
pub(super) fn of_the_machine(lasting: Duration) -> String {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads: Vec<_> = (0..cpus).map(|_| std::thread::spawn(move || gaps(lasting))).collect();
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

/// Returns how long this thread did not run, each time that is of interest.
fn gaps(lasting: Duration) -> Vec<Duration> {
    let begun = Instant::now();
    let (mut last, mut gaps) = (begun, Vec::new());
    while last.duration_since(begun) < lasting {
        let now = Instant::now();
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
    fn says_what_it_saw_for_as_long_as_it_looked() {
        let said = of_the_machine(Duration::from_millis(100));
        assert!(said.contains(" times in 0.1 s, for ") && said.ends_with(" us at most"), "{said}");
    }
}
