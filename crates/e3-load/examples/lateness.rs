//! How late the arrivals of an open stage begin, at half of what a server in this process can do.
//!
//! `cargo run --release -p e3-load --example lateness -- [SECONDS]` prints one line of JSON: the rate, and percentiles of the
//! lateness in microseconds. `cargo xtask bench lateness` runs it several times.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement says its figures, or where it failed"
)]

#[path = "../tests/truth/world.rs"]
#[expect(dead_code, reason = "the truth tests use the rest")]
mod world;

use std::time::Duration;

use e3_model::Arrival;
use e3_stats::{Quantile, nearest_rank};

use world::{Serve, closed, open, perform, server};

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(4, |seconds| seconds.parse().unwrap());
    // Answers in about the time that a server on this machine takes.
    let serve: Serve = server(|_| tokio::time::sleep(Duration::from_micros(300)));
    let full = perform(&closed(CLIENTS, 2), &serve).await;
    let capacity = f64::from(u32::try_from(full.samples.len()).unwrap()) / 2.0;
    let rate = (capacity / 2.0).round();
    let seen = perform(&open(Arrival::Constant, rate, CLIENTS, seconds), &serve).await;
    let mut late: Vec<u64> = seen.samples.iter().map(|it| it.started_ns - it.scheduled_ns).collect();
    late.sort_unstable();
    let at = |quantile| nearest_rank(&late, quantile).unwrap() / 1_000;
    let (p50, p99, p999) = (at(Quantile::P50), at(Quantile::P99), at(Quantile::P999));
    let max = late.last().copied().unwrap_or(0) / 1_000;
    let line = format!(
        r#"{{"capacity": {capacity}, "rate": {rate}, "arrivals": {}, "p50_us": {p50}, "p99_us": {p99}, "p999_us": {p999}, "max_us": {max}}}"#,
        late.len()
    );
    println!("{line}");
}

const CLIENTS: u32 = 32;
