//! A source of metrics, whole: for which share of the time tasks waited for a CPU, by Linux's pressure stall information.
//!
//! `cargo run -p e3-metrics --example pressure_source` reads it three times, a second apart.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_metrics::{MetricSource, MetricsError, Readout, SourceKind, Targets};
use procfs::{CpuPressure, Current as _};
use tokio::time::Instant;

// ANCHOR: kind
/// The source's name, as an experiment's `collect` writes it, and how it is opened for the targets of a stage.
const KIND: SourceKind = SourceKind { name: "pressure", open };

/// Opens one source for this machine; a source of products would open one for each endpoint of the targets.
fn open(_: &Targets) -> Vec<Box<dyn MetricSource>> {
    vec![Box::new(Pressure::new())]
}
// ANCHOR_END: kind

// ANCHOR: source
/// Reads `/proc/pressure/cpu`.
struct Pressure {
    subject: Arc<str>,
    waited: Waited,
}

impl Pressure {
    fn new() -> Self {
        Self { subject: "machine".into(), waited: Waited::default() }
    }
}

#[async_trait]
impl MetricSource for Pressure {
    fn name(&self) -> &'static str {
        KIND.name
    }

    async fn read(&mut self) -> Readout {
        // Read from memory, not from a disk: quick enough to stay on the runtime.
        match CpuPressure::current() {
            Ok(pressure) => {
                let at = Instant::now();
                let mut readout = Readout::default();
                let share = self.waited.share(at, pressure.some.total);
                readout.add((at, &self.subject), "pressure/cpu", "%", share);
                readout
            }
            // A kernel that does not tell leaves a gap, never a zero.
            Err(source) => Readout::failed(MetricsError::Proc { file: "pressure/cpu", source }),
        }
    }
}
// ANCHOR_END: source

// ANCHOR: rate
/// The time that tasks have waited, as it was when it was last read.
#[derive(Default)]
struct Waited {
    before: Option<(Instant, u64)>,
}

impl Waited {
    /// Returns the share of the time since the last reading in which some task waited, in percent; none at the first.
    ///
    /// Source: Documentation/accounting/psi.rst of Linux: `total` is in microseconds.
    fn share(&mut self, at: Instant, total_us: u64) -> Option<f64> {
        let (since, before) = self.before.replace((at, total_us))?;
        let passed = at.saturating_duration_since(since);
        let waited = Duration::from_micros(total_us.checked_sub(before)?);
        (!passed.is_zero()).then(|| 100.0 * waited.as_secs_f64() / passed.as_secs_f64())
    }
}
// ANCHOR_END: rate

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() {
    let mut source = Pressure::new();
    for _ in 0..3 {
        let readout = source.read().await;
        for observation in &readout.observations {
            println!(
                "{}: {} {:.1} {}",
                observation.subject, observation.name, observation.value, observation.unit
            );
        }
        for problem in &readout.problems {
            println!("{problem}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

// ANCHOR: test
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_the_time_that_passed() {
        let begun = Instant::now();
        let mut waited = Waited::default();
        for (seconds, total_us, share, why) in [
            (0, 5_000_000, None, "the first has nothing before it"),
            (1, 5_250_000, Some(25.0), "a quarter of a second in one"),
            (3, 5_250_000, Some(0.0), "nobody waited, which is a zero"),
            (4, 1_000, None, "counting began anew, which is a gap"),
            (4, 2_000, None, "no time has passed"),
        ] {
            assert_eq!(waited.share(begun + Duration::from_secs(seconds), total_us), share, "{why}");
        }
    }
}
// ANCHOR_END: test
