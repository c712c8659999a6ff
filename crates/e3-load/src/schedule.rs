//! When the iterations of an open stage are due: a function of its plan and of nothing else.
//!
//! Every worker knows the whole schedule and takes its turns of it, so that the workers' shares together are the plan,
//! arrival for arrival, whatever their number. An arrival brings its own draws; which client serves it changes none.

use std::time::Duration;

use e3_model::{Arrival, ArrivalPlan, Seed};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1};

/// An iteration of the open model, and when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Its position in the whole schedule, over all workers, from 0.
    pub index: u64,
    /// When it is due, in nanoseconds since the stage's start.
    pub at_ns: u64,
    /// The seed of all that is drawn for it: its job, and what its iteration draws.
    pub seed: Seed,
}

/// The arrivals of a stage that fall to one worker, in order; ends with the stage.
///
/// Constant arrival i is due when i arrivals are expected, so that the first is due at once and a rate of r gives
/// exactly r × t in t seconds where that is whole. Poisson arrival i is due when the sum of i + 1 exponential variables
/// of mean 1 is expected. A schedule holds a few hundred bytes, however long it is, and no error adds up in it.
///
/// Source: E. Çinlar, Introduction to Stochastic Processes (1975), chapter 4.7: a Poisson process of any rate is one of
/// rate 1 whose time is transformed by the inverse of the expected count.
#[derive(Debug, Clone)]
pub struct Schedule {
    kind: Arrival,
    seed: Seed,
    curve: Curve,
    /// Which of so many workers this is.
    turn: u32,
    workers: u32,
    /// Nothing is due from then on.
    end_ns: u64,
    /// How many it may still give.
    left: u64,
    /// The position of the next arrival that was not looked at.
    next: u64,
    /// The sum of the exponential variables up to the last arrival; of constant arrivals there are none.
    passed: f64,
    random: ChaCha8Rng,
}

impl Schedule {
    /// Returns what is due within `duration` and falls to one of so many workers, which count from 0.
    pub fn new(plan: &ArrivalPlan, (turn, workers): (u32, u32), duration: Duration) -> Self {
        let workers = workers.max(1);
        Self {
            kind: plan.arrival,
            seed: plan.seed,
            curve: Curve::of(plan),
            turn,
            workers,
            end_ns: u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
            left: u64::MAX,
            next: if plan.arrival == Arrival::Constant { u64::from(turn) } else { 0 },
            passed: 0.0,
            random: ChaCha8Rng::seed_from_u64(plan.seed.fork(SPACING_LANE).0),
        }
    }

    /// Returns the same schedule, ended after so many arrivals.
    #[must_use]
    pub fn limited_to(self, arrivals: u64) -> Self {
        Self { left: self.left.min(arrivals), ..self }
    }

    /// Returns the position of the worker's next arrival, and how many are expected up to it.
    fn advance(&mut self) -> (u64, f64) {
        if self.kind == Arrival::Constant {
            let index = self.next;
            self.next = index.saturating_add(u64::from(self.workers));
            #[expect(clippy::cast_precision_loss, reason = "a million a second for a year are below 2^53")]
            return (index, index as f64);
        }
        loop {
            let index = self.next;
            self.next = index.saturating_add(1);
            let spacing: f64 = Exp1.sample(&mut self.random);
            self.passed += spacing;
            if ArrivalPlan::falls_to(index, self.workers) == self.turn {
                return (index, self.passed);
            }
        }
    }
}

impl Iterator for Schedule {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        self.left = self.left.checked_sub(1)?;
        let (index, expected) = self.advance();
        let due = self.curve.reaches_ns(expected).filter(|at_ns| *at_ns < self.end_ns);
        if due.is_none() {
            self.left = 0;
        }
        Some(Due { index, at_ns: due?, seed: self.seed.fork(index) })
    }
}

/// How many arrivals are expected as time goes by: a parabola while the rate climbs or falls, and then a line.
#[derive(Debug, Clone, Copy)]
struct Curve {
    from: f64,
    to: f64,
    ramp_ns: f64,
    /// How many are expected while the ramp lasts.
    ramped: f64,
    /// By how much the rate changes per second of the ramp.
    slope: f64,
}

impl Curve {
    fn of(plan: &ArrivalPlan) -> Self {
        let ramp_s = plan.ramp.as_secs_f64();
        Self {
            from: plan.from,
            to: plan.to,
            ramp_ns: ramp_s * NS,
            ramped: plan.expected(ramp_s),
            slope: if ramp_s > 0.0 { (plan.to - plan.from) / ramp_s } else { 0.0 },
        }
    }

    /// Returns when so many arrivals are expected, in nanoseconds; none when they never are.
    ///
    /// The inverse of [`ArrivalPlan::expected`]. On the ramp, n = from × t + slope × t² / 2 is solved for t in the form
    /// that subtracts nothing from its like.
    ///
    /// Source: W. H. Press et al., Numerical Recipes, 3rd edition (2007), section 5.6.
    fn reaches_ns(&self, expected: f64) -> Option<u64> {
        let at_ns = if expected < self.ramped {
            let root = self.from.mul_add(self.from, 2.0 * self.slope * expected).max(0.0).sqrt();
            // From a rate of 0 the arrival that is expected at once leaves 0 / 0.
            if expected > 0.0 { 2.0 * expected * NS / (self.from + root) } else { 0.0 }
        } else if self.to > 0.0 {
            self.ramp_ns + (expected - self.ramped) * NS / self.to
        } else {
            return None;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, positive, and cut"
        )]
        Some(at_ns.round() as u64)
    }
}

const NS: f64 = 1e9;
/// The lane of the spacing's draws; no arrival has this number.
const SPACING_LANE: u64 = 1 << 63;

#[cfg(test)]
mod tests;
