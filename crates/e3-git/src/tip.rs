//! A branch's tip: enough of it for a commit on top that keeps all the rest.

use std::time::Instant;

use crate::{
    GitError, ObjectId, Remote, RepositoryPath, Transfer,
    advertisement::{Advertisement, Service},
    conversation::{Conversation, Request},
    discovery::discover,
    fault::Fault,
    fetch_answer::FetchAnswer,
    object::Kind,
    pack_objects::PackObjects,
    push::full_name,
    request,
    tree::RootTree,
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
    let found = discover(&mut conversation, started, &[&name], &mut transfer).await?;
    // The prefix of a branch's name may be another branch's whole name.
    let Some(commit) = found.refs.iter().find(|reference| reference.name == name).map(|found| found.oid)
    else {
        conversation.end().await?;
        return Err(GitError::NoBranch { repository: repository.clone(), branch: branch.to_owned() });
    };
    let pack = fetch(&mut conversation, &found, commit, &mut transfer).await?;
    conversation.end().await?;
    let root = root_tree(&pack, commit).map_err(|fault| GitError::of_fault(repository, fault))?;
    Ok(Tip { commit, transfer, root })
}

async fn fetch(
    conversation: &mut Conversation<'_>,
    found: &Advertisement,
    commit: ObjectId,
    transfer: &mut Transfer,
) -> Result<Vec<u8>, GitError> {
    let started = Instant::now();
    let (body, wrapping) = request::fetch_tip(found.version, &found.capabilities, commit);
    let request = Request { version: found.version, body, is_last: true };
    let reader = FetchAnswer::of_a_tip(found.version, wrapping);
    let fetched = conversation.ask(request, reader, transfer).await?;
    transfer.received(started, &fetched);
    Ok(fetched.answer.kept)
}

fn root_tree(pack: &[u8], commit: ObjectId) -> Result<RootTree, Fault> {
    let objects = PackObjects::read(pack)?;
    let lacking = |what: &str| Fault::Protocol(format!("a pack without the {what} that was asked for"));
    let text = objects.find(commit, Kind::Commit).ok_or_else(|| lacking("commit"))?;
    let tree = text.strip_prefix(b"tree ").and_then(|rest| rest.get(..40)).and_then(ObjectId::parse);
    let tree = tree.ok_or_else(|| Fault::unexpected(text, "a commit"))?;
    RootTree::parse(objects.find(tree, Kind::Tree).ok_or_else(|| lacking("tree"))?)
}
