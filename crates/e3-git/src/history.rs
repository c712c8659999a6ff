//! A branch's latest commits by their names: where a clone that is behind may stand.

use std::{num::NonZeroU32, time::Instant};

use e3_git_wire::{Asked, FetchAnswer, LARGEST, ListedRef, PackDrain, PackObjects, Service, fetch_history};

use crate::{
    GitError, ObjectId, Remote, RepositoryPath, Transfer,
    conversation::{Conversation, Request},
    discovery::discover,
    push::full_name,
};

/// A branch's latest commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The branch's short name.
    pub branch: String,
    /// The tip, and before it as many first parents as were asked for or there are; never empty.
    pub commits: Vec<ObjectId>,
    /// What it took.
    pub transfer: Transfer,
}

/// Fetches the latest commits of a branch, of HEAD's where none is named: no trees and no files where the server can filter.
///
/// # Errors
/// Fails as [`crate::clone`] does, if the branch does not exist or HEAD stands for none, or if a server that cannot filter
/// sends more than is to be held in memory.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn history(
    remote: &Remote,
    repository: &RepositoryPath,
    branch: Option<&str>,
    depth: NonZeroU32,
) -> Result<History, GitError> {
    let started = Instant::now();
    let mut transfer = Transfer::default();
    let mut conversation = Conversation::open(remote, repository, Service::UploadPack).await?;
    let name = branch.map_or_else(|| "HEAD".to_owned(), full_name);
    let mut tip = None;
    let each = |listed: &ListedRef<'_>| {
        if listed.name == name.as_bytes() {
            // Without a name, HEAD says which branch it stands for.
            let target = if branch.is_none() { listed.symref_target } else { Some(name.as_str()) };
            let short = target.and_then(|target| target.strip_prefix("refs/heads/"));
            tip = short.map(|short| (short.to_owned(), listed.oid));
        }
    };
    let found = discover(&mut conversation, started, &[&name], each, &mut transfer).await?;
    let Some((branch, tip)) = tip else {
        conversation.end().await?;
        return Err(GitError::NoBranch { repository: repository.clone(), branch: name });
    };
    let began = Instant::now();
    let (body, wrapping) = fetch_history(found.version, &found.capabilities, tip, depth);
    let request = Request { version: found.version, body, is_last: true };
    let asked = Asked { is_shallow: true, ..Asked::everything(found.version, wrapping) };
    let reader = FetchAnswer::new(asked, PackDrain::keeping(LARGEST));
    let fetched = conversation.ask(request, reader, &mut transfer).await?;
    transfer.received(began, &fetched);
    conversation.end().await?;
    let pack = fetched.answer.pack.ok_or_else(|| GitError::no_pack(repository))?;
    let commits = PackObjects::read(&pack.kept).and_then(|objects| objects.first_parents(tip));
    let mut commits = commits.map_err(|fault| GitError::of_fault(repository, fault))?;
    // A server that cannot cut history sends all of it.
    commits.truncate(usize::try_from(depth.get()).unwrap_or(usize::MAX));
    Ok(History { branch, commits, transfer })
}
