//! The load level: what the numbers of a stage are shown and compared at.

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Analysis, Arrival, ArrivalPlan, Comparison, Span, StageAnalysis, StageRef, quantity};

/// How much load a stage put on its system, in its measured window.
///
/// Clients of the closed model and rates of the open one are different questions: no level of one equals, or can be
/// compared with, one of the other. Levels are in order: the closed ones by clients, then the open ones by the rate that
/// they end with.
#[derive(Debug, Clone, Copy)]
pub enum LoadLevel {
    /// So many clients of the closed model.
    Clients(u32),
    /// Arrivals of the open model; how many clients may be busy at a time is no load.
    Arrivals(OfferedRate),
}

/// Arrivals per second in a measured window, over all workers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct OfferedRate {
    /// How they are spaced.
    pub arrival: Arrival,
    /// The rate where the window begins, per second.
    pub from: f64,
    /// The rate at the end of the ramp, per second; the same where there is none.
    pub to: f64,
    /// How long the ramp takes from the window's start; zero for a rate that is held.
    pub ramp: Span,
}

impl LoadLevel {
    /// Returns whether this is a level of the open model.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Arrivals(_))
    }

    /// Returns the rate of the open model; none in the closed one.
    pub fn offered(&self) -> Option<OfferedRate> {
        match self {
            Self::Clients(_) => None,
            Self::Arrivals(offered) => Some(*offered),
        }
    }
}

impl OfferedRate {
    /// Returns the rate of a schedule from so many milliseconds of its stage on.
    fn of(plan: &ArrivalPlan, start_ms: u64) -> Self {
        let left = plan.ramp.as_millis().saturating_sub(start_ms);
        let is_held = left == 0 || plan.from.total_cmp(&plan.to).is_eq();
        let from = if is_held { plan.to } else { plan.rate_at(Span::from_millis(start_ms).as_secs_f64()) };
        let ramp = if is_held { Span::ZERO } else { Span::from_millis(left) };
        Self { arrival: plan.arrival, from, to: plan.to, ramp }
    }
}

impl StageAnalysis {
    /// Returns the stage's load level: in the open model the rates of its measured window, so that a ramp which the warm-up
    /// covers is none.
    pub fn load(&self) -> LoadLevel {
        let Some(plan) = &self.arrivals else { return LoadLevel::Clients(self.clients) };
        // Of a stage that ended before its warm-up did, nothing is shown; it keeps the name of what it was to hold.
        let nothing = self.window_end_ms <= self.window_start_ms;
        LoadLevel::Arrivals(OfferedRate::of(plan, if nothing { u64::MAX } else { self.window_start_ms }))
    }

    /// Returns where the stage stands on an axis of loads: its clients, or the arrivals per second that its schedule has in
    /// the measured window, on average.
    pub fn load_number(&self) -> f64 {
        let (LoadLevel::Arrivals(offered), Some(plan)) = (self.load(), &self.arrivals) else {
            return self.clients.into();
        };
        if offered.ramp == Span::ZERO {
            return offered.to;
        }
        let [start, end] =
            [self.window_start_ms, self.window_end_ms].map(|ms| Span::from_millis(ms).as_secs_f64());
        (plan.expected(end) - plan.expected(start)) / (end - start)
    }

    /// Returns the ops that were due in the measured window: those that ended, and those that the stage's end cut off or
    /// never let begin.
    pub fn due(&self) -> u64 {
        self.total.count.saturating_add(self.total.cancelled)
    }

    /// Returns the iterations that were due in the measured window; in the open model, its arrivals.
    pub fn iterations(&self) -> u64 {
        self.jobs.iter().fold(0, |sum, job| sum.saturating_add(job.iterations))
    }
}

impl Analysis {
    /// Returns the load level of a stage; none where the analysis does not have it.
    pub fn load_of(&self, stage: StageRef) -> Option<LoadLevel> {
        let mut stages = self.threads.iter().flat_map(|thread| &thread.stages);
        stages.find(|own| own.stage == stage).map(StageAnalysis::load)
    }
}

impl Comparison {
    /// Returns the load level that both threads had.
    pub fn load(&self) -> LoadLevel {
        self.offered.map_or(LoadLevel::Clients(self.clients), LoadLevel::Arrivals)
    }
}

impl Ord for LoadLevel {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Clients(own), Self::Clients(other)) => own.cmp(other),
            (Self::Arrivals(own), Self::Arrivals(other)) => own.cmp(other),
            (Self::Clients(_), Self::Arrivals(_)) => Ordering::Less,
            (Self::Arrivals(_), Self::Clients(_)) => Ordering::Greater,
        }
    }
}

impl Ord for OfferedRate {
    fn cmp(&self, other: &Self) -> Ordering {
        let poisson = |own: &Self| own.arrival == Arrival::Poisson;
        let rates = self.to.total_cmp(&other.to).then(self.from.total_cmp(&other.from));
        rates.then(self.ramp.cmp(&other.ramp)).then(poisson(self).cmp(&poisson(other)))
    }
}

/// Equality by order: rates are numbers, and never missing.
macro_rules! equal_by_order {
    ($($of:ty),*) => {$(
        impl PartialOrd for $of {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl PartialEq for $of {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }
        impl Eq for $of {}
    )*};
}

equal_by_order!(LoadLevel, OfferedRate);

impl fmt::Display for LoadLevel {
    /// Writes a level as people read it: `1 client`, `16 clients`, `100/s`, `10 → 200/s`, `100/s (Poisson)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clients(1) => f.write_str("1 client"),
            Self::Clients(clients) => write!(f, "{} clients", quantity::count(u64::from(*clients))),
            Self::Arrivals(offered) => offered.fmt(f),
        }
    }
}

impl fmt::Display for OfferedRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ramp != Span::ZERO {
            write!(f, "{} → ", shown(self.from))?;
        }
        write!(f, "{}/s", shown(self.to))?;
        if self.arrival == Arrival::Poisson { f.write_str(" (Poisson)") } else { Ok(()) }
    }
}

/// Returns a rate as its author wrote it; one that is only computed, to three places.
fn shown(rate: f64) -> String {
    let text = format!("{rate:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text.parse::<u64>() {
        Ok(0) if rate > 0.0 => quantity::number(rate),
        Ok(whole) => quantity::count(whole),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(from: f64, to: f64, ramp: u64) -> LoadLevel {
        LoadLevel::Arrivals(OfferedRate { arrival: Arrival::Constant, from, to, ramp: Span::from_secs(ramp) })
    }

    #[test]
    fn a_level_reads_as_what_was_asked_for() {
        for (level, text) in [
            (LoadLevel::Clients(1), "1 client"),
            (LoadLevel::Clients(1600), "1,600 clients"),
            (offered(100.0, 100.0, 0), "100/s"),
            (offered(12_500.0, 12_500.0, 0), "12,500/s"),
            (offered(0.25, 0.25, 0), "0.25/s"),
            (offered(0.000_001, 0.000_001, 0), "0.00000100/s"),
            (offered(10.0, 200.0, 60), "10 → 200/s"),
            (offered(200.0, 0.0, 60), "200 → 0/s"),
            (offered(100.0 / 3.0, 200.0, 60), "33.333 → 200/s"),
        ] {
            assert_eq!(level.to_string(), text);
        }
        let LoadLevel::Arrivals(constant) = offered(5.0, 5.0, 0) else { unreachable!() };
        let poisson = LoadLevel::Arrivals(OfferedRate { arrival: Arrival::Poisson, ..constant });
        assert_eq!(poisson.to_string(), "5/s (Poisson)");
        assert_ne!(poisson, LoadLevel::Arrivals(constant), "they queue differently at the same rate");
    }

    #[test]
    fn closed_levels_come_before_open_ones_and_equal_none_of_them() {
        let mut levels = [
            offered(200.0, 10.0, 9),
            offered(100.0, 100.0, 0),
            LoadLevel::Clients(500),
            offered(10.0, 100.0, 9),
        ];
        levels.sort();
        let shown: Vec<String> = levels.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["500 clients", "200 → 10/s", "10 → 100/s", "100/s"]);
        assert_ne!(LoadLevel::Clients(100), offered(100.0, 100.0, 0));
        assert_ne!(offered(10.0, 100.0, 9), offered(10.0, 100.0, 8), "the steeper ramp is another load");
    }

    #[test]
    fn a_ramp_that_the_warm_up_covers_is_none() {
        let plan = ArrivalPlan {
            arrival: Arrival::Constant,
            from: 0.0,
            to: 100.0,
            ramp: Span::from_secs(10),
            seed: crate::Seed(1),
        };
        for (start_ms, text, why) in [
            (10_000, "100/s", "the warm-up is as long as the ramp"),
            (u64::MAX, "100/s", "nothing was measured"),
            (5_000, "50 → 100/s", "half of the ramp is measured"),
            (0, "0 → 100/s", "all of it is"),
        ] {
            assert_eq!(LoadLevel::Arrivals(OfferedRate::of(&plan, start_ms)).to_string(), text, "{why}");
        }
    }
}
