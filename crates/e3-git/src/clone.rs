//! `git clone`, without what it does to a disk.

use std::{num::NonZeroU32, time::Instant};

use e3_git_wire::{Asked, FetchAnswer, FetchRequest, ListedRef, ObjectId, Pack, PackDrain, Service};

use crate::{
    Branches, GitError, Remote, RepositoryPath, Transfer,
    conversation::{Conversation, Request},
    discovery::discover,
    wanted::CloneWants,
};

/// How much a clone fetches; everything by default, as `git clone --bare` does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloneOptions {
    /// Which branches.
    pub branches: Branches,
    /// How many commits of each history; none for all.
    pub depth: Option<NonZeroU32>,
    /// Whether files' contents are left out: `--filter=blob:none`.
    pub is_blobless: bool,
    /// Whether no tag is asked for: `--no-tags`. As git does, it takes those that come with what it clones all the same.
    pub is_tagless: bool,
}

/// What a clone received, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clone {
    /// How many refs were wanted, HEAD among them; 0 for an empty repository.
    pub refs: u64,
    /// The number of objects in the pack, as its header says.
    pub objects: u32,
    /// The size of the pack with its header and checksum; 0 for an empty repository.
    pub pack_bytes: u64,
    /// Whether the pack's checksum was verified; none for an empty repository, which has no pack.
    pub is_verified: Option<bool>,
    /// What it took.
    pub transfer: Transfer,
}

/// Fetches all that `git clone` fetches and drains the pack, verifying its checksum.
///
/// # Errors
/// Fails if the server cannot be reached, refuses, reports an error, or breaks HTTP, SSH or Git's protocol; if the
/// pack is cut or its checksum is wrong.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn clone(remote: &Remote, repository: &RepositoryPath) -> Result<Clone, GitError> {
    clone_with(remote, repository, &CloneOptions::default()).await
}

/// Fetches what `git clone` fetches with such options, and drains the pack.
///
/// # Errors
/// Fails as [`clone`] does; also if there is no branch and no tag of the name, or the server can neither cut history nor
/// leave out files, where that is asked for.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn clone_with(
    remote: &Remote,
    repository: &RepositoryPath,
    options: &CloneOptions,
) -> Result<Clone, GitError> {
    let started = Instant::now();
    let mut transfer = Transfer::default();
    let mut conversation = Conversation::open(remote, repository, Service::UploadPack).await?;
    let mut wants = CloneWants::new(&options.branches);
    let mut prefixes = CloneWants::prefixes(&options.branches);
    prefixes.retain(|prefix| !options.is_tagless || prefix != "refs/tags/");
    let prefixes: Vec<_> = prefixes.iter().map(String::as_str).collect();
    let each = |listed: &ListedRef<'_>| wants.take(listed);
    let found = discover(&mut conversation, started, &prefixes, each, &mut transfer).await?;
    let refs = u64::try_from(wants.refs()).unwrap_or(u64::MAX);
    let wants = wants.into_ids(found.version, conversation.is_stateless());
    if wants.is_empty() {
        conversation.end().await?;
        return match &options.branches {
            Branches::Named(branch) => {
                Err(GitError::NoBranch { repository: repository.clone(), branch: branch.clone() })
            }
            Branches::All | Branches::Head => {
                Ok(Clone { refs, objects: 0, pack_bytes: 0, is_verified: None, transfer })
            }
        };
    }
    let request = FetchRequest {
        version: found.version,
        server: &found.capabilities,
        is_stateless: conversation.is_stateless(),
        include_tag: options.branches != Branches::All,
        depth: options.depth,
        is_blobless: options.is_blobless,
    };
    if let Some(feature) = request.lacking() {
        return Err(GitError::Unable { repository: repository.clone(), feature });
    }
    let is_verified = remote.verifies_next();
    let pack = fetch(&mut conversation, &request, &wants, is_verified, &mut transfer).await?;
    conversation.end().await?;
    let Pack { objects, bytes, is_verified, .. } = pack.ok_or_else(|| GitError::no_pack(repository))?;
    Ok(Clone { refs, objects, pack_bytes: bytes, is_verified: Some(is_verified), transfer })
}

/// Asks for everything that is wanted, and drains the pack.
async fn fetch(
    conversation: &mut Conversation<'_>,
    request: &FetchRequest<'_>,
    wants: &[ObjectId],
    is_verified: bool,
    transfer: &mut Transfer,
) -> Result<Option<Pack>, GitError> {
    let began = Instant::now();
    let version = request.version;
    let mut asked =
        Asked { is_shallow: request.depth.is_some(), ..Asked::everything(version, request.wrapping()) };
    if request.asks_bounds_first() {
        asked.is_done = false;
        let body = request.body(wants.iter().copied(), &[], false);
        let bounds = FetchAnswer::new(asked, PackDrain::discarding(false));
        conversation.ask(Request { version, body, is_last: false }, bounds, transfer).await?;
        asked.is_done = true;
    }
    let body = request.body(wants.iter().copied(), &[], true);
    let answer = FetchAnswer::new(asked, PackDrain::discarding(is_verified));
    let fetched = conversation.ask(Request { version, body, is_last: true }, answer, transfer).await?;
    transfer.received(began, &fetched);
    Ok(fetched.answer.pack)
}
