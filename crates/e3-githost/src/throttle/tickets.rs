//! Tickets: so many operations at once, the others in line, first come, first served, for a bounded time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// The tickets of one kind.
#[derive(Debug)]
pub(crate) struct Tickets {
    what: &'static str,
    queue: usize,
    timeout: Duration,
    state: Mutex<State>,
}

/// What tickets begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// What they are for, by the name that Bitbucket gives it.
    pub(super) what: &'static str,
    /// How many there are.
    pub(super) limit: usize,
    /// How many operations may wait; a further one is refused at once.
    pub(super) queue: usize,
    /// How long each may wait.
    pub(super) timeout: Duration,
}

/// Who has tickets, who waits, and what has happened so far.
#[derive(Debug)]
struct State {
    limit: usize,
    used: usize,
    /// In the order of their numbers.
    waiting: VecDeque<Waiter>,
    arrivals: u64,
    totals: Totals,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    since: Instant,
    grant: oneshot::Sender<Ticket>,
}

/// What has happened with tickets of one kind since the node started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// How many operations got one.
    pub(crate) granted: u64,
    /// How many were refused, at once or after their wait.
    pub(crate) refused: u64,
    /// How many left before it was their turn.
    pub(crate) left: u64,
    /// How long all those waited that wait no more, however it ended.
    pub(crate) waited: Duration,
    /// How long all those held theirs that hold none any more.
    pub(crate) held: Duration,
}

/// How tickets of one kind are, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// How many there are.
    pub(crate) total: usize,
    /// How many are held; more than there are, for a while, after the limit was lowered.
    pub(crate) used: usize,
    /// How many operations wait.
    pub(crate) queued: usize,
    /// What has happened so far.
    pub(crate) totals: Totals,
}

/// One ticket, given back when dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    of: Arc<Tickets>,
    since: Instant,
}

/// It was nobody's turn in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    #[error("{0} git operations wait for a {1} ticket already")]
    QueueFull(usize, &'static str),
    #[error("waited {0:?} for a {1} ticket")]
    WaitedTooLong(Duration, &'static str),
}

impl Tickets {
    pub(super) fn new(rules: Rules) -> Self {
        let state = State {
            limit: rules.limit.max(1),
            used: 0,
            waiting: VecDeque::new(),
            arrivals: 0,
            totals: Totals::default(),
        };
        Self { what: rules.what, queue: rules.queue, timeout: rules.timeout, state: Mutex::new(state) }
    }

    /// Returns what they are for, by the name that Bitbucket gives it.
    pub(crate) fn what(&self) -> &'static str {
        self.what
    }

    /// Waits for a ticket, in the order of asking.
    ///
    /// # Errors
    /// If too many wait already, or this one waited for too long.
    ///
    /// # Cancellation
    /// Dropped, it leaves the line at once.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Ticket, Busy> {
        let (mut receive, mut place) = {
            let mut state = self.lock();
            if state.used < state.limit && state.waiting.is_empty() {
                return Ok(state.grant(self));
            }
            let waiting = state.waiting.len();
            if waiting >= self.queue {
                state.totals.refused += 1;
                return Err(Busy::QueueFull(waiting, self.what));
            }
            state.arrivals += 1;
            let number = state.arrivals;
            let (grant, receive) = oneshot::channel();
            state.waiting.push_back(Waiter { number, since: Instant::now(), grant });
            (receive, Place { tickets: self, number, is_late: false })
        };
        if let Ok(Ok(ticket)) = timeout(self.timeout, &mut receive).await {
            return Ok(ticket);
        }
        place.is_late = true;
        drop(place);
        // It may have come in the last moment.
        receive.try_recv().map_err(|_| Busy::WaitedTooLong(self.timeout, self.what))
    }

    /// Sets how many there are; those that are held stay held.
    pub(super) fn set_limit(self: &Arc<Self>, limit: usize) {
        self.lock().limit = limit.max(1);
        self.serve();
    }

    /// Returns how they are now.
    pub(crate) fn counted(&self) -> Counted {
        let state = self.lock();
        Counted { total: state.limit, used: state.used, queued: state.waiting.len(), totals: state.totals }
    }

    /// Gives free tickets to those who wait.
    fn serve(self: &Arc<Self>) {
        let mut returned = Vec::new();
        let mut state = self.lock();
        while state.used < state.limit
            && let Some(waiter) = state.waiting.pop_front()
        {
            state.totals.waited += waiter.since.elapsed();
            let ticket = state.grant(self);
            // Whoever is just leaving does not take it any more.
            returned.extend(waiter.grant.send(ticket).err());
        }
        drop(state);
        // Only now, because giving one back takes the lock.
        drop(returned);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn grant(&mut self, tickets: &Arc<Tickets>) -> Ticket {
        self.used += 1;
        self.totals.granted += 1;
        Ticket { of: Arc::clone(tickets), since: Instant::now() }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.of.lock();
        state.used = state.used.saturating_sub(1);
        state.totals.held += self.since.elapsed();
        let is_wanted = !state.waiting.is_empty();
        drop(state);
        if is_wanted {
            self.of.serve();
        }
    }
}

impl Counted {
    /// Returns how many are free.
    pub(crate) fn available(&self) -> usize {
        self.total.saturating_sub(self.used)
    }
}

/// A place in the line, given up when dropped.
struct Place<'a> {
    tickets: &'a Tickets,
    number: u64,
    is_late: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.tickets.lock();
        // The line is in the order of its numbers, so that leaving it is cheap however long it is.
        let found = state.waiting.binary_search_by_key(&self.number, |waiter| waiter.number);
        if let Ok(at) = found
            && let Some(waiter) = state.waiting.remove(at)
        {
            state.totals.waited += waiter.since.elapsed();
            if self.is_late { state.totals.refused += 1 } else { state.totals.left += 1 }
        }
    }
}

#[cfg(test)]
#[path = "tickets/tests.rs"]
mod tests;
