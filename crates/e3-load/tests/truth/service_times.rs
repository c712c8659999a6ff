//! A server whose service times are log-normal: E3's percentiles are the distribution's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use e3_model::{Arrival, Distribution, Outcome, StagePlan};
use e3_stats::{Quantile, nearest_rank};

use crate::world::{self, Serve, closed, open, perform, server};

const MEDIAN_S: f64 = 0.2;
const SIGMA: f64 = 0.5;

/// Returns a server of any number at once, whose service times fill a log-normal distribution evenly: time i is the
/// quantile at the fractional part of i / φ, so that their percentiles are the distribution's, and not a draw's.
///
/// Source: H. Niederreiter, Random Number Generation and Quasi-Monte Carlo Methods (1992), chapter 3, for the sequence.
fn log_normal() -> Serve {
    let served = Arc::new(AtomicU32::new(0));
    server(move |_| {
        let index = f64::from(served.fetch_add(1, Ordering::Relaxed));
        let share = (0.5 + index * 0.618_033_988_749_894_9).fract();
        tokio::time::sleep(Duration::from_secs_f64(MEDIAN_S * (SIGMA * normal_quantile(share)).exp()))
    })
}

/// Returns the quantile of the standard normal distribution, by bisection of its distribution function.
///
/// Source: M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions (1964), 26.2.17, off by 7.5 × 10^-8 at most.
fn normal_quantile(share: f64) -> f64 {
    let below = |x: f64| {
        let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
        let sum = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530]
            .iter()
            .fold(0.0, |sum, factor| (sum + factor) * t);
        let tail = sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        if x > 0.0 { 1.0 - tail } else { tail }
    };
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if below(middle) < share { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Asserts that percentiles are the distribution's within 1 % and 100 µs.
fn agrees(seen: &world::Outcome, why: &str) {
    let latencies = seen.latencies_of(Outcome::Ok);
    // Quantiles of the standard normal distribution, from any table of it.
    for (quantile, z) in [
        (Quantile::P50, 0.0),
        (Quantile::P90, 1.281_552),
        (Quantile::P95, 1.644_854),
        (Quantile::P99, 2.326_348),
    ] {
        let theory = MEDIAN_S * (SIGMA * z).exp();
        let found = Duration::from_nanos(nearest_rank(&latencies, quantile).unwrap()).as_secs_f64();
        assert!((found - theory).abs() < 0.01 * theory + 100e-6, "{why}: {quantile:?} {found} for {theory}");
    }
    assert!(seen.samples.len() > 15_000, "{why}");
}

#[tokio::test(start_paused = true)]
async fn percentiles_are_those_of_the_service_times_in_either_model() {
    agrees(&perform(&open(Arrival::Constant, 200.0, 1_000, 100), &log_normal()).await, "constant arrivals");
    agrees(&perform(&open(Arrival::Poisson, 200.0, 1_000, 100), &log_normal()).await, "Poisson arrivals");
    let plan = StagePlan { think_time: Distribution::NONE, ..closed(50, 100) };
    agrees(&perform(&plan, &log_normal()).await, "closed");
}
