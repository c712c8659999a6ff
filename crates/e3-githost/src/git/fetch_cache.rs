//! Answers to fetches, kept for further clients that ask the same of the same refs.
//!
//! A request to `upload-pack` that is whole in itself is answered by what the repository holds and by nothing else, so an
//! answer may be given again while the refs are what they were, and to nobody but those who may read the repository: that
//! is asked before. It is kept only if the refs were the same before git began and after it ended. A push, by whatever
//! node, changes the refs, and with them what is looked for; what was kept for other refs is then dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::wanted::{Kind, Wanted};
use super::{Call, GitError};
use crate::access_log::Label;

type Hash = [u8; 32];

/// The answers that one node keeps, bounded by their bytes; none at all if the bound is 0.
pub(crate) struct FetchCache {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    repositories: HashMap<i64, OfRepository>,
    bytes: usize,
    uses: u64,
}

/// The answers about one repository, all for the same refs.
struct OfRepository {
    refs: Hash,
    answers: HashMap<Hash, Answer>,
}

struct Answer {
    data: Bytes,
    used: u64,
}

/// What a request is, and of what refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    repository: i64,
    refs: Hash,
    request: Hash,
}

/// An answer that is being given, to be kept if all goes well.
#[derive(Debug)]
pub(crate) struct Recording {
    key: Key,
    data: Vec<u8>,
    /// More than this is not worth keeping.
    most: usize,
}

impl FetchCache {
    /// Keeps this many bytes at most.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    fn find(&self, key: &Key) -> Option<Bytes> {
        let mut kept = self.lock();
        kept.uses += 1;
        let uses = kept.uses;
        let of = kept.repositories.get_mut(&key.repository)?;
        if of.refs != key.refs {
            kept.forget(key.repository);
            return None;
        }
        let answer = of.answers.get_mut(&key.request)?;
        answer.used = uses;
        Some(answer.data.clone())
    }

    fn keep(&self, key: Key, data: Vec<u8>) {
        let weight = data.len() + OVERHEAD;
        if weight > self.most / LARGEST_SHARE {
            return;
        }
        let mut kept = self.lock();
        if kept.repositories.get(&key.repository).is_some_and(|of| of.refs != key.refs) {
            kept.forget(key.repository);
        }
        kept.drop_answer(key.repository, key.request);
        while kept.bytes + weight > self.most && kept.drop_least_used() {}
        kept.uses += 1;
        kept.bytes += weight;
        let answer = Answer { data: data.into(), used: kept.uses };
        let new = OfRepository { refs: key.refs, answers: HashMap::new() };
        kept.repositories.entry(key.repository).or_insert(new).answers.insert(key.request, answer);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget(&mut self, repository: i64) {
        let answers = self.repositories.remove(&repository).map(|of| of.answers).unwrap_or_default();
        self.bytes -= answers.values().map(|answer| answer.data.len() + OVERHEAD).sum::<usize>();
    }

    fn drop_least_used(&mut self) -> bool {
        let all = self.repositories.iter().flat_map(|(repository, of)| {
            of.answers.iter().map(move |(request, answer)| (answer.used, *repository, *request))
        });
        let Some((_, repository, request)) = all.min() else { return false };
        self.drop_answer(repository, request);
        true
    }

    fn drop_answer(&mut self, repository: i64, request: Hash) {
        if let Some(of) = self.repositories.get_mut(&repository)
            && let Some(dropped) = of.answers.remove(&request)
        {
            self.bytes -= dropped.data.len() + OVERHEAD;
        }
    }
}

impl Recording {
    /// Notes what git said next.
    pub(crate) fn hear(&mut self, data: &[u8]) {
        if self.data.len() + data.len() > self.most {
            self.most = 0;
            self.data = Vec::new();
        } else {
            self.data.extend_from_slice(data);
        }
    }
}

impl Call {
    /// Returns whether answers to fetches are kept at all.
    pub(crate) fn keeps_answers(&self) -> bool {
        self.host.fetches.most > 0
    }

    /// Returns the answer to this request if it is kept, or else a recording in which it can be noted; none of both if it is
    /// not to be kept.
    pub(crate) async fn kept_answer(
        &self,
        wanted: Wanted,
        request: &[u8],
    ) -> Result<(Option<Bytes>, Option<Recording>), GitError> {
        let cache = &self.host.fetches;
        if cache.most == 0 || wanted.kind == Kind::Refs {
            return Ok((None, None));
        }
        let Some(refs) = self.refs_now().await? else {
            self.label(Label::CacheBypass);
            return Ok((None, None));
        };
        let request = Sha256::new_with_prefix([self.version()]).chain_update(request).finalize().into();
        let key = Key { repository: self.repository.id, refs, request };
        let found = cache.find(&key);
        self.label(if found.is_some() { Label::CacheHit } else { Label::CacheMiss });
        let most = cache.most / LARGEST_SHARE;
        let recording = found.is_none().then(|| Recording { key, data: Vec::new(), most });
        Ok((found, recording))
    }

    /// Keeps an answer that was given in whole, if the refs are still those for which it was asked.
    pub(crate) async fn keep_answer(&self, recording: Recording) {
        let is_whole = recording.most > 0 && !recording.data.is_empty();
        if is_whole && matches!(self.refs_now().await, Ok(Some(refs)) if refs == recording.key.refs) {
            self.host.fetches.keep(recording.key, recording.data);
        }
    }
}

/// A recording that is filled by whoever passes the answer on.
pub(crate) type Tap = Arc<Mutex<Option<Recording>>>;

/// Notes what git said next, if anybody wants to know.
pub(crate) fn hear(tap: Option<&Tap>, data: &[u8]) {
    if let Some(tap) = tap
        && let Some(recording) = tap.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
    {
        recording.hear(data);
    }
}

/// One answer may take this part of all that is kept.
const LARGEST_SHARE: usize = 4;
/// What an answer takes beside its bytes.
const OVERHEAD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(repository: i64, refs: u8, request: u8) -> Key {
        Key { repository, refs: [refs; 32], request: [request; 32] }
    }

    #[test]
    fn an_answer_is_found_by_repository_refs_and_request_and_nothing_less() {
        let cache = FetchCache::new(1 << 20);
        cache.keep(key(1, 1, 1), b"pack".to_vec());
        assert_eq!(cache.find(&key(1, 1, 1)).as_deref(), Some(&b"pack"[..]));
        assert_eq!(cache.find(&key(2, 1, 1)), None);
        assert_eq!(cache.find(&key(1, 1, 2)), None);
        assert_eq!(cache.find(&key(1, 2, 1)), None, "other refs");
        assert_eq!(cache.find(&key(1, 1, 1)), None, "and what was kept for the former ones is gone");
        assert_eq!(cache.lock().bytes, 0);
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_least_used_goes_first() {
        let cache = FetchCache::new(8 * 1024);
        let data = || vec![0; 1024 - OVERHEAD];
        for request in 0..8 {
            cache.keep(key(i64::from(request % 2), 1, request), data());
        }
        assert!(cache.find(&key(0, 1, 0)).is_some());
        cache.keep(key(0, 1, 8), data());
        assert_eq!(cache.lock().bytes, 8 * 1024);
        assert!(cache.find(&key(0, 1, 0)).is_some() && cache.find(&key(1, 1, 1)).is_none());
        cache.keep(key(0, 1, 0), data());
        assert_eq!(cache.lock().bytes, 8 * 1024, "the same once more takes no more");
        cache.keep(key(0, 1, 9), vec![0; 3 * 1024]);
        assert!(cache.find(&key(0, 1, 9)).is_none(), "larger than its share");
        // A push makes room for itself.
        cache.keep(key(0, 2, 1), data());
        assert!(cache.find(&key(0, 1, 8)).is_none() && cache.lock().bytes <= 5 * 1024);
    }

    #[test]
    fn an_answer_that_is_too_large_is_not_held_in_memory() {
        let mut recording = Recording { key: key(1, 1, 1), data: Vec::new(), most: 10 };
        recording.hear(b"123456");
        recording.hear(b"78901");
        assert_eq!((recording.data.capacity(), recording.most), (0, 0));
        recording.hear(b"1");
        assert!(recording.data.is_empty());
    }
}
