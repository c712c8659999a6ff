//! Why a worker was the bottleneck, as people read it.

use std::fmt;

use crate::{ClientBound, Honesty, quantity};

impl fmt::Display for ClientBound {
    /// Writes what was measured and its limit, such as `1.95 of 2 CPUs used by the worker, limit 90 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (late, percent) =
            (quantity::short(Honesty::SCHEDULING_LAG_LIMIT_MS), |share: f64| quantity::short(100.0 * share));
        match self {
            Self::SchedulingLag(ms) => {
                write!(f, "99th percentile of the scheduling lag {}, limit {late} ms", quantity::latency(*ms))
            }
            Self::EventLoopDelay(ms) => write!(
                f,
                "99th percentile of the event-loop delay {}, limit {late} ms",
                quantity::latency(*ms)
            ),
            Self::WorkerCpu(used, cpus) => write!(
                f,
                "{} of {cpus} CPUs used by the worker, limit {} %",
                quantity::number(*used),
                percent(Honesty::WORKER_CPU_LIMIT)
            ),
            Self::Steal(share) => write!(
                f,
                "{} of the CPU time taken by the hypervisor, limit {} %",
                quantity::percent(*share),
                percent(Honesty::STEAL_LIMIT)
            ),
            Self::Descriptors(open, may) => write!(
                f,
                "{} of {} file descriptors open, limit {} %",
                quantity::count(*open),
                quantity::count(*may),
                percent(Honesty::DESCRIPTOR_LIMIT)
            ),
            Self::Retransmits(share) => write!(
                f,
                "{} of the TCP segments sent again, limit {} %",
                quantity::percent(*share),
                percent(Honesty::RETRANSMIT_LIMIT)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_named_with_what_was_measured() {
        for (bound, words) in [
            (ClientBound::SchedulingLag(23.46), "99th percentile of the scheduling lag 23.5 ms, limit 10 ms"),
            (
                ClientBound::EventLoopDelay(1200.0),
                "99th percentile of the event-loop delay 1.20 s, limit 10 ms",
            ),
            (ClientBound::WorkerCpu(1.95, 2), "1.95 of 2 CPUs used by the worker, limit 90 %"),
            (ClientBound::Steal(0.3), "30.0 % of the CPU time taken by the hypervisor, limit 5 %"),
            (ClientBound::Descriptors(1000, 1024), "1,000 of 1,024 file descriptors open, limit 90 %"),
            (ClientBound::Retransmits(0.1), "10.0 % of the TCP segments sent again, limit 1 %"),
        ] {
            assert_eq!(bound.to_string(), words);
        }
    }
}
