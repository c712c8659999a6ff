//! Whether Poisson arrivals are a Poisson process, at a held rate and on ramps.

use std::time::Duration;

use e3_load::Schedule;
use e3_model::{Arrival, ArrivalPlan, Seed, Span};

const HOUR: u64 = 3_600;

fn plans() -> Vec<(ArrivalPlan, &'static str)> {
    let plan = |from, to, ramp, seed| ArrivalPlan {
        arrival: Arrival::Poisson,
        from,
        to,
        ramp: Span::from_secs(ramp),
        seed: Seed(seed),
    };
    vec![
        (plan(20.0, 20.0, 0, 1), "held"),
        (plan(0.0, 40.0, HOUR, 2), "from nothing, all the hour"),
        (plan(50.0, 5.0, HOUR / 2, 3), "down for half of the hour, then held"),
        (plan(30.0, 0.0, HOUR, 4), "down to nothing"),
    ]
}

fn due_s(plan: &ArrivalPlan, (turn, workers): (u32, u32)) -> Vec<f64> {
    let schedule = Schedule::new(plan, (turn, workers), Duration::from_secs(HOUR));
    schedule.map(|due| Duration::from_nanos(due.at_ns).as_secs_f64()).collect()
}

/// Returns the largest distance between the distribution of values and one that is known, times √n.
///
/// Source: A. N. Kolmogorov (1933); of independent values from that distribution it exceeds 1.949 once in a thousand:
/// P = 2 exp(−2 x²), F. J. Massey, The Kolmogorov-Smirnov Test for Goodness of Fit, Journal of the American
/// Statistical Association 46 (1951).
fn kolmogorov_smirnov(mut values: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let distance = values.iter().zip(0_u32..).map(|(value, before)| {
        let expected = distribution(*value);
        (expected - f64::from(before) / n).max(f64::from(before + 1) / n - expected)
    });
    distance.fold(0.0, f64::max) * n.sqrt()
}

const ONCE_IN_A_THOUSAND: f64 = 1.949;

#[test]
fn distances_are_exponential_once_time_is_counted_in_expected_arrivals() {
    for (plan, why) in plans() {
        let expected: Vec<f64> = due_s(&plan, (0, 1)).iter().map(|at| plan.expected(*at)).collect();
        assert!(expected.len() > 40_000, "{why}");
        let distances: Vec<f64> =
            std::iter::once(&0.0).chain(&expected).zip(&expected).map(|(before, at)| at - before).collect();
        let distance = kolmogorov_smirnov(distances.clone(), |x| 1.0 - (-x).exp());
        assert!(distance < ONCE_IN_A_THOUSAND, "{why}: {distance}");
        // Independent of each other, too: the correlation of neighbours has a standard error of 1 / √n.
        let neighbours = distances.windows(2).map(|two| (two[0] - 1.0) * (two[1] - 1.0)).sum::<f64>();
        assert!((neighbours / (distances.len() as f64).sqrt()).abs() < 4.0, "{why}: {neighbours}");
    }
}

/// Given their number, the arrivals of a Poisson process lie as independent draws whose density is the rate.
#[test]
fn arrivals_lie_as_the_rate_says() {
    for (plan, why) in plans() {
        // The integral of the rate by the trapezoid of each second, which is exact where the rate is linear.
        let mut integral = vec![0.0];
        for second in 0..HOUR {
            let (left, right) = (second as f64, second as f64 + 1.0);
            integral.push(integral[integral.len() - 1] + (plan.rate_at(left) + plan.rate_at(right)) / 2.0);
        }
        let total = integral[integral.len() - 1];
        let share = |at: f64| {
            let (second, part) = (at.floor(), at.fract());
            let middle = plan.rate_at(second + part / 2.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a second of the hour"
            )]
            let before = integral[second as usize];
            (before + middle * part) / total
        };
        let distance = kolmogorov_smirnov(due_s(&plan, (0, 1)), share);
        assert!(distance < ONCE_IN_A_THOUSAND, "{why}: {distance}");
    }
}

/// A worker's turns have the distances of every third arrival: a sum of three exponential variables.
#[test]
fn a_share_has_the_distances_of_its_turns() {
    for (plan, why) in plans() {
        let expected: Vec<f64> = due_s(&plan, (1, 3)).iter().map(|at| plan.expected(*at)).collect();
        let distances: Vec<f64> = expected.windows(2).map(|two| two[1] - two[0]).collect();
        // Source: the Erlang distribution of three phases.
        let distance = kolmogorov_smirnov(distances, |x| 1.0 - (1.0 + x + x * x / 2.0) * (-x).exp());
        assert!(distance < ONCE_IN_A_THOUSAND, "{why}: {distance}");
    }
}

/// The statistic can tell: equal distances, and exponential ones of a mean that is 3 % off, are both refused.
#[test]
fn the_statistic_refuses_what_is_no_poisson_process() {
    let exponential = |x: f64| 1.0 - (-x).exp();
    let (plan, _) = plans().remove(0);
    let constant = ArrivalPlan { arrival: Arrival::Constant, ..plan.clone() };
    for (plan, scale) in [(constant, 20.0), (plan, 20.6)] {
        let due = due_s(&plan, (0, 1));
        let distances = due.windows(2).map(|two| (two[1] - two[0]) * scale).collect();
        assert!(kolmogorov_smirnov(distances, exponential) > ONCE_IN_A_THOUSAND);
    }
}
