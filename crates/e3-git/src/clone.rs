//! `git clone`, without what it does to a disk.

use std::time::Instant;

use e3_http::HttpSession;

use crate::{
    GitError, Ref, RepositoryPath, Transfer,
    advertisement::{Advertisement, Version},
    discovery::discover,
    fetch_answer::{FetchAnswer, Wrapping},
    pack::Pack,
    request,
    smart_http::{chunk, post_upload_pack},
    transfer::nanoseconds,
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
/// Fails if the server cannot be reached, refuses, reports an error, or breaks HTTP or Git's protocol; if the pack
/// is cut or its checksum is wrong.
///
/// # Cancellation
/// Dropping the future closes the session's connection; the session stays usable.
pub async fn clone(session: &mut HttpSession, repository: &RepositoryPath) -> Result<Clone, GitError> {
    let mut transfer = Transfer::default();
    let mut found = discover(session, repository, &CLONED, &mut transfer).await?;
    found.refs.retain(Ref::is_cloned);
    let pack = if found.refs.is_empty() {
        Pack { objects: 0, bytes: 0 }
    } else {
        fetch(session, repository, &found, &mut transfer).await?
    };
    Ok(Clone { refs: found.refs, objects: pack.objects, pack_bytes: pack.bytes, transfer })
}

async fn fetch(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    found: &Advertisement,
    transfer: &mut Transfer,
) -> Result<Pack, GitError> {
    let fault = |fault| GitError::of_fault(repository, fault);
    let started = Instant::now();
    // A want for every ref, also where two name the same object, is what git sends.
    let wants = found.refs.iter().map(|reference| reference.oid);
    let (body, wrapping) = match found.version {
        Version::V2 => (request::fetch(&found.capabilities, wants), Wrapping::Bands),
        Version::V0 => request::fetch_v0(&found.capabilities, wants),
    };
    let mut answer = post_upload_pack(session, repository, found.version, body).await?;
    let sent = answer.sent_at();
    let mut pack = FetchAnswer::new(found.version, wrapping);
    let mut begun = None;
    while let Some(bytes) = chunk(&mut answer, repository).await? {
        let came = begun.is_none().then(Instant::now);
        pack.push(&bytes).map_err(fault)?;
        if pack.has_begun() {
            begun = begun.or(came);
        }
    }
    transfer.count(&answer);
    let pack = pack.finish().map_err(fault)?;
    let verified = Instant::now();
    let begun = begun.unwrap_or(verified);
    transfer.first_byte = Some(begun);
    transfer.phases.negotiation_ns = nanoseconds(started, sent);
    transfer.phases.server_think_ns = nanoseconds(sent, begun);
    transfer.phases.transfer_ns = nanoseconds(begun, verified);
    Ok(pack)
}

/// Source: a packet trace of `git clone` 2.47, which asks for the same with and without `--bare`.
const CLONED: [&str; 3] = ["HEAD", "refs/heads/", "refs/tags/"];
