//! What git says first, without git: the refs, the capabilities, and protocol v2's `ls-refs`.
//!
//! Refs are read from disk and kept only as long as everything that was read is still the same there, so a push by any
//! node is seen by all at once. Which capabilities there are is never decided here: the words are taken from git's own
//! answer, the first time, and used only if this module then gives that very answer, byte for byte. Whatever is unusual is
//! left to git. Fetches and pushes themselves always are.

mod disk;
mod kept;
mod ls_refs;
mod peel;
mod words;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{Call, GitError, Service, pkt};
use disk::Unread;
use kept::Kept;
use peel::Peeled;
use words::{Form, Words};

pub(crate) use ls_refs::{Asked, LsRefs};

/// An object's id, as 40 lower-case hexadecimal digits.
type Id = [u8; 40];

/// A ref that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ref {
    name: Vec<u8>,
    id: Id,
    /// What a symbolic ref leads to.
    target: Option<Vec<u8>>,
    /// What an annotated tag is of in the end.
    peeled: Option<Id>,
}

/// What HEAD is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    /// None if the branch is not born yet.
    id: Option<Id>,
    /// None if it is detached.
    target: Option<Vec<u8>>,
    peeled: Option<Id>,
}

/// The refs of one repository.
#[derive(Debug)]
struct Refs {
    head: Head,
    /// In the order of their names.
    list: Vec<Ref>,
    settings: Vec<u8>,
    /// What tells them from all others, once somebody has asked.
    digest: OnceLock<[u8; 32]>,
}

impl Refs {
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut part = |data: Option<&[u8]>| {
            // The length before each part keeps two different lists from looking alike.
            digest.update(data.map_or(u64::MAX, |data| u64::try_from(data.len()).unwrap_or(0)).to_be_bytes());
            digest.update(data.unwrap_or_default());
        };
        let id = |id: &'_ Option<Id>| id.as_ref().map(|id| id.to_vec());
        part(Some(&self.settings));
        part(id(&self.head.id).as_deref());
        part(self.head.target.as_deref());
        for one in &self.list {
            part(Some(&one.name));
            part(Some(&one.id));
            part(one.target.as_deref());
        }
        digest.finalize().into()
    }
}

/// What one node has learned about advertisements.
#[derive(Default)]
pub(crate) struct Advertisements {
    kept: Mutex<Kept>,
    peeled: Mutex<Peeled>,
    words: Mutex<Words>,
}

impl Call {
    /// Returns the advertisement that git would give this call, over HTTP or not; none if that is best left to git.
    pub(crate) async fn advertisement(&self, http: bool) -> Result<Option<Bytes>, GitError> {
        let form = match (self.service, self.version()) {
            (Service::UploadPack, 2) => Form::Capabilities,
            (Service::UploadPack, 0) if http => Form::FetchByHttp,
            (Service::UploadPack, 0) => Form::Fetch,
            (Service::ReceivePack, 0) => Form::Push,
            _ => {
                self.host.metrics.advertisement(false);
                return Ok(None);
            }
        };
        if self.host.refs_uncached {
            self.host.metrics.advertisement(false);
            return Ok(None);
        }
        let ticket = self.ticket_for_refs().await?;
        let Some(refs) = self.refs().await? else {
            self.host.metrics.advertisement(false);
            return Ok(None);
        };
        let advertisements = &self.host.git.advertisements;
        let known = |words: &Words| words.advertise(form, &refs);
        let said = known(&lock(&advertisements.words));
        self.host.metrics.advertisement(said.is_some());
        if let Some(data) = said {
            return Ok(Some(data.into()));
        }
        // Over a connection that stays, a client that wants nothing says so, and git ends.
        let (flags, nothing) = if http { (INFO_REFS, &b""[..]) } else { (&[][..], pkt::FLUSH) };
        let data = match self.start(flags, ticket)?.output(nothing, LARGEST, LONGEST).await {
            Err(GitError::TooMuch(_)) => return Ok(None),
            data => data?,
        };
        lock(&advertisements.words).learn(form, &refs, &data);
        Ok(Some(data.into()))
    }

    /// Returns the answer that git would give to this request; none if that is best left to git.
    pub(crate) async fn ls_refs(&self, request: &LsRefs) -> Result<Option<Bytes>, GitError> {
        let answer = self.ls_refs_without_git(request).await;
        self.host.metrics.advertisement(matches!(answer, Ok(Some(_))));
        answer
    }

    async fn ls_refs_without_git(&self, request: &LsRefs) -> Result<Option<Bytes>, GitError> {
        if self.host.refs_uncached {
            return Ok(None);
        }
        let _ticket = self.ticket_for_refs().await?;
        let Some(refs) = self.refs().await? else { return Ok(None) };
        // Only once git has been heard is it known that it serves this at all.
        if !lock(&self.host.git.advertisements.words).serve_ls_refs(&refs) {
            return Ok(None);
        }
        Ok(request.answer(&refs).map(Bytes::from))
    }

    /// Returns what tells the refs as they are on disk now from all others, settings included; none if they are not to be
    /// read here.
    pub(super) async fn refs_now(&self) -> Result<Option<[u8; 32]>, GitError> {
        Ok(self.refs().await?.map(|refs| *refs.digest.get_or_init(|| refs.digest())))
    }

    /// Returns the refs as they are on disk now; none if they are not to be read here.
    async fn refs(&self) -> Result<Option<Arc<Refs>>, GitError> {
        let advertisements = Arc::clone(&self.host.git.advertisements);
        let path = self.path();
        let kept = lock(&advertisements.kept).find(&path);
        let looking = tokio::task::spawn_blocking({
            let path = path.clone();
            move || match kept.filter(|kept| kept.stamps.hold()) {
                Some(kept) => Ok((None, Some(kept))),
                None => disk::read(&path).map(|reading| (Some(reading), None)),
            }
        });
        let looked = match looking.await {
            Ok(looked) => looked,
            Err(error) => return Err(GitError::Pipe(std::io::Error::other(error))),
        };
        let reading = match looked {
            Ok((_, Some(kept))) => return Ok(Some(Arc::clone(&kept.refs))),
            Ok((Some(reading), None)) => reading,
            Ok((None, None)) => return Ok(None),
            Err(unread) => {
                let why = match unread {
                    Unread::Unusual(why) => why.to_owned(),
                    Unread::Io(error) => error.to_string(),
                };
                tracing::debug!(path = %path.display(), why, "the refs are left to git");
                return Ok(None);
            }
        };
        let Some((refs, stamps)) = self.peel(reading).await? else { return Ok(None) };
        let refs = Arc::new(refs);
        lock(&advertisements.kept).keep(path, &refs, stamps);
        Ok(Some(refs))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const INFO_REFS: &[&str] = &["--stateless-rpc", "--http-backend-info-refs"];
/// More refs than this are advertised piece by piece, by git.
const LARGEST: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(60);
