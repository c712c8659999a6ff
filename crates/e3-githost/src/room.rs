//! Room for a bounded number of connections; when it is full, those that do nothing make way for those that may.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// The places of one listener.
pub(crate) struct Room {
    places: Arc<Semaphore>,
    resting: Arc<Resting>,
}

/// The connections on which nothing is under way.
#[derive(Default)]
struct Resting {
    guests: Mutex<Guests>,
    /// One more rests.
    more: Notify,
}

/// Whoever rests, by the number of the rest: the longest first.
#[derive(Default)]
struct Guests {
    rests: u64,
    /// Those that have said nothing yet; they go before the others.
    silent: BTreeMap<u64, Guest>,
    /// Those that are kept for a next request.
    kept: BTreeMap<u64, Guest>,
}

struct Guest {
    since: Instant,
    leave: CancellationToken,
}

/// One connection's place, free again when this is dropped.
pub(crate) struct Place {
    stay: Mutex<Stay>,
    leave: CancellationToken,
    resting: Arc<Resting>,
    _permit: OwnedSemaphorePermit,
}

/// What the connection has done so far.
#[derive(Default)]
struct Stay {
    spoke: bool,
    rest: Option<u64>,
}

/// Something is under way on a connection, until this is dropped.
pub(crate) struct Busy(Arc<Place>);

impl Room {
    pub(crate) fn new(connections: usize) -> Self {
        let places = Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS));
        Self { places: Arc::new(places), resting: Arc::default() }
    }

    /// Waits for a place. While there is none, the connection that has rested for the longest is asked to leave, once it
    /// has had a moment to say something; one that has never said anything goes first.
    pub(crate) async fn enter(&self) -> io::Result<Place> {
        let permit = loop {
            let acquire = Arc::clone(&self.places).acquire_owned();
            let due = self.resting.lock().due();
            tokio::pin!(acquire);
            tokio::select! {
                biased;
                permit = &mut acquire => break permit,
                () = self.resting.more.notified(), if due.is_none() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let asked = self.resting.lock().ask_one();
                    // One place is wanted, so nobody else is asked while this one leaves.
                    if asked && let Ok(permit) = timeout(MOMENT, acquire).await {
                        break permit;
                    }
                }
            }
        };
        Ok(Place {
            stay: Mutex::default(),
            leave: CancellationToken::new(),
            resting: Arc::clone(&self.resting),
            _permit: permit.map_err(io::Error::other)?,
        })
    }
}

impl Resting {
    fn lock(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    /// Returns when somebody may be asked to leave, or nothing if nobody rests.
    fn due(&self) -> Option<Instant> {
        let first = |guests: &BTreeMap<u64, Guest>| guests.values().next().map(|guest| guest.since);
        let since = [first(&self.silent), first(&self.kept)].into_iter().flatten().min()?;
        Some(since + MOMENT)
    }

    /// Asks whoever should leave first, if anybody has rested for long enough; returns whether somebody was asked.
    fn ask_one(&mut self) -> bool {
        let now = Instant::now();
        for guests in [&mut self.silent, &mut self.kept] {
            if let Some(first) = guests.first_entry()
                && first.get().since + MOMENT <= now
            {
                first.remove().leave.cancel();
                return true;
            }
        }
        false
    }
}

impl Place {
    /// Notes that a connection has taken the place and has said nothing yet, or that nothing is under way on it any more.
    pub(crate) fn rests(&self) {
        let mut stay = self.stay();
        let mut guests = self.resting.lock();
        guests.rests += 1;
        let number = guests.rests;
        let guest = Guest { since: Instant::now(), leave: self.leave.clone() };
        let among = if stay.spoke { &mut guests.kept } else { &mut guests.silent };
        among.insert(number, guest);
        if let Some(before) = stay.rest.replace(number) {
            guests.forget(before);
        }
        drop(guests);
        self.resting.more.notify_one();
    }

    /// Notes that the connection has said what it wants: it may stay until it rests again, as long as its protocol lets it.
    pub(crate) fn is_busy(&self) {
        let mut stay = self.stay();
        stay.spoke = true;
        if let Some(rest) = stay.rest.take() {
            self.resting.lock().forget(rest);
        }
    }

    /// Returns whether the connection has said anything.
    pub(crate) fn has_spoken(&self) -> bool {
        self.stay().spoke
    }

    /// Returns when the place is wanted for others.
    pub(crate) async fn is_wanted(&self) {
        self.leave.cancelled().await;
    }

    fn stay(&self) -> MutexGuard<'_, Stay> {
        self.stay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    fn forget(&mut self, rest: u64) {
        self.silent.remove(&rest);
        self.kept.remove(&rest);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(rest) = self.stay().rest.take() {
            self.resting.lock().forget(rest);
        }
    }
}

impl Busy {
    /// Notes that something begins.
    pub(crate) fn begin(place: &Arc<Place>) -> Self {
        place.is_busy();
        Self(Arc::clone(place))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.rests();
    }
}

/// How long a connection may rest in a full room.
const MOMENT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    async fn three() -> (Room, [Arc<Place>; 3]) {
        let room = Room::new(3);
        let places = [room.enter().await.unwrap(), room.enter().await.unwrap(), room.enter().await.unwrap()];
        for place in &places {
            place.rests();
        }
        (room, places.map(Arc::new))
    }

    /// Waits for a place that one of these makes free, and returns which one did.
    async fn one_leaves(room: &Room, places: &mut Vec<(&str, Arc<Place>)>) -> String {
        let leaving = async {
            let wanted = places.iter().map(|(_, place)| Box::pin(place.is_wanted()));
            let (_, first, _) = futures_util::future::select_all(wanted).await;
            places.remove(first).0.to_owned()
        };
        let (entered, left) = tokio::join!(room.enter(), leaving);
        entered.unwrap();
        left
    }

    #[tokio::test(start_paused = true)]
    async fn the_silent_make_way_first_then_the_kept_and_the_oldest_before_the_younger() {
        let (room, [kept, oldest, younger]) = three().await;
        let begun = Instant::now();
        drop(Busy::begin(&kept));
        let mut places = vec![("kept", kept), ("oldest", oldest), ("younger", younger)];
        let mut left = Vec::new();
        let mut newcomers = Vec::new();
        for _ in 0..3 {
            left.push(one_leaves(&room, &mut places).await);
            newcomers.push(room.enter().await.unwrap());
        }
        assert_eq!(left, ["oldest", "younger", "kept"]);
        let waited = begun.elapsed();
        assert!(waited >= MOMENT && waited < MOMENT * 2, "each had its moment, and all the same: {waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_for_whom_something_is_under_way_is_asked_to_leave() {
        let room = Room::new(1);
        let place = Arc::new(room.enter().await.unwrap());
        place.rests();
        let busy = Busy::begin(&place);
        let waited = timeout(MOMENT * 60, room.enter()).await;
        assert!(waited.is_err() && !place.leave.is_cancelled());
        // What ends while somebody waits is seen at once.
        let end = async {
            drop(busy);
            place.is_wanted().await;
            drop(place);
        };
        let (entered, ()) = tokio::join!(timeout(MOMENT * 2, room.enter()), end);
        entered.expect("a place").unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_room_with_a_free_place_asks_nobody() {
        let room = Room::new(2);
        let place = room.enter().await.unwrap();
        place.rests();
        tokio::time::sleep(MOMENT * 10).await;
        room.enter().await.unwrap();
        assert!(!place.leave.is_cancelled());
        drop(place);
        let guests = room.resting.lock();
        assert!(guests.silent.is_empty() && guests.kept.is_empty());
    }
}
