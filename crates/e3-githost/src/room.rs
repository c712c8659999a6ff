//! Room for a bounded number of connections; when it is full, those that say nothing make way for those that may.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// The places of one listener.
pub(crate) struct Room {
    places: Arc<Semaphore>,
    silent: Arc<Mutex<Silent>>,
}

/// The connections that have said nothing yet, oldest first.
#[derive(Default)]
struct Silent {
    next: u64,
    guests: BTreeMap<u64, (Instant, CancellationToken)>,
}

/// One connection's place, free again when this is dropped.
pub(crate) struct Place {
    number: u64,
    spoke: AtomicBool,
    leave: CancellationToken,
    silent: Arc<Mutex<Silent>>,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    pub(crate) fn new(connections: usize) -> Self {
        let places = Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS));
        Self { places: Arc::new(places), silent: Arc::default() }
    }

    /// Waits for a place. While there is none, the connection that has been silent for the longest is asked to leave, once
    /// it has had a moment to say something.
    pub(crate) async fn enter(&self) -> io::Result<Place> {
        loop {
            let acquire = Arc::clone(&self.places).acquire_owned();
            let oldest =
                lock(&self.silent).guests.first_key_value().map(|(number, (since, _))| (*number, *since));
            tokio::pin!(acquire);
            let permit = match oldest {
                None => acquire.await,
                Some((number, since)) => tokio::select! {
                    biased;
                    permit = &mut acquire => permit,
                    () = sleep_until(since + MOMENT) => {
                        if let Some((_, leave)) = lock(&self.silent).guests.remove(&number) {
                            leave.cancel();
                        }
                        // One place is wanted, so nobody else is asked while this one leaves.
                        let Ok(permit) = timeout(MOMENT, acquire).await else { continue };
                        permit
                    }
                },
            };
            let permit = permit.map_err(io::Error::other)?;
            let mut silent = lock(&self.silent);
            silent.next += 1;
            let (number, spoke, leave) = (silent.next, AtomicBool::new(false), CancellationToken::new());
            return Ok(Place { number, spoke, leave, silent: Arc::clone(&self.silent), _permit: permit });
        }
    }
}

impl Place {
    /// Notes that a connection has taken the place and has said nothing yet.
    pub(crate) fn taken(&self) {
        lock(&self.silent).guests.insert(self.number, (Instant::now(), self.leave.clone()));
    }

    /// Notes that the connection has said what it wants; from now on it may stay as long as its protocol lets it.
    pub(crate) fn spoke(&self) {
        if !self.spoke.swap(true, Ordering::Relaxed) {
            lock(&self.silent).guests.remove(&self.number);
        }
    }

    /// Returns when the place is wanted for others.
    pub(crate) async fn is_wanted(&self) {
        self.leave.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.silent).guests.remove(&self.number);
    }
}

fn lock(silent: &Mutex<Silent>) -> MutexGuard<'_, Silent> {
    silent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a connection may be silent in a full room.
const MOMENT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_silent_one_makes_way_after_a_moment() {
        let room = Room::new(3);
        let places = [room.enter().await.unwrap(), room.enter().await.unwrap(), room.enter().await.unwrap()];
        for place in &places {
            place.taken();
        }
        places[0].spoke();
        let begun = Instant::now();
        let [busy, oldest, younger] = places;
        let leaving = async {
            oldest.is_wanted().await;
            drop(oldest);
        };
        let (fourth, ()) = tokio::join!(room.enter(), leaving);
        assert!(begun.elapsed() >= MOMENT, "it had a moment");
        assert!(!younger.leave.is_cancelled() && !busy.leave.is_cancelled());
        drop(fourth.unwrap());
    }

    #[tokio::test]
    async fn nobody_who_has_spoken_is_asked_to_leave() {
        let room = Room::new(1);
        let place = room.enter().await.unwrap();
        place.taken();
        place.spoke();
        let waited = timeout(MOMENT * 3 / 2, room.enter()).await;
        assert!(waited.is_err() && !place.leave.is_cancelled());
        drop(place);
        room.enter().await.unwrap();
    }
}
