//! `git clone`, without what it does to a disk.

use std::time::Instant;

use crate::{
    GitError, Ref, Remote, RepositoryPath, Transfer,
    advertisement::{Advertisement, Service, Version},
    conversation::{Conversation, Request},
    discovery::discover,
    fetch_answer::{FetchAnswer, Wrapping},
    pack::Pack,
    request,
};

/// What a clone received, and what it took.
#[derive(Debug)]
pub struct Clone {
    /// HEAD, branches and tags in the server's order; empty for an empty repository.
    pub refs: Vec<Ref>,
    /// The number of objects in the pack, as its header says.
    pub objects: u32,
    /// The size of the pack with its header and checksum; 0 for an empty repository.
    pub pack_bytes: u64,
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
    let started = Instant::now();
    let mut transfer = Transfer::default();
    let mut conversation = Conversation::open(remote, repository, Service::UploadPack).await?;
    let mut found = discover(&mut conversation, started, &CLONED, &mut transfer).await?;
    found.refs.retain(Ref::is_cloned);
    let (objects, pack_bytes) = if found.refs.is_empty() {
        (0, 0)
    } else {
        let pack = fetch(&mut conversation, &found, &mut transfer).await?;
        (pack.objects, pack.bytes)
    };
    conversation.end().await?;
    Ok(Clone { refs: found.refs, objects, pack_bytes, transfer })
}

async fn fetch(
    conversation: &mut Conversation<'_>,
    found: &Advertisement,
    transfer: &mut Transfer,
) -> Result<Pack, GitError> {
    let started = Instant::now();
    // A want for every ref, also where two name the same object, is what git sends.
    let wants = found.refs.iter().map(|reference| reference.oid);
    let (body, wrapping) = match found.version {
        Version::V2 => (request::fetch(&found.capabilities, wants), Wrapping::Bands),
        Version::V0 => request::fetch_v0(&found.capabilities, wants),
    };
    let request = Request { version: found.version, body, is_last: true };
    let fetched = conversation.ask(request, FetchAnswer::new(found.version, wrapping), transfer).await?;
    transfer.received(started, &fetched);
    Ok(fetched.answer)
}

/// Source: a packet trace of `git clone` 2.47, which asks for the same with and without `--bare`.
const CLONED: [&str; 3] = ["HEAD", "refs/heads/", "refs/tags/"];
