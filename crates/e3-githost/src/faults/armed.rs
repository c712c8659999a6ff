//! Faults that are on: which requests they concern, and what they keep between them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use e3_model::{Fault, FaultRoute, Stall};
use rand_chacha::ChaCha8Rng;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::counts::{Counts, Kind};
use super::draw;

/// The faults that are on together.
#[derive(Default)]
pub(super) struct Set {
    /// As they were given.
    pub(super) faults: Vec<Fault>,
    /// Those for parts of Git last: one command over SSH meets them after the others, and two orders of taking slots would
    /// wait for each other.
    armed: Vec<Arc<Armed>>,
    /// Cancelled when others take their place.
    pub(super) gone: CancellationToken,
}

/// One fault that is on.
pub(super) struct Armed {
    pub(super) fault: Fault,
    route: FaultRoute,
    since: Instant,
    pub(super) slots: Option<Arc<Semaphore>>,
    random: Mutex<ChaCha8Rng>,
    counts: Arc<Counts>,
}

/// What a request is, as far as routes tell requests apart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// A request by HTTP to this path.
    Http(Part, &'a str),
    /// A command over SSH, by the path that the repository has by HTTP.
    Command(&'a str),
    /// A part of such a command.
    OfCommand(Part),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Rest,
    Web,
    Refs,
    Fetch,
    Push,
}

/// What will happen to one request by one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) latency: Duration,
    pub(super) fails: bool,
    pub(super) is_cut: bool,
}

impl Set {
    /// Switches the faults on.
    pub(super) fn of(faults: Vec<Fault>, node: &str, counts: &Arc<Counts>) -> Self {
        let since = Instant::now();
        let arm = |(position, fault): (usize, &Fault)| {
            let route = FaultRoute::parse(fault.route.as_deref())?;
            let slots = fault.slots.map(|slots| usize::try_from(slots).unwrap_or(usize::MAX));
            let slots = slots.map(|slots| Arc::new(Semaphore::new(slots.clamp(1, Semaphore::MAX_PERMITS))));
            let random = Mutex::new(draw::seeded(node, position));
            Some(Arc::new(Armed {
                fault: fault.clone(),
                route,
                since,
                slots,
                random,
                counts: Arc::clone(counts),
            }))
        };
        let mut armed: Vec<Arc<Armed>> = faults.iter().enumerate().filter_map(arm).collect();
        armed.sort_by_key(|armed| armed.is_for_a_part_of_git());
        Self { faults, armed, gone: CancellationToken::new() }
    }

    /// Returns the faults that concern a request, in the order in which it meets them.
    pub(super) fn matching(&self, asked: &Asked<'_>) -> Vec<Arc<Armed>> {
        self.armed.iter().filter(|armed| asked.is_of(&armed.route)).map(Arc::clone).collect()
    }
}

impl Armed {
    /// Draws what will happen to a request.
    pub(super) fn draw(&self) -> Drawn {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let latency = self.fault.latency.as_ref();
        // Always all of them, so that one effect more leaves the others' draws as they are.
        Drawn {
            fails: draw::happens(self.fault.error_rate, &mut random),
            is_cut: draw::happens(self.fault.drop_rate, &mut random),
            latency: latency.map_or(Duration::ZERO, |latency| draw::span(latency, &mut random)),
        }
    }

    /// Returns when the stall ends that there is now; none when there is none.
    pub(super) fn stalls_until(&self) -> Option<Instant> {
        let now = Instant::now();
        Some(now + left_of(self.fault.stall?, now.duration_since(self.since))?)
    }

    /// Counts an effect.
    pub(super) fn count(&self, kind: Kind) {
        self.counts.add(kind, self.fault.route.as_deref().unwrap_or(EVERY));
    }

    fn is_for_a_part_of_git(&self) -> bool {
        matches!(self.route, FaultRoute::Refs | FaultRoute::Fetch | FaultRoute::Push)
    }
}

impl Asked<'_> {
    fn is_of(&self, route: &FaultRoute) -> bool {
        let (part, path) = match *self {
            Self::Http(part, path) => (Some(part), Some(path)),
            Self::Command(path) => (None, Some(path)),
            Self::OfCommand(part) => (Some(part), None),
        };
        match route {
            FaultRoute::Every => path.is_some(),
            FaultRoute::Below(_) => path.is_some_and(|path| route.holds(path)),
            FaultRoute::Git => path.is_some() && !matches!(part, Some(Part::Rest | Part::Web)),
            FaultRoute::Rest => part == Some(Part::Rest),
            FaultRoute::Web => part == Some(Part::Web),
            FaultRoute::Refs => part == Some(Part::Refs),
            FaultRoute::Fetch => part == Some(Part::Fetch),
            FaultRoute::Push => part == Some(Part::Push),
        }
    }
}

/// Returns how much is left of the stall that there is so long after it was switched on; none between two.
fn left_of(stall: Stall, elapsed: Duration) -> Option<Duration> {
    let since_first = elapsed.checked_sub(stall.after.to_duration())?;
    let length = stall.length.to_duration();
    let position = match stall.every {
        None => since_first,
        Some(every) => {
            let every = every.to_duration().as_nanos().max(1);
            Duration::from_nanos(u64::try_from(since_first.as_nanos() % every).unwrap_or(u64::MAX))
        }
    };
    length.checked_sub(position).filter(|left| !left.is_zero())
}

/// The label of faults without a route.
const EVERY: &str = "every";

#[cfg(test)]
mod tests {
    use e3_model::Span;

    use super::*;

    #[test]
    fn a_stall_is_between_its_start_and_its_end_and_again_every_so_often() {
        let once = Stall { after: Span::from_millis(100), length: Span::from_millis(50), every: None };
        let again = Stall { every: Some(Span::from_millis(200)), ..once };
        for (at, of_once, of_again) in [
            (0, None, None),
            (99, None, None),
            (100, Some(50), Some(50)),
            (149, Some(1), Some(1)),
            (150, None, None),
            (299, None, None),
            (300, None, Some(50)),
            (1_140, None, Some(10)),
            (1_150, None, None),
        ] {
            let left = |stall| left_of(stall, Duration::from_millis(at)).map(|left| left.as_millis());
            assert_eq!((left(once), left(again)), (of_once, of_again), "{at} ms");
        }
    }

    #[test]
    fn routes_concern_what_they_say() {
        let scm = "/scm/PROJ/repo.git";
        let rest = Asked::Http(Part::Rest, "/rest/api/1.0/projects");
        let page = Asked::Http(Part::Web, "/dashboard");
        let refs = Asked::Http(Part::Refs, scm);
        let fetch = Asked::Http(Part::Fetch, scm);
        let push = Asked::Http(Part::Push, scm);
        let (command, its_refs, its_push) =
            (Asked::Command(scm), Asked::OfCommand(Part::Refs), Asked::OfCommand(Part::Push));
        let all = [rest, page, refs, fetch, push, command, its_refs, its_push];
        for (route, expected) in [
            (None, [true, true, true, true, true, true, false, false]),
            (Some("rest"), [true, false, false, false, false, false, false, false]),
            (Some("web"), [false, true, false, false, false, false, false, false]),
            (Some("git"), [false, false, true, true, true, true, false, false]),
            (Some("refs"), [false, false, true, false, false, false, true, false]),
            (Some("fetch"), [false, false, false, true, false, false, false, false]),
            (Some("push"), [false, false, false, false, true, false, false, true]),
            (Some("/scm/proj"), [false, false, true, true, true, true, false, false]),
            (Some("/rest/api"), [true, false, false, false, false, false, false, false]),
        ] {
            let parsed = FaultRoute::parse(route).unwrap();
            assert_eq!(all.map(|asked| asked.is_of(&parsed)), expected, "{route:?}");
        }
    }

    #[test]
    fn those_for_parts_of_git_come_last() {
        let fault = |route: &str| Fault { route: Some(route.to_owned()), slots: Some(1), ..Fault::default() };
        let set = Set::of(vec![fault("fetch"), fault("git"), fault("/scm")], "1", &Arc::default());
        let met = set.matching(&Asked::Http(Part::Fetch, "/scm/a/b.git"));
        let routes: Vec<_> = met.iter().filter_map(|armed| armed.fault.route.as_deref()).collect();
        assert_eq!(routes, ["git", "/scm", "fetch"]);
        assert_eq!(set.faults[0], fault("fetch"), "the list stays as it was given");
    }
}
