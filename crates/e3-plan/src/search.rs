//! The search of a stage, with the defaults of what its author left out.

use e3_model::{Rate, RateRamp, Search, SearchPlan};

use crate::context::{Context, Stage};
use crate::threshold;

impl Stage<'_> {
    /// Returns the highest load that the stage's search may probe, which is the stage's own: its clients, or the arrivals
    /// per second that it ends with; none where no load model is said.
    pub(crate) fn highest_load(&self) -> Option<f64> {
        match self.spec.rate {
            Some(Rate::Held(rate)) => Some(rate),
            Some(Rate::Ramp(RateRamp { to, .. })) => Some(to),
            None => self.spec.clients.map(f64::from),
        }
    }

    /// Returns the load that the stage's search probes first; none without a search or a load.
    pub(crate) fn first_load(&self) -> Option<f64> {
        let (search, highest) = (self.spec.search.as_ref()?, self.highest_load()?);
        let usual = (highest / USUAL_RANGE).max(SMALLEST_USUAL).min(highest);
        let usual = if self.is_open() { usual } else { usual.round() };
        Some(search.from.unwrap_or(usual))
    }

    /// Returns how often the stage runs at most: as often as it is repeated, or as its search may probe.
    pub(crate) fn most_runs(&self) -> u32 {
        self.spec.search.as_ref().map_or_else(|| self.repeat(), most_probes)
    }
}

/// Returns the plan of a stage's search; none without one, or when its conditions make no sense.
pub(crate) fn plan(context: &Context<'_>, stage: &Stage<'_>) -> Option<SearchPlan> {
    let search = stage.spec.search.as_ref()?;
    let slo = search.slo.iter().map(|text| Some(threshold::read(context, text).ok()?.threshold));
    Some(SearchPlan {
        slo: slo.collect::<Option<_>>()?,
        from: stage.first_load()?,
        to: stage.highest_load()?,
        precision: search.precision.unwrap_or(PRECISION),
        probes: most_probes(search),
        repeats: repeats(search),
    })
}

/// Returns how many probes a search may have.
pub(crate) fn most_probes(search: &Search) -> u32 {
    search.probes.unwrap_or(PROBES)
}

/// Returns how many probes of the answer must agree.
pub(crate) fn repeats(search: &Search) -> u32 {
    search.repeats.unwrap_or(REPEATS)
}

/// The highest load over the first: four doublings.
const USUAL_RANGE: f64 = 16.0;
const SMALLEST_USUAL: f64 = 1.0;
const PRECISION: f64 = 0.1;
/// Enough for a range of 64, with a repeat.
const PROBES: u32 = 12;
const REPEATS: u32 = 2;
