//! A limit that follows the machine's load.
//!
//! How Bitbucket finds its limit is not public, only that it is anew at each interval, from how busy the CPUs are. Here it
//! is scaled by the square root of wanted over actual busyness: half of the way, so that operations that have begun under
//! the former limit do not make it swing.

use std::sync::Arc;
use std::time::Duration;

use e3_model::AdaptiveTickets;
use tokio::time::MissedTickBehavior;

use super::cpu::CpuTimes;
use super::tickets::Tickets;
use crate::GithostError;

/// What finds the limit.
#[derive(Debug, Clone)]
pub(super) struct Controller {
    bounds: Bounds,
    interval: Duration,
    /// The limit before it is rounded.
    limit: f64,
}

/// What the limit keeps to.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    min: f64,
    max: f64,
    growth: f64,
    target: f64,
}

impl Controller {
    /// Begins in the middle, by ratio, of the least and the most.
    pub(super) fn new(rules: &AdaptiveTickets, cpus: usize) -> Result<Self, GithostError> {
        let (min, max) = (rules.min.tickets(cpus), rules.max.tickets(cpus));
        if min > max {
            let why = format!(
                "the least adaptive limit, {min}, is above the most, {max}, on this machine of {cpus} CPUs"
            );
            return Err(GithostError::Properties { why });
        }
        let (min, max) = (float(min), float(max));
        let bounds = Bounds { min, max, growth: rules.growth, target: rules.target };
        Ok(Self { bounds, interval: rules.interval.to_duration(), limit: (min * max).sqrt() })
    }

    /// Returns the limit as it is now.
    pub(super) fn tickets(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two whole numbers of tickets"
        )]
        let whole = self.limit.round() as usize;
        whole
    }

    /// Sets the limit anew at each interval, for ever. Where the load cannot be read, it stays as it is.
    pub(super) async fn follow(mut self, tickets: Arc<Tickets>) {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = None;
        loop {
            ticks.tick().await;
            let now = CpuTimes::now();
            let utilisation =
                now.zip(before).and_then(|(now, before): (CpuTimes, _)| now.utilisation_since(before));
            before = now;
            if let Some(utilisation) = utilisation {
                self.limit = next_limit(self.limit, utilisation, self.bounds);
                let limit = self.tickets();
                tracing::debug!(utilisation, limit, "the limit of hosting tickets");
                tickets.set_limit(limit);
            }
        }
    }
}

/// Returns the limit for the next interval: the former one, scaled by how busy the machine should be over how busy it was.
fn next_limit(limit: f64, utilisation: f64, bounds: Bounds) -> f64 {
    let ratio = (bounds.target / utilisation.max(LEAST_BUSY)).sqrt();
    let grown = limit * ratio.min(1.0 + bounds.growth);
    grown.clamp(bounds.min, bounds.max)
}

fn float(tickets: usize) -> f64 {
    f64::from(u32::try_from(tickets).unwrap_or(u32::MAX))
}

/// A machine that idles counts as this busy.
const LEAST_BUSY: f64 = 0.01;

#[cfg(test)]
mod tests {
    use e3_model::{Span, TicketCount};

    use super::*;

    const BOUNDS: Bounds = Bounds { min: 2.0, max: 100.0, growth: 1.0, target: 0.75 };

    /// A machine that each operation keeps busy by a share, which what has begun before still does in part.
    struct Plant {
        each: f64,
        lag: f64,
        running: f64,
    }

    impl Plant {
        fn utilisation(&mut self, limit: f64) -> f64 {
            self.running = self.lag * self.running + (1.0 - self.lag) * limit;
            (self.running * self.each).min(1.0)
        }
    }

    #[test]
    fn a_machine_becomes_as_busy_as_it_shall_be_and_stays_so() {
        for (each, lag, start, target) in [
            (0.03, 0.0, 2.0, 0.75),
            // From far above, where the machine is no more than fully busy.
            (0.03, 0.0, 100.0, 0.75),
            (0.03, 0.5, 2.0, 0.75),
            (0.02, 0.7, 100.0, 0.9),
            (0.1, 0.5, 40.0, 0.5),
        ] {
            let bounds = Bounds { target, ..BOUNDS };
            let (mut limit, mut plant) = (start, Plant { each, lag, running: start });
            for interval in 0..60 {
                let utilisation = plant.utilisation(limit);
                limit = next_limit(limit, utilisation, bounds);
                let off = (utilisation / target - 1.0).abs();
                assert!(interval < 30 || off < 0.05, "{each} {lag} {start}: {utilisation} after {interval}");
            }
            let wanted = target / each;
            assert!((limit / wanted - 1.0).abs() < 0.05, "{limit}, not {wanted}");
        }
    }

    #[test]
    fn the_limit_keeps_to_its_bounds_and_its_growth() {
        assert_eq!(next_limit(50.0, 0.0, BOUNDS), 100.0, "it doubles, and no more, for a machine that idles");
        assert_eq!(next_limit(80.0, 0.0, BOUNDS), 100.0, "and no higher than the most");
        assert_eq!(next_limit(10.0, 0.0, Bounds { growth: 0.1, ..BOUNDS }), 11.0);
        assert_eq!(next_limit(10.0, 0.75, BOUNDS), 10.0, "what is right stays");
        assert_eq!(next_limit(2.0, 1.0, BOUNDS), 2.0, "and no lower than the least");
        assert!(next_limit(10.0, 0.8, BOUNDS) < 10.0 && next_limit(10.0, 0.7, BOUNDS) > 10.0);
    }

    #[test]
    fn a_controller_begins_between_its_bounds() {
        let rules = AdaptiveTickets {
            min: TicketCount::of(4.0),
            max: TicketCount::of(16.0),
            interval: Span::from_secs(2),
            growth: 1.0,
            target: 0.75,
        };
        assert_eq!(Controller::new(&rules, 2).unwrap().tickets(), 8);
        let rules = AdaptiveTickets { min: TicketCount::per_cpu(9.0), ..rules };
        let why = Controller::new(&rules, 2).unwrap_err().to_string();
        assert!(why.contains("18, is above the most, 16"), "{why}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_tickets_follow_the_controller() {
        let rules = AdaptiveTickets {
            min: TicketCount::of(3.0),
            max: TicketCount::of(3.0),
            interval: Span::from_secs(2),
            growth: 1.0,
            target: 0.75,
        };
        let limits = crate::Limits::default();
        let hosting = e3_model::HostingTickets {
            strategy: Some(e3_model::TicketStrategy::Adaptive(rules)),
            timeout: None,
        };
        let properties = e3_model::ServerProperties { hosting, ..Default::default() };
        let throttle = super::super::Throttle::new(&properties, &limits).unwrap();
        assert_eq!(throttle.hosting.counted().total, 3);
        throttle.hosting.set_limit(1);
        let _following = throttle.follow_load().unwrap();
        // Paused time passes at once, so a look may come before the kernel has counted a tick.
        for _ in 0..100_000 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            if throttle.hosting.counted().total == 3 {
                return;
            }
        }
        panic!("the limit was never set");
    }
}
