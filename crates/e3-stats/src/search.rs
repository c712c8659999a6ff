//! The capacity search: which load is probed next, and what the probes so far say.
//!
//! Bracketing first: loads double from the first one until one breaks, or halve until one holds. Then bisection: the
//! geometric mean of the two ends, until they are as close as was asked for. Last the confidence rule: the lower end is
//! repeated until enough probes of it held. Everything is a function of the probes so far, so that whoever has them, the
//! coordinator or the analysis, comes to the same end.
//!
//! Noise can neither prolong a search without bound nor make it claim more than it showed. Of a load that was probed
//! several times the majority counts, and a tie is a break; a load below which one broke is no answer, whatever held
//! above; and no load is one that has not held often enough. A probe that says nothing is repeated once; if it says nothing
//! again, the search goes on below, and has no answer beyond what it finds there.

use e3_model::{ProbeVerdict, SearchEnd, SearchPlan};

/// What the probes of a search say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchState {
    /// The load of the next probe; none when the search is over.
    pub next: Option<f64>,
    /// Why the search is over; as long as it is not, [`SearchEnd::CutShort`], which is what it is if it ends now.
    pub end: SearchEnd,
    /// The highest load that held by the confidence rule; none when there is none yet.
    pub highest_held: Option<f64>,
    /// The lowest load that broke; it lies above the one that held. None when none did.
    pub lowest_broken: Option<f64>,
}

/// Returns what the probes of a search say, given in the order in which they ended, each with its load.
///
/// Loads are whole numbers of clients in the closed model, and any arrivals per second in the open one. The same probes
/// always give the same state, and at most `plan.probes` of them are asked for.
pub fn search(plan: &SearchPlan, is_open: bool, probes: &[(f64, ProbeVerdict)]) -> SearchState {
    let used = u32::try_from(probes.len()).unwrap_or(u32::MAX);
    let search = Search { plan, is_open, tallies: tallies(probes), left: plan.probes.saturating_sub(used) };
    let (next, end) = match search.decide() {
        Ok(_) if search.left == 0 => (None, SearchEnd::ProbesUsedUp),
        Ok(load) => (Some(load), SearchEnd::CutShort),
        Err(end) => (None, end),
    };
    let lowest_broken = search.lowest(Standing::Broken);
    let below = |load: f64| lowest_broken.is_none_or(|broken| load < broken);
    let held = search.of(Standing::Held).filter(|load| below(*load)).last();
    SearchState { next, end, highest_held: held, lowest_broken }
}

/// A search with what is known of every load.
struct Search<'a> {
    plan: &'a SearchPlan,
    is_open: bool,
    /// By load, the lowest first.
    tallies: Vec<Tally>,
    /// How many probes are left.
    left: u32,
}

/// The probes of one load.
struct Tally {
    load: f64,
    held: u32,
    broken: u32,
    undecided: u32,
}

/// What is known of a load.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It held often enough, and broke less often.
    Held,
    /// It held more often than it broke, but not often enough.
    Promising,
    /// It broke at least as often as it held.
    Broken,
    /// Its probes say nothing, and so did the repeat.
    Unknown,
    /// Its only probe says nothing.
    Fresh,
}

impl Search<'_> {
    /// Returns the load of the next probe, as if there were probes left without end.
    ///
    /// # Errors
    /// Why there is none.
    fn decide(&self) -> Result<f64, SearchEnd> {
        if let Some(again) = self.lowest(Standing::Fresh) {
            return Ok(again);
        }
        let (broken, unknown) = (self.lowest(Standing::Broken), self.lowest(Standing::Unknown));
        let is_unknown = unknown.is_some_and(|unknown| broken.is_none_or(|broken| unknown < broken));
        let ceiling = if is_unknown { unknown } else { broken };
        match (self.highest_below(ceiling), ceiling) {
            (None, None) => Ok(self.first()),
            (None, Some(_)) if is_unknown => Err(SearchEnd::Undecided),
            (None, Some(ceiling)) => self.lower(ceiling).ok_or(SearchEnd::HeldNowhere),
            (Some(floor), None) => {
                let higher = (floor.load < self.plan.to).then(|| (floor.load * 2.0).min(self.plan.to));
                self.confirmed_or(floor, higher, SearchEnd::HeldEverywhere)
            }
            (Some(floor), Some(ceiling)) => {
                let end = if is_unknown { SearchEnd::Undecided } else { SearchEnd::Found };
                self.confirmed_or(floor, self.between(floor.load, ceiling), end)
            }
        }
    }

    /// Returns the next load that narrows the search, or the lower end again: when there is nothing to narrow, and when
    /// its repeats would use up what probes are left, since an end that nobody confirmed is no answer.
    fn confirmed_or(&self, floor: &Tally, narrower: Option<f64>, end: SearchEnd) -> Result<f64, SearchEnd> {
        let lacks = self.plan.repeats.saturating_sub(floor.held);
        match narrower {
            Some(load) if lacks == 0 || lacks < self.left => Ok(load),
            None if lacks == 0 => Err(end),
            _ => Ok(floor.load),
        }
    }

    /// Returns the highest load that held at all, below the ceiling.
    fn highest_below(&self, ceiling: Option<f64>) -> Option<&Tally> {
        let has_held = |tally: &&Tally| {
            let standing = self.standing(tally);
            (standing == Standing::Held || standing == Standing::Promising)
                && ceiling.is_none_or(|ceiling| tally.load < ceiling)
        };
        self.tallies.iter().rfind(has_held)
    }

    fn standing(&self, tally: &Tally) -> Standing {
        match *tally {
            Tally { held, broken, .. } if broken > 0 && broken >= held => Standing::Broken,
            Tally { held, .. } if held > 0 && held >= self.plan.repeats => Standing::Held,
            Tally { undecided, .. } if undecided >= ENOUGH_UNDECIDED => Standing::Unknown,
            Tally { held: 0, .. } => Standing::Fresh,
            Tally { .. } => Standing::Promising,
        }
    }

    /// Returns the loads of which this is known, the lowest first.
    fn of(&self, standing: Standing) -> impl Iterator<Item = f64> {
        self.tallies.iter().filter(move |tally| self.standing(tally) == standing).map(|tally| tally.load)
    }

    fn lowest(&self, standing: Standing) -> Option<f64> {
        self.of(standing).next()
    }

    /// Returns the first load.
    fn first(&self) -> f64 {
        let from = if self.is_open { self.plan.from } else { self.plan.from.round().max(ONE_CLIENT) };
        from.min(self.plan.to)
    }

    /// Returns the next load below one that broke; none below the smallest.
    fn lower(&self, broken: f64) -> Option<f64> {
        let (half, smallest) = if self.is_open {
            (broken / 2.0, self.plan.from / DOWN_TO)
        } else {
            ((broken / 2.0).floor(), ONE_CLIENT)
        };
        (broken > smallest).then(|| half.max(smallest))
    }

    /// Returns the load between the two ends; none when they are as close as was asked for, or as can be.
    fn between(&self, held: f64, broken: f64) -> Option<f64> {
        if broken <= held * (1.0 + self.plan.precision) * (1.0 + ROUNDING) {
            return None;
        }
        let mean = (held * broken).sqrt();
        let between =
            if self.is_open { six_digits(mean) } else { mean.round().max(held + 1.0).min(broken - 1.0) };
        (held < between && between < broken).then_some(between)
    }
}

/// Returns the probes by load, the lowest first.
fn tallies(probes: &[(f64, ProbeVerdict)]) -> Vec<Tally> {
    let mut tallies: Vec<Tally> = Vec::new();
    for (load, verdict) in probes {
        let place = tallies.binary_search_by(|tally| tally.load.total_cmp(load)).unwrap_or_else(|place| {
            tallies.insert(place, Tally { load: *load, held: 0, broken: 0, undecided: 0 });
            place
        });
        let Some(tally) = tallies.get_mut(place) else { continue };
        match verdict {
            ProbeVerdict::Held => tally.held += 1,
            ProbeVerdict::Broken => tally.broken += 1,
            ProbeVerdict::Undecided => tally.undecided += 1,
        }
    }
    tallies
}

/// Returns a rate of at most six digits, so that it reads well and is the same number in every document.
fn six_digits(rate: f64) -> f64 {
    let digits_behind = 5.0 - rate.log10().floor();
    let scale = 10_f64.powf(digits_behind.max(0.0));
    (rate * scale).round() / scale
}

/// A probe that says nothing is repeated once.
const ENOUGH_UNDECIDED: u32 = 2;
/// The smallest load of the closed model.
const ONE_CLIENT: f64 = 1.0;
/// How far below the first rate a search goes: six halvings.
const DOWN_TO: f64 = 64.0;
/// Two ends whose quotient is the one asked for are close enough, whatever binary fractions make of it.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests;
