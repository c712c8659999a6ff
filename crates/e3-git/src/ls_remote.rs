//! `git ls-remote`.

use std::time::Instant;

use crate::{
    GitError, Ref, Remote, RepositoryPath, Transfer, advertisement::Service, conversation::Conversation,
    discovery::discover,
};

/// What `git ls-remote` shows, and what it took.
#[derive(Debug)]
pub struct LsRemote {
    /// All refs in the server's order; empty for an empty repository.
    pub refs: Vec<Ref>,
    /// What it took.
    pub transfer: Transfer,
}

/// Lists all refs of a repository, as `git ls-remote` does.
///
/// # Errors
/// Fails if the server cannot be reached, refuses, reports an error, or breaks HTTP, SSH or Git's protocol.
///
/// # Cancellation
/// Dropping the future closes the connection.
pub async fn ls_remote(remote: &Remote, repository: &RepositoryPath) -> Result<LsRemote, GitError> {
    let started = Instant::now();
    let mut transfer = Transfer::default();
    let mut conversation = Conversation::open(remote, repository, Service::UploadPack).await?;
    let found = discover(&mut conversation, started, &[], &mut transfer).await?;
    conversation.end().await?;
    Ok(LsRemote { refs: found.refs, transfer })
}
