//! The schedule against what it promises: exact, shared without rest, and its own inverse.

use e3_model::Span;
use proptest::prelude::*;

use super::*;

fn plan(arrival: Arrival, (from, to): (f64, f64), ramp: Span) -> ArrivalPlan {
    ArrivalPlan { arrival, from, to, ramp, seed: Seed(42) }
}

fn whole(plan: &ArrivalPlan, seconds: u64) -> Schedule {
    Schedule::new(plan, (0, 1), Duration::from_secs(seconds))
}

#[test]
fn constant_arrivals_are_due_at_equal_distances_from_the_start() {
    for (rate, seconds, count, at, why) in [
        (100.0, 10, 1_000, (999, 9_990_000_000), "the first at 0, the last one distance before the end"),
        (0.1, 30, 3, (2, 20_000_000_000), "slower than one a second"),
        (3.0, 1, 3, (1, 333_333_333), "rounded to the nearest nanosecond"),
        (1_000_000.0, 1, 1_000_000, (999_999, 999_999_000), "as fast as may be"),
        (2.5, 1, 3, (2, 800_000_000), "a last one when the end is not reached"),
    ] {
        let plan = plan(Arrival::Constant, (rate, rate), Span::ZERO);
        let due: Vec<Due> = whole(&plan, seconds).collect();
        assert_eq!(due.len(), count, "{why}");
        assert_eq!((due[at.0].index, due[at.0].at_ns), (at.0 as u64, at.1), "{why}");
        assert_eq!(due[0].at_ns, 0, "{why}");
    }
}

#[test]
fn a_day_does_not_drift() {
    // Every arrival of a day at 97 per second, in whole numbers: i × 10^9 / 97, rounded; a double that lies next to the
    // middle between two nanoseconds may choose the other one.
    let plan = plan(Arrival::Constant, (97.0, 97.0), Span::ZERO);
    let mut count = 0_u64;
    for (due, index) in whole(&plan, 86_400).zip(0_u64..) {
        let exact = (index * 1_000_000_000 * 2 + 97) / (2 * 97);
        assert!(due.at_ns.abs_diff(exact) <= 1, "arrival {index}: {} for {exact}", due.at_ns);
        count += 1;
    }
    assert_eq!(count, 97 * 86_400);
}

#[test]
fn the_end_of_a_day_at_the_highest_rate_is_exact() {
    let plan = plan(Arrival::Constant, (1e6, 1e6), Span::ZERO);
    let mut schedule = whole(&plan, 86_400);
    schedule.next = 86_400_000_000 - 2;
    let last: Vec<_> = schedule.map(|due| due.at_ns).collect();
    assert_eq!(last, [86_399_999_998_000, 86_399_999_999_000]);
}

#[test]
fn ramps_begin_and_end_where_the_trapezoid_does() {
    let ramp = |from, to| plan(Arrival::Constant, (from, to), Span::from_secs(10));
    for (plan, seconds, count, at, why) in [
        (ramp(0.0, 100.0), 10, 500, (125, 5.0), "half of the way up a quarter is due"),
        (ramp(0.0, 100.0), 20, 1_500, (1_000, 15.0), "then the rate is held"),
        // Before the last of a ramp down one is left: 1 = slope × t² / 2 = 10 × t² / 2, so t² = 0.2.
        (ramp(100.0, 0.0), 10, 500, (375, 5.0), "half of the way down three quarters were due"),
        (ramp(100.0, 0.0), 60, 500, (499, 10.0 - 0.2_f64.sqrt()), "a ramp down to 0 ends"),
        (ramp(50.0, 50.0), 10, 500, (250, 5.0), "a ramp that is none"),
    ] {
        let due: Vec<Due> = whole(&plan, seconds).collect();
        assert_eq!(due.len(), count, "{why}");
        let found = Duration::from_nanos(due[at.0].at_ns).as_secs_f64();
        assert!((found - at.1).abs() < 1e-6, "{why}: {found}");
        assert!(due.windows(2).all(|two| two[0].at_ns < two[1].at_ns), "{why}");
    }
}

#[test]
fn nothing_is_due_at_a_rate_of_nothing() {
    for arrival in [Arrival::Constant, Arrival::Poisson] {
        for ramp in [Span::ZERO, Span::from_secs(5)] {
            assert_eq!(whole(&plan(arrival, (0.0, 0.0), ramp), 100).count(), 0);
        }
        let up = plan(arrival, (0.0, 10.0), Span::from_secs(10));
        assert_eq!(whole(&up, 10).limited_to(7).count(), 7, "a limit cuts it short");
        assert_eq!(whole(&up, 0).count(), 0, "no time, no arrival");
    }
}

#[test]
fn the_spacing_of_poisson_arrivals_is_fixed_by_the_seed() {
    let poisson = plan(Arrival::Poisson, (50.0, 50.0), Span::ZERO);
    let due: Vec<Due> = whole(&poisson, 100).collect();
    assert_eq!(due, whole(&poisson, 100).collect::<Vec<_>>());
    // Five standard deviations of 5,000 arrivals are 354.
    assert!((4_646..5_354).contains(&due.len()), "{}", due.len());
    let other = ArrivalPlan { seed: Seed(43), ..poisson };
    assert_ne!(due[0].at_ns, whole(&other, 100).next().unwrap().at_ns);
}

#[test]
fn an_ended_schedule_stays_ended() {
    let mut schedule = whole(&plan(Arrival::Poisson, (5.0, 5.0), Span::ZERO), 1);
    while schedule.next().is_some() {}
    assert!((0..1_000).all(|_| schedule.next().is_none()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the number of workers, their shares are the plan: none twice, none left out, none changed.
    #[test]
    fn the_shares_of_all_workers_are_the_whole(
        poisson: bool,
        (from, to) in (0.0_f64..400.0, 0.0_f64..400.0),
        ramp_ms in prop_oneof![Just(0_u64), 1_u64..20_000],
        seed in 0_u64..1_000_000,
        workers in 1_u32..=7,
    ) {
        let arrival = if poisson { Arrival::Poisson } else { Arrival::Constant };
        let ramp = Span::from_millis(ramp_ms);
        let plan = ArrivalPlan { arrival, from, to, ramp, seed: Seed(seed) };
        let duration = Duration::from_secs(10);
        let all: Vec<Due> = Schedule::new(&plan, (0, 1), duration).collect();
        let mut shared = Vec::new();
        for turn in 0..workers {
            let share: Vec<Due> = Schedule::new(&plan, (turn, workers), duration).collect();
            prop_assert!(share.iter().all(|due| ArrivalPlan::falls_to(due.index, workers) == turn));
            shared.extend(share);
        }
        shared.sort_unstable_by_key(|due| due.index);
        prop_assert_eq!(&shared, &all);
        prop_assert!(all.iter().zip(0..).all(|(due, index)| due.index == index));
        prop_assert!(all.is_sorted_by_key(|due| due.at_ns));
        if !poisson {
            let expected = plan.expected(10.0);
            prop_assert!((all.len() as f64 - expected).abs() <= 1.0, "{} of {}", all.len(), expected);
        }
    }

    /// The expected count at the time that was found is the count that was asked for.
    #[test]
    fn the_curve_is_inverted(
        (from, to) in (0.0_f64..1e6, 0.0_f64..1e6),
        ramp_ms in prop_oneof![Just(0_u64), 1_u64..86_400_000],
        share in 0.0_f64..0.999,
    ) {
        let plan = ArrivalPlan { ramp: Span::from_millis(ramp_ms), ..plan(Arrival::Constant, (from, to), Span::ZERO) };
        let asked = plan.expected(86_400.0) * share;
        let Some(at_ns) = Curve::of(&plan).reaches_ns(asked) else { return Ok(()) };
        let at_s = Duration::from_nanos(at_ns).as_secs_f64();
        // Half a nanosecond at the highest rate, and what doubles lose on 10^11 arrivals.
        let tolerance = 1e-9 * from.max(to) + asked * 1e-12;
        prop_assert!((plan.expected(at_s) - asked).abs() <= tolerance, "{} for {asked}", plan.expected(at_s));
    }
}
