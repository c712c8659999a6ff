//! A branch's tip: enough of it for a commit on top that keeps all the rest.

use std::time::Instant;

use e3_git_wire::{
    Advertisement, Asked, FetchAnswer, LARGEST, ListedRef, PackDrain, PackObjects, RootTree, Service,
};

use crate::{
    GitError, ObjectId, Remote, RepositoryPath, Transfer,
    conversation::{Conversation, Request},
    discovery::discover,
    push::full_name,
};

/// A branch's tip: its commit and its root tree.
#[derive(Debug, Clone)]
pub struct Tip {
    /// What the branch pointed to when it was fetched.
    pub commit: ObjectId,
    /// What fetching it took.
    pub transfer: Transfer,
    pub(crate) root: RootTree,
}

/// Fetches the commit that a branch points to, and its root tree: no history and, where the server can filter, no
/// files and no other trees.
///
/// # Errors
/// Fails as [`crate::clone`] does, if the branch does not exist, or if a server that cannot filter sends more than
/// is to be held in memory.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn fetch_tip(remote: &Remote, repository: &RepositoryPath, branch: &str) -> Result<Tip, GitError> {
    let started = Instant::now();
    let mut transfer = Transfer::default();
    let mut conversation = Conversation::open(remote, repository, Service::UploadPack).await?;
    let name = full_name(branch);
    let mut commit = None;
    // The prefix of a branch's name may be another branch's whole name.
    let each = |listed: &ListedRef<'_>| {
        if listed.name == name.as_bytes() {
            commit = Some(listed.oid);
        }
    };
    let found = discover(&mut conversation, started, &[&name], each, &mut transfer).await?;
    let Some(commit) = commit else {
        conversation.end().await?;
        return Err(GitError::NoBranch { repository: repository.clone(), branch: branch.to_owned() });
    };
    let pack = fetch(&mut conversation, &found, commit, &mut transfer).await?;
    let pack = pack.ok_or_else(|| GitError::no_pack(repository))?;
    conversation.end().await?;
    let root = PackObjects::read(&pack).and_then(|objects| objects.root_tree(commit));
    let root = root.map_err(|fault| GitError::of_fault(repository, fault))?;
    Ok(Tip { commit, transfer, root })
}

async fn fetch(
    conversation: &mut Conversation<'_>,
    found: &Advertisement,
    commit: ObjectId,
    transfer: &mut Transfer,
) -> Result<Option<Vec<u8>>, GitError> {
    let started = Instant::now();
    let (body, wrapping) = e3_git_wire::fetch_tip(found.version, &found.capabilities, commit);
    let request = Request { version: found.version, body, is_last: true };
    let asked = Asked { is_shallow: true, ..Asked::everything(found.version, wrapping) };
    let reader = FetchAnswer::new(asked, PackDrain::keeping(LARGEST));
    let fetched = conversation.ask(request, reader, transfer).await?;
    transfer.received(started, &fetched);
    Ok(fetched.answer.pack.map(|pack| pack.kept))
}
