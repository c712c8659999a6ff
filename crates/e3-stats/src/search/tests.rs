use proptest::prelude::*;

use super::*;

const TO: f64 = 64.0;

fn plan(from: f64, to: f64) -> SearchPlan {
    SearchPlan { slo: Vec::new(), from, to, precision: 0.1, probes: 12, repeats: 2 }
}

/// Searches until the end; returns the last state and every probe.
fn run(
    plan: &SearchPlan,
    is_open: bool,
    mut oracle: impl FnMut(f64) -> ProbeVerdict,
) -> (SearchState, Vec<(f64, ProbeVerdict)>) {
    let mut probes = Vec::new();
    loop {
        let state = search(plan, is_open, &probes);
        let Some(load) = state.next else { return (state, probes) };
        assert!(probes.len() < 1_000, "the search does not end");
        probes.push((load, oracle(load)));
    }
}

/// A system that holds up to a load, and breaks above.
fn knee(at: f64) -> impl Fn(f64) -> ProbeVerdict {
    move |load| if load <= at { ProbeVerdict::Held } else { ProbeVerdict::Broken }
}

/// Gives these answers in turn; more are not asked for.
fn script(answers: &str) -> impl FnMut(f64) -> ProbeVerdict {
    let mut answers = answers.chars().collect::<Vec<_>>().into_iter();
    move |_| match answers.next().expect("no further probe") {
        'h' => ProbeVerdict::Held,
        'b' => ProbeVerdict::Broken,
        _ => ProbeVerdict::Undecided,
    }
}

fn loads(probes: &[(f64, ProbeVerdict)]) -> Vec<f64> {
    probes.iter().map(|(load, _)| *load).collect()
}

#[test]
fn loads_double_then_the_bracket_is_bisected_and_the_lower_end_repeated() {
    let (state, probes) = run(&plan(4.0, TO), false, knee(21.0));
    assert_eq!(loads(&probes), [4.0, 8.0, 16.0, 32.0, 23.0, 19.0, 21.0, 21.0]);
    let expected = SearchState {
        next: None,
        end: SearchEnd::Found,
        highest_held: Some(21.0),
        lowest_broken: Some(23.0),
    };
    assert_eq!(state, expected);
}

#[test]
fn an_open_search_probes_rates_that_read_well() {
    let (state, probes) = run(&plan(10.0, 160.0), true, knee(40.0));
    assert_eq!(loads(&probes), [10.0, 20.0, 40.0, 80.0, 56.5685, 47.5683, 43.6203, 40.0]);
    assert_eq!(
        (state.end, state.highest_held, state.lowest_broken),
        (SearchEnd::Found, Some(40.0), Some(43.6203))
    );
}

#[test]
fn every_end_is_reached() {
    use SearchEnd::{Found, HeldEverywhere, HeldNowhere, ProbesUsedUp, Undecided};
    for (closed, answers, end, held, broken, why) in [
        ((4.0, 8.0), "hhh", HeldEverywhere, Some(8.0), None, "the highest load is confirmed like any other"),
        ((4.0, 7.0), "hhh", HeldEverywhere, Some(7.0), None, "the last doubling stops at the highest load"),
        ((4.0, 64.0), "bbb", HeldNowhere, None, Some(1.0), "down to one client"),
        (
            (5.0, 64.0),
            "bhbh",
            Found,
            Some(2.0),
            Some(3.0),
            "neighbours need no precision: 5, 2, 3, and 2 again",
        ),
        ((4.0, 64.0), "uu", Undecided, None, None, "the first load says nothing, twice"),
        ((4.0, 4.0), "uhu", Undecided, None, None, "one that held once is not confirmed"),
        ((4.0, 64.0), "buu", Undecided, None, Some(4.0), "nothing below what broke can be said"),
        (
            (8.0, 16.0),
            "huuhhhhh",
            Undecided,
            Some(15.0),
            None,
            "up to where probes say something: 11, 13, 14, 15",
        ),
        (
            (8.0, 16.0),
            "huubhbh",
            Found,
            Some(9.0),
            Some(10.0),
            "what says nothing matters not above what breaks",
        ),
        (
            (8.0, 16.0),
            "hbuuhhh",
            Undecided,
            Some(10.0),
            Some(16.0),
            "11 says nothing, 10 is the last below it",
        ),
        (
            (1.0, 4096.0),
            "hhhhhhhhhhhh",
            ProbesUsedUp,
            Some(1024.0),
            None,
            "the last probe confirms what was shown",
        ),
    ] {
        let (state, probes) = run(&plan(closed.0, closed.1), false, script(answers));
        assert_eq!(probes.len(), answers.len(), "{why}: {probes:?}");
        assert_eq!(
            (state.end, state.highest_held, state.lowest_broken),
            (end, held, broken),
            "{why}: {probes:?}"
        );
    }
}

#[test]
fn a_load_that_flips_is_broken_and_the_search_goes_on_below() {
    let (state, probes) = run(&plan(8.0, 32.0), false, script("hhbhhhhbbh"));
    assert_eq!(loads(&probes), [8.0, 16.0, 32.0, 23.0, 27.0, 29.0, 30.0, 30.0, 29.0, 27.0]);
    assert_eq!(
        (state.end, state.highest_held, state.lowest_broken),
        (SearchEnd::Found, Some(27.0), Some(29.0))
    );
}

#[test]
fn a_majority_confirms_a_load_that_broke_once() {
    let plan = SearchPlan { repeats: 3, ..plan(4.0, 4.0) };
    for (answers, end, held, why) in [
        ("hhh", SearchEnd::HeldEverywhere, Some(4.0), "three of three"),
        ("hhbh", SearchEnd::HeldEverywhere, Some(4.0), "three of four"),
        ("hbbb", SearchEnd::HeldNowhere, None, "a tie is a break, and 2 and 1 break, too"),
    ] {
        let (state, probes) = run(&plan, false, script(answers));
        assert_eq!(
            (probes.len(), state.end, state.highest_held),
            (answers.len(), end, held),
            "{why}: {probes:?}"
        );
    }
}

#[test]
fn the_state_of_a_search_under_way_says_what_is_known() {
    let probes = [(8.0, ProbeVerdict::Held), (16.0, ProbeVerdict::Broken)];
    let state = search(&plan(8.0, TO), false, &probes);
    let expected = SearchState {
        next: Some(11.0),
        end: SearchEnd::CutShort,
        highest_held: None,
        lowest_broken: Some(16.0),
    };
    assert_eq!(state, expected, "8 has held once, which is not enough");
}

#[test]
fn a_rate_of_six_digits_is_one_that_any_reader_of_json_gets_right() {
    for (rate, rounded) in [
        (22.627_416_997, 22.6274),
        (0.001_234_567_8, 0.001_234_57),
        (99_999.96, 100_000.0),
        (123_456.7, 123_457.0),
    ] {
        assert!(six_digits(rate).total_cmp(&rounded).is_eq(), "{rate}: {}", six_digits(rate));
    }
}

proptest! {
    #[test]
    fn any_knee_is_found_within_the_precision_in_twelve_probes(
        from in 0.01_f64..1e4,
        times in 16.0_f64..=64.0,
        place in -6.0_f64..=6.5,
    ) {
        let (plan, at) = (plan(from, from * times), from * place.exp2());
        let (state, probes) = run(&plan, true, knee(at));
        prop_assert!(probes.len() <= 12);
        match state.end {
            SearchEnd::Found => {
                let (held, broken) = (state.highest_held.unwrap(), state.lowest_broken.unwrap());
                prop_assert!(held <= at && at < broken && broken / held <= 1.1 + 1e-6, "{held} {at} {broken}");
            }
            SearchEnd::HeldEverywhere => prop_assert!(at >= plan.to && state.highest_held == Some(plan.to)),
            end => prop_assert!(false, "{end:?} {probes:?}"),
        }
    }

    #[test]
    fn any_knee_of_clients_is_found_to_the_precision_or_to_one_client(
        from in 1_u32..200,
        times in 1_u32..=64,
        knee_at in 0_u32..14_000,
    ) {
        let (plan, at) = (plan(from.into(), (from * times).into()), f64::from(knee_at));
        let (state, probes) = run(&plan, false, knee(at));
        // Far below the first load there are up to seven halvings and as many as it takes from there.
        prop_assume!(at * 64.0 >= plan.from || at == 0.0);
        prop_assert!(probes.iter().all(|(load, _)| load.fract() == 0.0 && *load >= 1.0 && *load <= plan.to));
        match state.end {
            SearchEnd::Found => {
                let (held, broken) = (state.highest_held.unwrap(), state.lowest_broken.unwrap());
                prop_assert!(held <= at && at < broken);
                prop_assert!(broken / held <= 1.1 + 1e-6 || broken - held <= 1.0, "{held} {broken}");
            }
            SearchEnd::HeldEverywhere => prop_assert!(at >= plan.to && state.highest_held == Some(plan.to)),
            SearchEnd::HeldNowhere => prop_assert!(at < 1.0),
            end => prop_assert!(false, "{end:?} {probes:?}"),
        }
    }

    #[test]
    fn no_oracle_prolongs_a_search_or_makes_it_claim_what_was_not_shown(
        is_open: bool,
        from in 1_u32..64,
        times in 1_u32..64,
        most in 2_u32..40,
        repeats in 1_u32..5,
        draws in prop::collection::vec(0_u8..10, 40),
    ) {
        let plan = SearchPlan { probes: most, repeats, ..plan(from.into(), (from * times).into()) };
        // Sides are as likely as each other, whatever the load: neither monotone nor steady.
        let verdict = |draw: u8| match draw {
            0..5 => ProbeVerdict::Held,
            5..9 => ProbeVerdict::Broken,
            _ => ProbeVerdict::Undecided,
        };
        let mut next = draws.iter();
        let (state, probes) = run(&plan, is_open, |_| verdict(*next.next().expect("at most 40 probes")));
        prop_assert!(probes.len() <= usize::try_from(most).unwrap());
        prop_assert!(state.end != SearchEnd::CutShort);
        prop_assert!(probes.iter().all(|(load, _)| *load > 0.0 && *load <= plan.to));
        let count = |at: f64, verdict| {
            u32::try_from(probes.iter().filter(|probe| **probe == (at, verdict)).count()).unwrap()
        };
        if let Some(held) = state.highest_held {
            let (for_it, against) = (count(held, ProbeVerdict::Held), count(held, ProbeVerdict::Broken));
            prop_assert!(for_it >= repeats && for_it > against, "{held}: {probes:?}");
            prop_assert!(state.lowest_broken.is_none_or(|broken| broken > held));
        }
        let found = matches!(state.end, SearchEnd::Found | SearchEnd::HeldEverywhere);
        prop_assert!(!found || state.highest_held.is_some());
        let mut again = draws.iter();
        prop_assert_eq!(run(&plan, is_open, |_| verdict(*again.next().unwrap())), (state, probes));
    }

    #[test]
    fn a_knee_that_is_noisy_is_never_exceeded_by_more_than_was_shown(
        at in 4.0_f64..60.0,
        draws in prop::collection::vec(0_u8..10, 12),
    ) {
        // A tenth of the probes are broken for no reason of the load.
        let mut draws = draws.into_iter();
        let system = knee(at);
        let oracle = |load| if draws.next() == Some(0) { ProbeVerdict::Broken } else { system(load) };
        let (state, probes) = run(&plan(4.0, TO), true, oracle);
        prop_assert!(state.highest_held.is_none_or(|held| held <= at), "{state:?} {probes:?}");
        prop_assert!(probes.len() <= 12);
    }
}
