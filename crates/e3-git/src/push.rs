//! `git push`, of a commit made in memory, and the deletion of branches.
//!
//! Source: gitprotocol-pack(5), sections Reference Update Request and Report Status; gitprotocol-http(5).

use std::time::Instant;

use e3_http::HttpSession;

use crate::{
    GitError, NewCommit, ObjectId, RepositoryPath, Transfer,
    advertisement::{Advertisement, AdvertisementReader, Service},
    pkt_line::{write_flush, write_text},
    report_status::ReportReader,
    smart_http::{chunk, fetch_push_advertisement, post_receive_pack},
    transfer::nanoseconds,
};

/// What a push made, and what it took.
#[derive(Debug)]
pub struct Push {
    /// What the branch points to now; the zero id for a deletion.
    pub commit: ObjectId,
    /// The size of the pack that was sent; 0 for a deletion.
    pub pack_bytes: u64,
    /// What it took; a push has no pack to receive, so its transfer phase is the reading of the report.
    pub transfer: Transfer,
}

/// Pushes a new commit on top of the branch `base` to a branch of its own, which may exist: it is overwritten, as by
/// `git push --force`.
///
/// # Errors
/// Fails as [`crate::clone`] does, if `base` does not exist, or if the server refuses the update.
///
/// # Cancellation
/// Dropping the future closes the session's connection; whether the server acted is then unknown.
pub async fn push(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    base: &str,
    branch: &str,
    commit: &NewCommit<'_>,
) -> Result<Push, GitError> {
    let mut transfer = Transfer::default();
    let found = advertisement(session, repository, &mut transfer).await?;
    let parent = tip(&found, base)
        .ok_or_else(|| GitError::NoBranch { repository: repository.clone(), branch: base.to_owned() })?;
    let packed = commit.on(parent);
    let old = tip(&found, branch).unwrap_or(ObjectId::ZERO);
    let pack_bytes = u64::try_from(packed.pack.len()).unwrap_or(u64::MAX);
    let update = Update { name: full_name(branch), old, new: packed.commit };
    send(session, repository, &[update], &packed.pack, &mut transfer).await?;
    Ok(Push { commit: packed.commit, pack_bytes, transfer })
}

/// Deletes branches in one request; one that does not exist is deleted already.
///
/// # Errors
/// Fails as [`crate::clone`] does, or if the server refuses.
///
/// # Cancellation
/// As for [`push`].
pub async fn delete_branches(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    branches: &[&str],
) -> Result<Push, GitError> {
    let mut transfer = Transfer::default();
    let found = advertisement(session, repository, &mut transfer).await?;
    let updates: Vec<_> = branches
        .iter()
        .filter_map(|branch| tip(&found, branch).map(|old| (*branch, old)))
        .map(|(branch, old)| Update { name: full_name(branch), old, new: ObjectId::ZERO })
        .collect();
    if !updates.is_empty() {
        send(session, repository, &updates, &[], &mut transfer).await?;
    }
    Ok(Push { commit: ObjectId::ZERO, pack_bytes: 0, transfer })
}

/// One ref's update.
struct Update {
    name: String,
    old: ObjectId,
    new: ObjectId,
}

async fn advertisement(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    transfer: &mut Transfer,
) -> Result<Advertisement, GitError> {
    let started = Instant::now();
    let fault = |fault| GitError::of_fault(repository, fault);
    let mut answer = fetch_push_advertisement(session, repository).await?;
    let mut reader = AdvertisementReader::new(Service::ReceivePack);
    while let Some(bytes) = chunk(&mut answer, repository).await? {
        reader.push(&bytes).map_err(fault)?;
    }
    transfer.count(&answer);
    let found = reader.finish().map_err(fault)?;
    for needed in ["report-status", "side-band-64k"] {
        if !found.capabilities.has(needed) {
            let problem = format!("the server cannot do {needed}, so a push could fail in silence");
            return Err(GitError::Protocol { repository: repository.clone(), problem });
        }
    }
    transfer.phases.advertisement_ns = nanoseconds(started, Instant::now());
    Ok(found)
}

async fn send(
    session: &mut HttpSession,
    repository: &RepositoryPath,
    updates: &[Update],
    pack: &[u8],
    transfer: &mut Transfer,
) -> Result<(), GitError> {
    let started = Instant::now();
    let fault = |fault| GitError::of_fault(repository, fault);
    let mut body = Vec::with_capacity(pack.len() + 256);
    let mut words = format!("\0{WANTED}");
    for Update { old, new, name } in updates {
        write_text(&mut body, &format!("{old} {new} {name}{}", std::mem::take(&mut words)));
    }
    write_flush(&mut body);
    body.extend_from_slice(pack);
    let mut answer = post_receive_pack(session, repository, body).await?;
    let sent = answer.sent_at();
    let mut report = ReportReader::default();
    let mut begun = None;
    while let Some(bytes) = chunk(&mut answer, repository).await? {
        begun = begun.or_else(|| Some(Instant::now()));
        report.push(&bytes).map_err(fault)?;
    }
    transfer.count(&answer);
    let statuses = report.finish().map_err(fault)?;
    let ended = Instant::now();
    let begun = begun.unwrap_or(ended);
    transfer.first_byte = Some(begun);
    transfer.phases.negotiation_ns = nanoseconds(started, sent);
    transfer.phases.server_think_ns = nanoseconds(sent, begun);
    transfer.phases.transfer_ns = nanoseconds(begun, ended);
    for Update { name, .. } in updates {
        let repository = repository.clone();
        match statuses.iter().find(|status| status.name == *name).map(|status| &status.refused) {
            Some(None) => {}
            Some(Some(reason)) => {
                return Err(GitError::Refused { repository, branch: name.clone(), reason: reason.clone() });
            }
            None => return Err(GitError::Truncated { repository, within: "the report of the push" }),
        }
    }
    Ok(())
}

/// Returns what a branch points to.
fn tip(found: &Advertisement, branch: &str) -> Option<ObjectId> {
    let name = full_name(branch);
    found.refs.iter().find(|reference| reference.name == name).map(|reference| reference.oid)
}

fn full_name(branch: &str) -> String {
    if branch.starts_with("refs/") { branch.to_owned() } else { format!("refs/heads/{branch}") }
}

/// What this client can do: hear the report, in bands.
const WANTED: &str = concat!(" report-status side-band-64k agent=e3/", env!("CARGO_PKG_VERSION"));
