//! `git ls-remote`.

use std::time::Instant;

use e3_git_wire::{ListedRef, Ref, Service};

use crate::{GitError, Remote, RepositoryPath, Transfer, conversation::Conversation, discovery::discover};

/// What `git ls-remote` shows, and what it took.
#[derive(Debug)]
pub struct LsRemote {
    /// All refs in the server's order; empty for an empty repository.
    pub refs: Vec<Ref>,
    /// What it took.
    pub transfer: Transfer,
}

/// How many refs were listed, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefCount {
    /// How many refs; 0 for an empty repository.
    pub refs: u64,
    /// What it took.
    pub transfer: Transfer,
}

/// Lists all refs of a repository, as `git ls-remote` does, and keeps them: for who needs the list.
///
/// # Errors
/// Fails if the server cannot be reached, refuses, reports an error, or breaks HTTP, SSH or Git's protocol.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn ls_remote(remote: &Remote, repository: &RepositoryPath) -> Result<LsRemote, GitError> {
    let mut refs = Vec::new();
    let each = |listed: &ListedRef<'_>| refs.push(Ref::from(listed));
    let RefCount { transfer, .. } = each_ref(remote, repository, &[], each).await?;
    Ok(LsRemote { refs, transfer })
}

/// Lists all refs of a repository, as `git ls-remote` does, and counts them: nothing is kept of them.
///
/// # Errors
/// As [`ls_remote`].
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn count_refs(remote: &Remote, repository: &RepositoryPath) -> Result<RefCount, GitError> {
    each_ref(remote, repository, &[], |_| {}).await
}

/// Lists the refs of a repository whose names start with one of the prefixes, as `git ls-remote --heads` does with
/// `refs/heads/`, or all without prefixes, and hands each to a closure as it comes, in the server's order.
///
/// # Errors
/// As [`ls_remote`]; the closure may have been handed refs before.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn each_ref(
    remote: &Remote,
    repository: &RepositoryPath,
    prefixes: &[&str],
    mut each: impl FnMut(&ListedRef<'_>),
) -> Result<RefCount, GitError> {
    let started = Instant::now();
    let mut transfer = Transfer::default();
    let mut refs = 0;
    let counted = |listed: &ListedRef<'_>| {
        refs += 1;
        each(listed);
    };
    let mut conversation = Conversation::open(remote, repository, Service::UploadPack).await?;
    discover(&mut conversation, started, prefixes, counted, &mut transfer).await?;
    conversation.end().await?;
    Ok(RefCount { refs, transfer })
}
