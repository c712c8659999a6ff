//! `git push`, of a commit made in memory, and the deletion of branches.
//!
//! Source: gitprotocol-pack(5), sections Reference Update Request and Report Status; gitprotocol-http(5).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use e3_git_wire::{Advertisement, ListedRef, ReportReader, Service, Version, write_flush, write_text};

use crate::{
    GitError, NewCommit, ObjectId, Remote, RepositoryPath, Tip, Transfer,
    conversation::{Conversation, Request},
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

/// Pushes a new commit on top of a tip to a branch, which may exist: it is overwritten, as by `git push --force`.
///
/// # Errors
/// Fails as [`crate::clone`] does, or if the server refuses the update.
///
/// # Cancellation
/// Dropping the future closes the connection; whether the server acted is then unknown.
pub async fn push(
    remote: &Remote,
    repository: &RepositoryPath,
    base: &Tip,
    branch: &str,
    commit: &NewCommit<'_>,
) -> Result<Push, GitError> {
    let mut sender = Sender::open(remote, repository, &[branch]).await?;
    let started = Instant::now();
    // What the base's root tree was is known; a server that cannot complete a thin pack says so.
    let is_thin = !sender.found.capabilities.has("no-thin");
    let packed = commit.on(base.commit, &base.root, is_thin);
    let old = sender.tip(branch).unwrap_or(ObjectId::ZERO);
    let pack_bytes = u64::try_from(packed.pack.len()).unwrap_or(u64::MAX);
    let update = Update { name: full_name(branch), old, new: packed.commit };
    sender.send(started, &[update], &packed.pack).await?;
    sender.conversation.end().await?;
    Ok(Push { commit: packed.commit, pack_bytes, transfer: sender.transfer })
}

/// Deletes branches in one request; one that does not exist is deleted already.
///
/// # Errors
/// Fails as [`crate::clone`] does, or if the server refuses.
///
/// # Cancellation
/// As for [`push`].
pub async fn delete_branches(
    remote: &Remote,
    repository: &RepositoryPath,
    branches: &[&str],
) -> Result<Push, GitError> {
    let mut sender = Sender::open(remote, repository, branches).await?;
    let updates: Vec<_> = branches
        .iter()
        .filter_map(|branch| sender.tip(branch).map(|old| (*branch, old)))
        .map(|(branch, old)| Update { name: full_name(branch), old, new: ObjectId::ZERO })
        .collect();
    if !updates.is_empty() {
        sender.send(Instant::now(), &updates, &[]).await?;
    }
    sender.conversation.end().await?;
    Ok(Push { commit: ObjectId::ZERO, pack_bytes: 0, transfer: sender.transfer })
}

/// One ref's update.
struct Update {
    name: String,
    old: ObjectId,
    new: ObjectId,
}

/// A conversation with receive-pack that has heard which of some branches there are.
struct Sender<'r> {
    conversation: Conversation<'r>,
    repository: &'r RepositoryPath,
    found: Advertisement,
    /// Those of the branches that are there, by their whole names, and what they point to.
    tips: BTreeMap<String, ObjectId>,
    transfer: Transfer,
}

impl<'r> Sender<'r> {
    async fn open(
        remote: &'r Remote,
        repository: &'r RepositoryPath,
        branches: &[&str],
    ) -> Result<Self, GitError> {
        let started = Instant::now();
        let mut transfer = Transfer::default();
        let mut conversation = Conversation::open(remote, repository, Service::ReceivePack).await?;
        let named: BTreeSet<_> = branches.iter().map(|branch| full_name(branch).into_bytes()).collect();
        let mut tips = BTreeMap::new();
        // A busy server may list tens of thousands.
        let each = |listed: &ListedRef<'_>| {
            if named.contains(listed.name) {
                tips.insert(String::from_utf8_lossy(listed.name).into_owned(), listed.oid);
            }
        };
        let found = conversation.advertisement(each, &mut transfer).await?.answer;
        for needed in ["report-status", "side-band-64k"] {
            if !found.capabilities.has(needed) {
                let problem = format!("the server cannot do {needed}, so a push could fail in silence");
                return Err(GitError::Protocol { repository: repository.clone(), problem });
            }
        }
        transfer.phases.advertisement_ns = nanoseconds(started, Instant::now());
        Ok(Self { conversation, repository, found, tips, transfer })
    }

    /// Returns what a branch points to.
    fn tip(&self, branch: &str) -> Option<ObjectId> {
        self.tips.get(&full_name(branch)).copied()
    }

    async fn send(&mut self, started: Instant, updates: &[Update], pack: &[u8]) -> Result<(), GitError> {
        let request = Request { version: Version::V0, body: body(updates, pack), is_last: true };
        let report = self.conversation.ask(request, ReportReader::default(), &mut self.transfer).await?;
        self.transfer.received(started, &report);
        for Update { name, .. } in updates {
            let repository = self.repository.clone();
            match report.answer.iter().find(|status| status.name == *name).map(|status| &status.refused) {
                Some(None) => {}
                Some(Some(reason)) => {
                    return Err(GitError::Refused {
                        repository,
                        branch: name.clone(),
                        reason: reason.clone(),
                    });
                }
                None => return Err(GitError::Truncated { repository, within: "the report of the push" }),
            }
        }
        Ok(())
    }
}

fn body(updates: &[Update], pack: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(pack.len() + 256);
    let mut words = format!("\0{WANTED}");
    for Update { old, new, name } in updates {
        write_text(&mut body, &format!("{old} {new} {name}{}", std::mem::take(&mut words)));
    }
    write_flush(&mut body);
    body.extend_from_slice(pack);
    body
}

/// Returns the whole name of a branch: `refs/heads/main` of `main`.
pub(crate) fn full_name(branch: &str) -> String {
    if branch.starts_with("refs/") { branch.to_owned() } else { format!("refs/heads/{branch}") }
}

/// What this client can do: hear the report, in bands.
const WANTED: &str = concat!(" report-status side-band-64k agent=e3/", env!("CARGO_PKG_VERSION"));
