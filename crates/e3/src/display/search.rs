//! What people read of a search while it goes on.

use e3_fleet::Probing;
use e3_model::{SearchEnd, quantity};
use e3_stats::SearchState;

/// Returns which probe a stage is, as its line begins, such as `probe 3 of at most 12: `.
pub(super) fn number(probing: &Probing) -> String {
    format!("probe {} of at most {}: ", probing.number, probing.of)
}

/// Returns what a search that is over has found.
pub(super) fn end(state: &SearchState, is_open: bool) -> String {
    let load = |load: f64| match is_open {
        true => format!("{}/s", quantity::number(load)),
        false => format!("{} clients", quantity::short(load)),
    };
    let held = state.highest_held.map(|held| format!("held at {}", load(held)));
    let broken = state.lowest_broken.map(|broken| format!("broken at {}", load(broken)));
    let both: Vec<String> = held.into_iter().chain(broken).collect();
    let both = if both.is_empty() { "nothing is known".to_owned() } else { both.join(", ") };
    match state.end {
        SearchEnd::Found => format!("found: {both}"),
        SearchEnd::HeldEverywhere => format!("{both}, the highest load that may be probed"),
        SearchEnd::HeldNowhere => format!("{both}, and held nowhere"),
        SearchEnd::ProbesUsedUp => format!("no probes are left: {both}"),
        SearchEnd::Undecided => format!("probes say nothing, so that there is no answer: {both}"),
        SearchEnd::CutShort => format!("cut short: {both}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_is_said_with_what_was_seen() {
        use SearchEnd::{Found, HeldEverywhere, HeldNowhere, ProbesUsedUp, Undecided};
        for (end, is_open, held, broken, said) in [
            (Found, true, Some(38.0546), Some(41.5), "found: held at 38.1/s, broken at 41.5/s"),
            (
                HeldEverywhere,
                false,
                Some(64.0),
                None,
                "held at 64 clients, the highest load that may be probed",
            ),
            (HeldNowhere, false, None, Some(1.0), "broken at 1 clients, and held nowhere"),
            (ProbesUsedUp, false, None, None, "no probes are left: nothing is known"),
            (
                Undecided,
                true,
                Some(8.0),
                None,
                "probes say nothing, so that there is no answer: held at 8.00/s",
            ),
        ] {
            let state = SearchState { next: None, end, highest_held: held, lowest_broken: broken };
            assert_eq!(super::end(&state, is_open), said);
        }
    }
}
