//! The open model: iterations start when they are due, whether or not earlier ones have ended.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OfferedRate, Seed, Span};

/// How the starts of the open model are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// At equal distances.
    Constant,
    /// At random, as independent people arrive.
    Poisson,
}

/// Iterations started per second, over all workers: one number, or a linear ramp from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Rate {
    /// The same all the time, after the ramp-up if there is one.
    Held(#[schemars(range(min = 0.000_001, max = 1_000_000.0))] f64),
    /// From one rate to another within the ramp-up, or within the whole stage if there is none; then held.
    Ramp(RateRamp),
}

/// A linear ramp between two rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateRamp {
    /// The rate at the start, per second.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub from: f64,
    /// The rate at the end of the ramp, per second.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub to: f64,
}

/// The arrivals of an open stage, over all workers; which one falls to which worker is [`ArrivalPlan::falls_to`]'s to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArrivalPlan {
    /// How the starts are spaced.
    pub arrival: Arrival,
    /// The rate at the stage's start, per second.
    pub from: f64,
    /// The rate at the end of the ramp and from then on, per second.
    pub to: f64,
    /// How long the rate takes from one to the other, linearly; zero for a rate that is held from the start.
    pub ramp: Span,
    /// The seed of the spacing, and of every arrival's own draws.
    pub seed: Seed,
}

impl ArrivalPlan {
    /// Returns which of so many workers an arrival falls to, both from 0: they take turns.
    ///
    /// Any number of workers shares the same arrivals, none twice and none left out.
    pub fn falls_to(arrival: u64, workers: u32) -> u32 {
        let turn = arrival.checked_rem(u64::from(workers)).unwrap_or(0);
        u32::try_from(turn).unwrap_or(0)
    }

    /// Returns the rate at a time since the stage's start, both in seconds.
    pub fn rate_at(&self, seconds: f64) -> f64 {
        let ramp = self.ramp.to_duration().as_secs_f64();
        if seconds >= ramp { self.to } else { self.from + (self.to - self.from) * (seconds / ramp) }
    }

    /// Returns how many arrivals are expected up to a time since the stage's start, in seconds.
    pub fn expected(&self, seconds: f64) -> f64 {
        let ramp = self.ramp.to_duration().as_secs_f64();
        let ramped = seconds.min(ramp);
        (self.from + self.rate_at(ramped)) / 2.0 * ramped + self.to * (seconds - ramp).max(0.0)
    }
}

/// The schedule as people read it, such as `20/s (Poisson)` or `10 → 200/s within 1 min`.
impl fmt::Display for ArrivalPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arrival, from, to, ramp, .. } = *self;
        OfferedRate { arrival, from, to, ramp }.fmt(f)?;
        if ramp > Span::ZERO { write!(f, " within {ramp}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_a_trapezoid() {
        let plan = |from, to, ramp| ArrivalPlan {
            arrival: Arrival::Constant,
            from,
            to,
            ramp: Span::from_secs(ramp),
            seed: Seed(1),
        };
        for (from, to, ramp, at, rate, expected, why) in [
            (100.0, 100.0, 0, 10.0, 100.0, 1_000.0, "held"),
            (0.0, 100.0, 10, 5.0, 50.0, 125.0, "half-way up a ramp from nothing"),
            (0.0, 100.0, 10, 20.0, 100.0, 1_500.0, "a ramp, then held"),
            (200.0, 0.0, 10, 10.0, 0.0, 1_000.0, "down to nothing"),
            (10.0, 20.0, 4, 0.0, 10.0, 0.0, "the start"),
        ] {
            let plan = plan(from, to, ramp);
            assert!((plan.rate_at(at) - rate).abs() < 1e-9, "{why}");
            assert!((plan.expected(at) - expected).abs() < 1e-9, "{why}: {}", plan.expected(at));
        }
    }

    #[test]
    fn a_schedule_reads_as_people_say_it() {
        let plan = |arrival, from, to, ramp| ArrivalPlan { arrival, from, to, ramp, seed: Seed(1) };
        for (plan, shown) in [
            (plan(Arrival::Poisson, 20.0, 20.0, Span::ZERO), "20/s (Poisson)"),
            (plan(Arrival::Constant, 0.0, 0.05, Span::from_secs(60)), "0 → 0.05/s within 1 min"),
        ] {
            assert_eq!(plan.to_string(), shown);
        }
    }

    #[test]
    fn workers_take_turns() {
        let turns: Vec<_> = (0..7).map(|arrival| ArrivalPlan::falls_to(arrival, 3)).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(ArrivalPlan::falls_to(u64::MAX, 1), 0);
    }
}
