//! `git ls-remote`.

use e3_http::HttpSession;

use crate::{GitError, Ref, RepositoryPath, Transfer, discovery::discover};

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
/// Fails if the server cannot be reached, refuses, reports an error, or breaks HTTP or Git's protocol.
///
/// # Cancellation
/// Dropping the future closes the session's connection; the session stays usable.
pub async fn ls_remote(session: &mut HttpSession, repository: &RepositoryPath) -> Result<LsRemote, GitError> {
    let mut transfer = Transfer::default();
    let found = discover(session, repository, &[], &mut transfer).await?;
    Ok(LsRemote { refs: found.refs, transfer })
}
