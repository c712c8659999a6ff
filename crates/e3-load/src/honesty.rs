//! The honesty meter: whether this worker could make the load it was asked for.

mod descriptors;
mod network;
mod usage;
mod watch;

use e3_model::Honesty;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lag::LagMeter;

use self::network::Segments;
use self::usage::{Usage, ratio};
use self::watch::watch;

/// Measures this process from `origin` to `end`, or until the token is cancelled; `lag` is what clients note their
/// lateness in. Lost samples and arrivals are the caller's to add.
///
/// Grace is left out: clients that only wait for their last answers would make a busy worker look idle. The event loop's
/// delay is what [`watch`] finds. What the system does not tell stays out.
pub(crate) async fn measure(
    (origin, end): (Instant, Instant),
    over: CancellationToken,
    lag: LagMeter,
) -> Honesty {
    tokio::select! {
        () = tokio::time::sleep_until(origin) => {}
        () = over.cancelled() => {}
    }
    let before = (Usage::now(), Segments::now());
    let began = Instant::now();
    let (delays, file_descriptors) = watch((origin, end), &over).await;
    let wall = began.elapsed().as_secs_f64().max(1e-9);
    let used = before.0.zip(Usage::now()).map(|(before, after)| after.since(&before));
    let segments = before.1.zip(Segments::now()).and_then(|(before, after)| after.since(&before));
    let (delays, lags) = (delays.lags(), lag.lags());
    Honesty {
        scheduling_lag_p99_ms: lags.p99_ms,
        scheduling_lag_max_ms: lags.max_ms,
        scheduling_lag: lags.buckets,
        event_loop_delay_p99_ms: delays.p99_ms,
        event_loop_delay_max_ms: delays.max_ms,
        worker_cpus: used.as_ref().map_or(0.0, |used| used.process_s / wall),
        machine_cpu: used.as_ref().and_then(|used| ratio(used.busy_s, used.total_s)),
        steal: used.as_ref().and_then(|used| ratio(used.steal_s, used.total_s)),
        cpus: std::thread::available_parallelism()
            .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        file_descriptors,
        descriptor_limit: descriptors::limit(),
        segments_sent: segments.map(|segments| segments.sent),
        segments_retransmitted: segments.map(|segments| segments.retransmitted),
        lost_samples: 0,
        arrivals: None,
        ssh_ciphers: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn measure_alone(time: (Instant, Instant), over: CancellationToken) -> Honesty {
        measure(time, over, LagMeter::default()).await
    }

    #[tokio::test]
    async fn a_blocked_runtime_shows_as_delay() {
        let done = CancellationToken::new();
        let begin = Instant::now();
        let meter = tokio::spawn(measure_alone((begin, begin + Duration::from_secs(60)), done.clone()));
        tokio::time::sleep(Duration::from_millis(30)).await;
        // What must never happen in a client: it blocks the only thread of this runtime.
        std::thread::sleep(Duration::from_millis(120));
        tokio::time::sleep(Duration::from_millis(30)).await;
        done.cancel();
        let honesty = meter.await.unwrap();
        assert!(honesty.event_loop_delay_max_ms > 80.0, "{honesty:?}");
        assert!(honesty.file_descriptors > 2 && honesty.cpus >= 1, "{honesty:?}");
        assert!(honesty.descriptor_limit > honesty.file_descriptors, "{honesty:?}");
        assert!(honesty.segments_sent.is_some() && honesty.segments_retransmitted.is_some(), "{honesty:?}");
    }

    #[tokio::test]
    async fn a_stall_weighs_by_its_length() {
        let begin = Instant::now();
        let end = begin + Duration::from_millis(1_300);
        let meter = tokio::spawn(measure_alone((begin, end), CancellationToken::new()));
        tokio::time::sleep_until(begin + Duration::from_millis(1_150)).await;
        // One wake-up of more than a hundred is late, but for a ninth of the time no client was woken.
        std::thread::sleep(Duration::from_millis(140));
        let honesty = tokio::time::timeout(Duration::from_secs(5), meter).await.unwrap().unwrap();
        // The fifth largest of ticks that were 140, 130, 120 ms late and so on.
        assert!(honesty.event_loop_delay_p99_ms > 80.0, "{honesty:?}");
        assert!(honesty.is_client_bound());
    }

    #[tokio::test]
    async fn the_grace_does_not_dilute_the_figures() {
        let begin = Instant::now() + Duration::from_millis(50);
        let end = begin + Duration::from_millis(300);
        let meter = tokio::spawn(measure_alone((begin, end), CancellationToken::new()));
        tokio::time::sleep_until(begin).await;
        while Instant::now() < end {
            std::hint::black_box((0..20_000_u64).sum::<u64>());
            tokio::task::yield_now().await;
        }
        // The meter is done although nobody told it that the last client is.
        let honesty = tokio::time::timeout(Duration::from_secs(5), meter).await.unwrap().unwrap();
        assert!(honesty.worker_cpus > 0.2, "{honesty:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn late_clients_make_it_speak_and_idle_ones_do_not() {
        for (late, bound, why) in [
            (Duration::from_millis(2), false, "an idle machine wakes a task within two milliseconds"),
            (Duration::from_millis(30), true, "that adds itself to every latency"),
        ] {
            let (begin, lag) = (Instant::now(), LagMeter::default());
            (0..500).for_each(|_| lag.note(late));
            let until = begin + Duration::from_secs(3);
            let honesty = measure((begin, until), CancellationToken::new(), lag).await;
            assert!(honesty.event_loop_delay_max_ms <= 1.0, "simulated time is never late: {honesty:?}");
            let spoken = honesty.scheduling_lag_p99_ms > Honesty::SCHEDULING_LAG_LIMIT_MS;
            assert_eq!(spoken, bound, "{why}: {honesty:?}");
            assert_eq!(honesty.scheduling_lag.iter().map(|bucket| bucket.count).sum::<u64>(), 500);
        }
    }
}
