//! Faults: how a node is disturbed on purpose, so that an experiment is rehearsed before it costs money.
//!
//! In: a list of faults, by `PUT /rest/e3/1.0/faults` of an administrator; for requests that begin later. Out: requests
//! that wait for their turn, take longer, stall, fail, are cut off or answered slowly, and counts of all that. REST and
//! pages are disturbed around everything else, Git where it is worked on: a request that is refused is not.
//!
//! A request that no fault concerns costs one relaxed load. Nothing here outlives its request: whoever leaves gives up
//! its slot at once, and a node that stops waits for no stall. A node that starts has no faults.

mod ahead;
mod armed;
mod counts;
mod cut;
mod draw;
mod git;
mod held;
mod pace;
mod request;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use e3_model::{Fault, FaultProblem};
use tokio_util::sync::CancellationToken;

use armed::Set;
use counts::Counts;
use held::Disturbance;

pub(crate) use ahead::while_waiting;
pub(crate) use armed::{Asked, Part};
pub(crate) use cut::{Cut, FRONT, is_cut, pass_on};
pub(crate) use git::{GitFaults, GitHeld, SshFaults, part_of};
pub(crate) use held::Injected;
pub(crate) use request::{disturb, serve};

/// The faults of one node.
pub(crate) struct Faults {
    /// The node's name, from which draws are seeded.
    node: String,
    are_on: AtomicBool,
    set: Mutex<Arc<Set>>,
    counts: Arc<Counts>,
    /// Ends every wait.
    stopping: CancellationToken,
}

impl Faults {
    /// Returns no faults.
    pub(crate) fn none(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            are_on: AtomicBool::new(false),
            set: Mutex::default(),
            counts: Arc::default(),
            stopping: CancellationToken::new(),
        }
    }

    /// Lets these faults and no others disturb what begins from now on; requests that a stall of the former ones holds up
    /// go on at once.
    ///
    /// # Errors
    /// With the position of the first that cannot be, and what is wrong with it; nothing has changed then.
    pub(crate) fn switch(&self, faults: Vec<Fault>) -> Result<(), (usize, FaultProblem)> {
        for (position, fault) in faults.iter().enumerate() {
            if let Some(problem) = fault.problems().into_iter().next() {
                return Err((position, problem));
            }
        }
        let are_on = !faults.is_empty();
        let set = Arc::new(Set::of(faults, &self.node, &self.counts));
        let before = std::mem::replace(&mut *self.set(), set);
        self.are_on.store(are_on, Ordering::Relaxed);
        before.gone.cancel();
        Ok(())
    }

    /// Returns the faults as they were given.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.set().faults.clone()
    }

    /// Ends every wait, now and from now on: the node stops.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Returns how often each effect was felt: by kind, then by route.
    pub(crate) fn injected(&self) -> Vec<(&'static str, String, u64)> {
        self.counts.list()
    }

    /// Returns how a request will be disturbed, drawn now; none when no fault is on that concerns it.
    fn of(&self, asked: &Asked<'_>) -> Option<Disturbance> {
        if !self.are_on() {
            return None;
        }
        Disturbance::of(&Arc::clone(&self.set()), asked, &self.stopping)
    }

    fn are_on(&self) -> bool {
        self.are_on.load(Ordering::Relaxed)
    }

    fn set(&self) -> MutexGuard<'_, Arc<Set>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
