//! Who a name and password belong to, without hashing for every request.
//!
//! Git sends the password with each of its requests, and argon2 is slow by design. A verified pair is therefore
//! remembered for a few minutes under a keyed hash (the key lives and dies with the process), together with the version
//! of the user it was verified against: a changed password changes the version, on whichever node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::Rng;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;
use crate::names::UserName;
use crate::password::{self, Memory};
use crate::store::{Store, User};

/// The verified pairs of one node, and the turns at hashing.
pub(crate) struct Credentials {
    key: [u8; 32],
    verified: Mutex<HashMap<Fingerprint, Verified>>,
    turns: Arc<Semaphore>,
    /// One for each turn that was ever needed at once.
    memories: Memories,
    decoy: Arc<str>,
}

type Fingerprint = [u8; 32];
type Memories = Arc<Mutex<Vec<Memory>>>;

#[derive(Clone, Copy)]
struct Verified {
    user: i64,
    version: i64,
    until: Instant,
}

impl Credentials {
    /// Prepares an empty memory; hashes once, for the decoy that unknown names are checked against.
    pub(crate) fn new() -> Result<Self, argon2::password_hash::Error> {
        let mut key = [0_u8; 32];
        rand::rng().fill_bytes(&mut key);
        let turns = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Self {
            key,
            verified: Mutex::default(),
            turns: Arc::new(Semaphore::new(turns)),
            memories: Memories::default(),
            decoy: password::hash("decoy", &mut Memory::default())?.into(),
        })
    }

    /// Returns the active user with this name and password, or none; both take as long for an unknown name.
    ///
    /// # Errors
    /// 503 if too many others are hashing, 500 if the database fails.
    pub(crate) async fn verify(
        &self,
        store: &Store,
        name: &str,
        password: &str,
    ) -> Result<Option<User>, Failure> {
        if !password::is_acceptable(password) {
            return Ok(None);
        }
        let user = match UserName::parse(name) {
            Some(name) => store.user(&name).await?.filter(|user| user.active),
            None => None,
        };
        let fingerprint = self.fingerprint(name, password);
        if user.as_ref().is_some_and(|user| self.remembers(&fingerprint, user)) {
            return Ok(user);
        }
        let turn = self.turn().await?;
        // Whoever held the turn before may have verified the same pair.
        if user.as_ref().is_some_and(|user| self.remembers(&fingerprint, user)) {
            return Ok(user);
        }
        let phc: Arc<str> =
            user.as_ref().map_or_else(|| Arc::clone(&self.decoy), |user| user.password_hash.as_str().into());
        let password = password.to_owned();
        let matches = self.in_turn(turn, move |memory| password::matches(&password, &phc, memory)).await?;
        Ok(user.filter(|_| matches).inspect(|user| self.remember(fingerprint, user)))
    }

    /// Returns the password's hash, made when it is this request's turn.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Failure> {
        let turn = self.turn().await?;
        let password = password.to_owned();
        let hashed = self.in_turn(turn, move |memory| password::hash(&password, memory)).await?;
        hashed.map_err(|error| Failure::internal("hash a password", &error))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = tokio::time::timeout(password::HASH_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| Failure::busy("too many logins at once"))
    }

    /// Hashes away from the tasks that must not block. The turn ends with the hashing, not with the request: a client that
    /// went away would otherwise leave its hashing behind and make room for the next.
    async fn in_turn<T: Send + 'static>(
        &self,
        turn: OwnedSemaphorePermit,
        hash: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let memories = Arc::clone(&self.memories);
        let work = tokio::task::spawn_blocking(move || {
            let kept = memories.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = kept.unwrap_or_default();
            let hashed = hash(&mut memory);
            memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            drop(turn);
            hashed
        });
        work.await.map_err(|error| Failure::internal("hash a password", &error))
    }

    fn fingerprint(&self, name: &str, password: &str) -> Fingerprint {
        let mut inner = Sha256::new();
        inner.update(self.key);
        inner.update(name.to_ascii_lowercase());
        inner.update([0]);
        inner.update(password);
        // The outer round closes the way to length extension.
        let mut outer = Sha256::new();
        outer.update(self.key);
        outer.update(inner.finalize());
        outer.finalize().into()
    }

    fn remembers(&self, fingerprint: &Fingerprint, user: &User) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(fingerprint).is_some_and(|entry| {
            entry.user == user.id && entry.version == user.version && entry.until > Instant::now()
        })
    }

    fn remember(&self, fingerprint: Fingerprint, user: &User) {
        let now = Instant::now();
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MOST_REMEMBERED {
            verified.retain(|_, entry| entry.until > now);
        }
        if verified.len() >= MOST_REMEMBERED {
            verified.clear();
        }
        verified.insert(
            fingerprint,
            Verified { user: user.id, version: user.version, until: now + REMEMBERED_FOR },
        );
    }
}

const REMEMBERED_FOR: Duration = Duration::from_secs(300);
const MOST_REMEMBERED: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewUser;

    async fn store_with_user(directory: &tempfile::TempDir) -> (Store, UserName) {
        let store = Store::open(&directory.path().join("test.sqlite")).await.unwrap();
        let name = UserName::parse("ada").unwrap();
        let hash = password::hash("first", &mut Memory::default()).unwrap();
        let new =
            NewUser { display_name: "Ada", email: "ada@example.com", password_hash: &hash, admin: false };
        store.create_user(&name, new).await.unwrap();
        (store, name)
    }

    #[tokio::test]
    async fn a_changed_password_is_forgotten_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let (store, name) = store_with_user(&directory).await;
        let credentials = Credentials::new().unwrap();
        let user = credentials.verify(&store, "Ada", "first").await.unwrap().unwrap();
        assert!(credentials.remembers(&credentials.fingerprint("ada", "first"), &user));
        assert!(credentials.verify(&store, "ada", "second").await.unwrap().is_none());
        store.set_password(&name, &password::hash("second", &mut Memory::default()).unwrap()).await.unwrap();
        assert!(credentials.verify(&store, "ada", "first").await.unwrap().is_none());
        assert!(credentials.verify(&store, "ada", "second").await.unwrap().is_some());
        assert!(credentials.verify(&store, "nobody", "second").await.unwrap().is_none());
        assert!(credentials.verify(&store, "ada", "").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_second_verification_does_not_hash() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = store_with_user(&directory).await;
        let credentials = Credentials::new().unwrap();
        credentials.verify(&store, "ada", "first").await.unwrap().unwrap();
        // With every turn taken, hashing could not go on.
        let turns = u32::try_from(credentials.turns.available_permits()).unwrap();
        let _all = credentials.turns.acquire_many(turns).await.unwrap();
        assert!(credentials.verify(&store, "ada", "first").await.unwrap().is_some());
    }
    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_hashing_even_if_nobody_waits() {
        let credentials = Credentials::new().unwrap();
        let all = credentials.turns.available_permits();
        let (go_on, gate) = std::sync::mpsc::channel::<()>();
        let turn = credentials.turn().await.unwrap();
        let mut hashing = Box::pin(credentials.in_turn(turn, move |_| gate.recv().is_err()));
        assert!(futures_util::poll!(&mut hashing).is_pending());
        drop(hashing);
        assert_eq!(credentials.turns.available_permits(), all - 1, "it still hashes");
        drop(go_on);
        let all = u32::try_from(all).unwrap();
        let next = tokio::time::timeout(Duration::from_secs(20), credentials.turns.acquire_many(all)).await;
        assert!(next.is_ok(), "the turn is given back when the hashing has ended");
    }
}
