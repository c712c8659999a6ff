//! The clients of an open share: who is free, what is due, and what waits for whom.
//!
//! What waits is not kept anywhere: it is the schedule between the first arrival that no client has begun and the first
//! that is not due yet. A stage that is hopelessly behind needs no more memory than one that keeps up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::schedule::{Due, Schedule};

/// What the dispatcher and the clients of an open share agree through; its times are nanoseconds since the stage's start.
pub(crate) struct Pool {
    state: Mutex<State>,
    /// One a client, rung when it is called or may go.
    bells: Box<[Notify]>,
    /// Rung when a client is free again after none was.
    freed: Notify,
}

/// An arrival that a client is to serve now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) due: Due,
    /// Whether it had to wait for a client; one that did is late for the load's sake, not for the worker's.
    pub(crate) waited: bool,
}

/// What the dispatcher has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// For the next arrival, due then.
    Due(u64),
    /// For a client, since all are busy and an arrival is due.
    Client,
    /// For the end: no further arrival comes.
    End,
}

/// What became of a share's arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) begun: u64,
    /// Begun after a wait for a client.
    pub(crate) late: u64,
    /// Recorded as not begun, though a client was called for them: the stage ended first.
    pub(crate) missed: u64,
    pub(crate) most_waiting: u64,
    pub(crate) longest_wait_ns: u64,
    pub(crate) most_busy: u64,
}

/// The arrivals that were due and not begun when the pool was closed.
#[derive(Debug, Clone)]
pub(crate) struct Unstarted {
    /// When the pool was closed.
    pub(crate) end_ns: u64,
    /// How many.
    pub(crate) count: u64,
    /// Whether they waited for a client, all being busy.
    pub(crate) waited: bool,
    head: Head,
}

impl Unstarted {
    /// Returns them in order.
    pub(crate) fn arrivals(self) -> impl Iterator<Item = Due> + Send {
        let (mut head, end_ns) = (self.head, self.end_ns);
        std::iter::from_fn(move || head.take_if(|due| due.at_ns < end_ns))
    }
}

impl Pool {
    /// Returns a pool of so many idle clients.
    pub(crate) fn new(mut schedule: Schedule, clients: u32) -> Self {
        let first = schedule.next();
        let state = State {
            head: Head { first, rest: schedule },
            tail: None,
            idle: (0..clients).map(Reverse).collect(),
            calls: (0..clients).map(|_| None).collect(),
            clients,
            latest_ns: 0,
            dispatcher_waits: false,
            closed: None,
            waited: false,
            tally: Tally::default(),
        };
        let bells = (0..clients).map(|_| Notify::new()).collect();
        Self { state: Mutex::new(state), bells, freed: Notify::new() }
    }

    /// Calls idle clients for all that is due now, and returns what to wait for.
    ///
    /// The idle client with the lowest number is called first: as few of them as possible are ever used, and those keep
    /// their connections warm.
    pub(crate) fn dispatch(&self, now_ns: u64) -> Next {
        let mut state = self.state();
        let now_ns = state.at(now_ns);
        loop {
            let Some(due) = state.head.first else { return Next::End };
            if due.at_ns > now_ns {
                return Next::Due(due.at_ns);
            }
            let Some(Reverse(client)) = state.idle.pop() else {
                state.count_waiting(now_ns);
                state.dispatcher_waits = true;
                return Next::Client;
            };
            state.begin(due);
            if let Some((bell, call)) = self.of(client).zip(state.call_of(client)) {
                *call = Some(Call { due, waited: false });
                bell.notify_one();
            }
        }
    }

    /// Waits until a client is free again after none was.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Waits until an idle client is called; returns none when it may go.
    pub(crate) async fn called(&self, client: u32) -> Option<Call> {
        loop {
            {
                let mut state = self.state();
                if let Some(call) = state.call_of(client).and_then(Option::take) {
                    return Some(call);
                }
                if state.closed.is_some() {
                    return None;
                }
            }
            self.of(client)?.notified().await;
        }
    }

    /// Returns what a client that has just become free serves next, and waits for it; none when it may go.
    pub(crate) async fn next(&self, client: u32, now_ns: u64) -> Option<Call> {
        match self.release(client, now_ns) {
            Some(call) => Some(call),
            None => self.called(client).await,
        }
    }

    /// Takes a client back; returns the arrival that it serves at once, if one waits.
    fn release(&self, client: u32, now_ns: u64) -> Option<Call> {
        let mut state = self.state();
        let now_ns = state.at(now_ns);
        if state.closed.is_some() {
            return None;
        }
        if let Some(due) = state.head.first.filter(|due| due.at_ns <= now_ns) {
            // With a client idle beside it, the arrival waits only for the dispatcher to be woken.
            let waited = state.idle.is_empty() && due.at_ns < now_ns;
            if waited {
                state.count_waiting(now_ns);
                state.tally.late += 1;
                state.tally.longest_wait_ns = state.tally.longest_wait_ns.max(now_ns - due.at_ns);
            }
            state.begin(due);
            return Some(Call { due, waited });
        }
        state.idle.push(Reverse(client));
        if std::mem::take(&mut state.dispatcher_waits) {
            self.freed.notify_one();
        }
        None
    }

    /// Counts an arrival as not begun, though a client was called for it, and whether that was recorded; it is not when
    /// the stage's ops were used up, so that it was not due at all.
    pub(crate) fn not_begun(&self, recorded: bool) {
        let mut state = self.state();
        state.tally.begun = state.tally.begun.saturating_sub(1);
        state.tally.missed += u64::from(recorded);
    }

    /// Lets no further arrival begin, and every client go when it is free; the first call says when that was.
    pub(crate) fn close(&self, end_ns: u64) {
        let mut state = self.state();
        if state.closed.is_some() {
            return;
        }
        state.closed = Some(end_ns);
        // With a client idle, they waited for the dispatcher only.
        state.waited = state.idle.is_empty();
        if state.waited {
            state.count_waiting(end_ns);
        } else {
            state.look_back(end_ns);
        }
        drop(state);
        self.bells.iter().for_each(Notify::notify_one);
    }

    /// Returns what became of the arrivals, and what is left of them since the pool was closed.
    pub(crate) fn outcome(&self) -> (Tally, Option<Unstarted>) {
        let state = self.state();
        let left = state.closed.zip(state.tail.as_ref());
        let unstarted = left.map(|(end_ns, tail)| {
            let head = state.head.clone();
            Unstarted { end_ns, count: tail.waiting, waited: state.waited, head }
        });
        (state.tally, unstarted)
    }

    fn of(&self, client: u32) -> Option<&Notify> {
        self.bells.get(usize::try_from(client).ok()?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    /// From the first arrival that no client has begun.
    head: Head,
    /// From the first that was not due when somebody looked; none while nothing waits for a client.
    tail: Option<Tail>,
    idle: BinaryHeap<Reverse<u32>>,
    /// What each client was called for and has not heard yet.
    calls: Box<[Option<Call>]>,
    clients: u32,
    /// The latest time that anybody came with.
    latest_ns: u64,
    dispatcher_waits: bool,
    /// When the pool was closed.
    closed: Option<u64>,
    /// Whether all clients were busy then.
    waited: bool,
    tally: Tally,
}

/// A place in the schedule.
#[derive(Debug, Clone)]
struct Head {
    first: Option<Due>,
    rest: Schedule,
}

impl Head {
    /// Steps over the first arrival if it is as asked for, and returns it.
    fn take_if(&mut self, wanted: impl FnOnce(&Due) -> bool) -> Option<Due> {
        let due = self.first.filter(wanted)?;
        self.first = self.rest.next();
        Some(due)
    }
}

struct Tail {
    place: Head,
    /// How many arrivals lie between the head and here.
    waiting: u64,
}

impl State {
    /// Returns the later of this time and the latest that anybody came with: threads read the clock before they wait
    /// for each other, so that times may come in the wrong order.
    fn at(&mut self, now_ns: u64) -> u64 {
        self.latest_ns = self.latest_ns.max(now_ns);
        self.latest_ns
    }

    fn call_of(&mut self, client: u32) -> Option<&mut Option<Call>> {
        self.calls.get_mut(usize::try_from(client).ok()?)
    }

    /// Steps over the first arrival, which begins now.
    fn begin(&mut self, due: Due) {
        self.head.take_if(|first| *first == due);
        match &mut self.tail {
            Some(tail) if tail.waiting > 1 => tail.waiting -= 1,
            _ => self.tail = None,
        }
        self.tally.begun += 1;
        let idle = u64::try_from(self.idle.len()).unwrap_or(u64::MAX);
        self.tally.most_busy = self.tally.most_busy.max(u64::from(self.clients).saturating_sub(idle));
    }

    /// Notes how many wait for a client now.
    fn count_waiting(&mut self, now_ns: u64) {
        let waiting = self.look_back(now_ns);
        self.tally.most_waiting = self.tally.most_waiting.max(waiting);
    }

    /// Returns how many were due before now and have not begun; what is due this moment does not wait yet.
    fn look_back(&mut self, now_ns: u64) -> u64 {
        let head = &self.head;
        let tail = self.tail.get_or_insert_with(|| Tail { place: head.clone(), waiting: 0 });
        while tail.place.take_if(|due| due.at_ns < now_ns).is_some() {
            tail.waiting += 1;
        }
        tail.waiting
    }
}

#[cfg(test)]
mod tests;
