//! The honesty meter: whether this worker could make the load it was asked for.

use std::time::Duration;

use e3_model::Honesty;
use procfs::CurrentSI as _;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Measures this process from `origin` to `end`, or until the token is cancelled; lost samples are the caller's to add.
///
/// Grace is left out: clients that only wait for their last answers would make a busy worker look idle. Scheduling lag
/// is how late the runtime woke a task that is due every [`TICK`], the timer's own millisecond taken off. A tick that a
/// stall delayed counts with its own delay, so that a stall weighs by its length; otherwise a worker that stood still
/// for half its stage would show one late tick among many in time. CPU figures come from `/proc/self/stat` and `/proc/stat` (proc(5)); where those cannot be read they stay out.
pub(crate) async fn measure((origin, end): (Instant, Instant), over: CancellationToken) -> Honesty {
    tokio::select! {
        () = tokio::time::sleep_until(origin) => {}
        () = over.cancelled() => {}
    }
    let before = Usage::now();
    let began = Instant::now();
    let mut lags_us = Vec::with_capacity(4096);
    let mut descriptors = open_descriptors();
    let mut ticks: u32 = 0;
    let mut interval = tokio::time::interval_at(origin + TICK, TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        let due = tokio::select! {
            biased;
            due = interval.tick() => due,
            () = over.cancelled() => break,
        };
        if due >= end {
            break;
        }
        let late = due.elapsed().saturating_sub(Duration::from_millis(1));
        lags_us.push(u32::try_from(late.as_micros()).unwrap_or(u32::MAX));
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(DESCRIPTOR_TICKS) {
            descriptors = descriptors.max(open_descriptors());
        }
    }
    descriptors = descriptors.max(open_descriptors());
    let wall = began.elapsed().as_secs_f64().max(1e-9);
    lags_us.sort_unstable();
    let used = before.zip(Usage::now()).map(|(before, after)| after.since(&before));
    Honesty {
        event_loop_delay_p99_ms: p99_ms(&lags_us),
        event_loop_delay_max_ms: quantile_ms(&lags_us, 1.0),
        worker_cpus: used.as_ref().map_or(0.0, |used| used.process_s / wall),
        machine_cpu: used.as_ref().and_then(|used| ratio(used.busy_s, used.total_s)),
        steal: used.as_ref().and_then(|used| ratio(used.steal_s, used.total_s)),
        cpus: std::thread::available_parallelism()
            .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        file_descriptors: descriptors,
        ..Honesty::default()
    }
}

/// CPU time since boot, or between two readings; in seconds.
#[derive(Debug, Clone, Copy)]
struct Usage {
    process_s: f64,
    busy_s: f64,
    steal_s: f64,
    total_s: f64,
}

impl Usage {
    fn now() -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "clock ticks stay far below 2^53")]
        let seconds = |ticks: u64| ticks as f64 / procfs::ticks_per_second() as f64;
        let process = procfs::process::Process::myself().ok()?.stat().ok()?;
        let cpu = procfs::KernelStats::current().ok()?.total;
        let steal = cpu.steal.unwrap_or(0);
        let idle = cpu.idle + cpu.iowait.unwrap_or(0);
        let busy = cpu.user + cpu.nice + cpu.system + cpu.irq.unwrap_or(0) + cpu.softirq.unwrap_or(0);
        Some(Self {
            process_s: seconds(process.utime + process.stime),
            busy_s: seconds(busy),
            steal_s: seconds(steal),
            total_s: seconds(busy + idle + steal),
        })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            process_s: self.process_s - before.process_s,
            busy_s: self.busy_s - before.busy_s,
            steal_s: self.steal_s - before.steal_s,
            total_s: self.total_s - before.total_s,
        }
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}

/// Returns how many file descriptors are open, without the one that lists them.
fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| (entries.count() as u64).saturating_sub(1))
}

/// Returns the 99th percentile of sorted microseconds, in milliseconds; of fewer than 500, the fifth largest, since a
/// percentile needs n × (1 − p) ≥ 5 to mean anything.
fn p99_ms(sorted_us: &[u32]) -> f64 {
    let fifth_largest = sorted_us.len().checked_sub(5).and_then(|index| sorted_us.get(index));
    fifth_largest.map_or(0.0, |lag| quantile_ms(sorted_us, 0.99).min(f64::from(*lag) / 1000.0))
}

/// Returns the nearest-rank quantile of sorted microseconds, in milliseconds; 0 when there are none.
fn quantile_ms(sorted_us: &[u32], quantile: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank between 1 and the number of ticks"
    )]
    let rank = (quantile * sorted_us.len() as f64).ceil() as usize;
    sorted_us.get(rank.saturating_sub(1)).map_or(0.0, |lag| f64::from(*lag) / 1000.0)
}

/// How often the meter wants to be woken.
const TICK: Duration = Duration::from_millis(10);
/// How many ticks pass between two counts of the file descriptors: one second.
const DESCRIPTOR_TICKS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_blocked_runtime_shows_as_lag() {
        let done = CancellationToken::new();
        let begin = Instant::now();
        let meter = tokio::spawn(measure((begin, begin + Duration::from_secs(60)), done.clone()));
        tokio::time::sleep(Duration::from_millis(30)).await;
        // What must never happen in a client: it blocks the only thread of this runtime.
        std::thread::sleep(Duration::from_millis(120));
        tokio::time::sleep(Duration::from_millis(30)).await;
        done.cancel();
        let honesty = meter.await.unwrap();
        assert!(honesty.event_loop_delay_max_ms > 80.0, "{honesty:?}");
        assert!(honesty.file_descriptors > 2 && honesty.cpus >= 1, "{honesty:?}");
    }

    #[tokio::test]
    async fn a_stall_weighs_by_its_length() {
        let begin = Instant::now();
        let end = begin + Duration::from_millis(1_300);
        let meter = tokio::spawn(measure((begin, end), CancellationToken::new()));
        tokio::time::sleep_until(begin + Duration::from_millis(1_150)).await;
        // One wake-up of more than a hundred is late, but for a ninth of the time no client was woken.
        std::thread::sleep(Duration::from_millis(140));
        let honesty = tokio::time::timeout(Duration::from_secs(5), meter).await.unwrap().unwrap();
        assert!(honesty.event_loop_delay_p99_ms > 100.0, "{honesty:?}");
        assert!(honesty.is_client_bound());
    }

    #[tokio::test]
    async fn the_grace_does_not_dilute_the_figures() {
        let begin = Instant::now() + Duration::from_millis(50);
        let end = begin + Duration::from_millis(300);
        let meter = tokio::spawn(measure((begin, end), CancellationToken::new()));
        tokio::time::sleep_until(begin).await;
        while Instant::now() < end {
            std::hint::black_box((0..20_000_u64).sum::<u64>());
            tokio::task::yield_now().await;
        }
        // The meter is done although nobody told it that the last client is.
        let honesty = tokio::time::timeout(Duration::from_secs(5), meter).await.unwrap().unwrap();
        assert!(honesty.worker_cpus > 0.2, "{honesty:?}");
    }

    #[test]
    fn quantiles_use_the_nearest_rank() {
        assert!((quantile_ms(&[1000, 2000, 3000, 4000], 0.5) - 2.0).abs() < 1e-9);
        assert!((quantile_ms(&[1000, 2000, 3000, 4000], 1.0) - 4.0).abs() < 1e-9);
        assert!(quantile_ms(&[], 0.99).abs() < 1e-9);
        // One late wake-up of a short stage says nothing about its 99th percentile; five of them do.
        let mut lags = vec![100; 116];
        lags.extend([30_000; 4]);
        assert!((p99_ms(&lags) - 0.1).abs() < 1e-9);
        lags.push(30_000);
        assert!((p99_ms(&lags) - 30.0).abs() < 1e-9);
    }
}
