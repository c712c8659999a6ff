//! What the load model of a stage makes of its settings: closed with so many clients, or open with a rate.

use e3_model::{Arrival, ArrivalPlan, Distribution, Mix, Rate, RateRamp, Seed, Span};

use crate::context::Stage;

impl Stage<'_> {
    /// Returns whether iterations start when they are due, not when a client is free.
    pub(crate) fn is_open(&self) -> bool {
        self.spec.rate.is_some()
    }

    /// Returns how many clients there are, in the open model those that may be busy at a time; none where no model is said.
    pub(crate) fn clients(&self) -> Option<u32> {
        match self.spec.rate {
            Some(rate) => Some(self.spec.max_clients.unwrap_or_else(|| enough_clients(rate))),
            None => self.spec.clients,
        }
    }

    /// Returns when iterations are due, from the stage's seed; none in the closed model, or without a duration.
    ///
    /// A held rate climbs from nothing within the ramp-up; a ramp takes as long as the ramp-up, or the whole stage.
    pub(crate) fn arrivals(&self, seed: Seed) -> Option<ArrivalPlan> {
        let ramp_up = self.ramp_up().map(|ramp_up| ramp_up.value).filter(|ramp_up| *ramp_up > Span::ZERO);
        let (from, to, ramp) = match (self.spec.rate?, ramp_up) {
            (Rate::Held(rate), None) => (rate, rate, Span::ZERO),
            (Rate::Held(rate), Some(ramp_up)) => (0.0, rate, ramp_up),
            (Rate::Ramp(RateRamp { from, to }), None) => (from, to, self.duration()?.value),
            (Rate::Ramp(RateRamp { from, to }), Some(ramp_up)) => (from, to, ramp_up),
        };
        let arrival = self.spec.arrival.unwrap_or(Arrival::Constant);
        Some(ArrivalPlan { arrival, from, to, ramp, seed: arrivals_seed(seed) })
    }

    /// Returns about how many iterations are due in the whole stage; none in the closed model.
    pub(crate) fn expected_arrivals(&self) -> Option<f64> {
        let seconds = self.duration()?.value.to_duration().as_secs_f64();
        Some(self.arrivals(Seed(0))?.expected(seconds))
    }

    /// Returns what a job's weight is a share of: in the open model always of the iterations, since no client is anybody's.
    pub(crate) fn effective_mix(&self) -> Mix {
        if self.is_open() { Mix::Ops } else { self.mix().map_or(Mix::Clients, |setting| setting.value) }
    }

    /// Returns how long a client waits between iterations: never in the open model, where arrivals say when.
    pub(crate) fn effective_think_time(&self) -> Distribution {
        let own = self.think_time().filter(|_| !self.is_open());
        own.map_or(Distribution::NONE, |setting| setting.value)
    }
}

/// Returns the seed of a stage's arrivals, from the stage's own.
pub(crate) fn arrivals_seed(stage: Seed) -> Seed {
    stage.fork(ARRIVALS)
}

/// Returns how many clients are enough for a rate while iterations take up to ten seconds, within reason.
fn enough_clients(rate: Rate) -> u32 {
    let highest = match rate {
        Rate::Held(rate) => rate,
        Rate::Ramp(RateRamp { from, to }) => from.max(to),
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 16 to 4096")]
    let enough = (highest * ENOUGH_FOR_S).ceil().clamp(FEWEST, MOST) as u32;
    enough
}

/// The lane of the arrivals' seed; no client has this number.
const ARRIVALS: u64 = u64::MAX;
const ENOUGH_FOR_S: f64 = 10.0;
const FEWEST: f64 = 16.0;
const MOST: f64 = 4_096.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_worth_of_clients_are_enough_within_reason() {
        let ramp = |from, to| Rate::Ramp(RateRamp { from, to });
        for (rate, clients, why) in [
            (Rate::Held(0.01), 16, "at least 16"),
            (Rate::Held(1.65), 17, "rounded up"),
            (Rate::Held(20.0), 200, "ten seconds' worth"),
            (ramp(10.0, 50.0), 500, "of the highest rate"),
            (ramp(50.0, 0.0), 500, "of the highest rate, also when it comes first"),
            (Rate::Held(1_000_000.0), 4_096, "at most 4096"),
        ] {
            assert_eq!(enough_clients(rate), clients, "{why}");
        }
    }
}
