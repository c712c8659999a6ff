//! The Git client of a script: the native one, or the real git. The ops are the same, under the same names.

use std::future::Future;
use std::num::NonZeroU32;

use e3_git::{
    Branches, CloneOptions, ForkedGit, ForkedTip, GitError, NewCommit, ObjectId, Remote, RepositoryPath, Tip,
};
use e3_model::OpId;
use e3_workload::{ClientContext, Measured, Stopped};

use super::git_op::{git_op, measured_op};

/// A Git client with its way to the server. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    /// E3's own.
    Native(Remote),
    /// The real one, of which only the end and the pack that it was sent can be measured.
    Forked(ForkedGit),
}

/// What pushes go on top of, and the client that fetched it.
pub(crate) enum Base {
    Native(Remote, Tip),
    Forked(ForkedGit, ForkedTip),
}

impl Base {
    /// Returns the commit at the tip.
    pub(crate) fn commit(&self) -> ObjectId {
        match self {
            Self::Native(_, tip) => tip.commit,
            Self::Forked(_, tip) => tip.commit,
        }
    }

    /// Pushes a commit on top to a branch, as one op; the real git makes the commit before the op begins.
    pub(crate) async fn push(
        &self,
        context: &mut ClientContext,
        op: OpId,
        (repository, branch): (&RepositoryPath, &str),
        commit: &NewCommit<'_>,
    ) -> Result<(), Stopped> {
        match self {
            Self::Native(remote, tip) => {
                let push = e3_git::push(remote, repository, tip, branch, commit);
                git_op(context, op, push, |pushed| pushed.transfer).await.map(drop)
            }
            Self::Forked(git, tip) => {
                let made = Box::pin(tip.commit(git, commit)).await;
                let push = async { git.push(repository, &made?, branch).await };
                forked_op(context, op, push, |_| None).await.map(drop)
            }
        }
    }
}

impl Client {
    /// Lists a repository's refs, as one op.
    pub(crate) async fn ls_remote(
        &self,
        context: &mut ClientContext,
        op: OpId,
        repository: &RepositoryPath,
    ) -> Result<(), Stopped> {
        match self {
            Self::Native(remote) => {
                let listing = e3_git::count_refs(remote, repository);
                git_op(context, op, listing, |listed| listed.transfer).await.map(drop)
            }
            Self::Forked(git) => forked_op(context, op, git.ls_remote(repository), |_| None).await.map(drop),
        }
    }

    /// Clones a repository, as one op.
    pub(crate) async fn clone_repository(
        &self,
        context: &mut ClientContext,
        op: OpId,
        repository: &RepositoryPath,
    ) -> Result<(), Stopped> {
        match self {
            Self::Native(remote) => {
                let clone = e3_git::clone(remote, repository);
                git_op(context, op, clone, |cloned| cloned.transfer).await.map(drop)
            }
            Self::Forked(git) => {
                let clone = git.clone_bare(repository);
                // The clone is removed when the op has ended.
                forked_op(context, op, clone, |cloned| Some(cloned.pack_bytes)).await.map(drop)
            }
        }
    }

    /// Clones a repository's default branch without history and tags, as one op.
    pub(crate) async fn clone_shallow(
        &self,
        context: &mut ClientContext,
        op: OpId,
        repository: &RepositoryPath,
    ) -> Result<(), Stopped> {
        match self {
            Self::Native(remote) => {
                let options = shallow(Branches::Head);
                let clone = e3_git::clone_with(remote, repository, &options);
                git_op(context, op, clone, |cloned| cloned.transfer).await.map(drop)
            }
            Self::Forked(git) => {
                let clone = git.clone_shallow(repository);
                forked_op(context, op, clone, |cloned| Some(cloned.pack_bytes)).await.map(drop)
            }
        }
    }

    /// Fetches what pushes go on top of, as one op.
    pub(crate) async fn fetch(
        &self,
        context: &mut ClientContext,
        op: OpId,
        repository: &RepositoryPath,
        branch: &str,
    ) -> Result<Base, Stopped> {
        match self {
            Self::Native(remote) => {
                let fetch = e3_git::fetch_tip(remote, repository, branch);
                git_op(context, op, fetch, |tip| tip.transfer)
                    .await
                    .map(|tip| Base::Native(remote.clone(), tip))
            }
            Self::Forked(git) => {
                let fetch = git.fetch_tip(repository, branch);
                forked_op(context, op, fetch, |_| None).await.map(|tip| Base::Forked(git.clone(), tip))
            }
        }
    }

    /// Returns the whole names of a repository's refs, outside the clock.
    pub(crate) async fn branches(&self, repository: &RepositoryPath) -> Result<Vec<String>, GitError> {
        let refs = match self {
            Self::Native(remote) => e3_git::ls_remote(remote, repository).await?.refs,
            Self::Forked(git) => git.ls_remote(repository).await?,
        };
        Ok(refs.into_iter().map(|found| found.name).collect())
    }

    /// Deletes those of the branches that are there, outside the clock.
    pub(crate) async fn delete_branches(
        &self,
        repository: &RepositoryPath,
        branches: &[&str],
    ) -> Result<(), GitError> {
        match self {
            Self::Native(remote) => e3_git::delete_branches(remote, repository, branches).await.map(drop),
            Self::Forked(git) => git.delete_branches(repository, branches).await,
        }
    }
}

/// Returns how a build server clones.
pub(super) fn shallow(branches: Branches) -> CloneOptions {
    CloneOptions { branches, depth: Some(NonZeroU32::MIN), is_tagless: true, ..CloneOptions::default() }
}

impl From<&Self> for Client {
    fn from(client: &Self) -> Self {
        client.clone()
    }
}

impl From<&Remote> for Client {
    fn from(remote: &Remote) -> Self {
        Self::Native(remote.clone())
    }
}

/// Performs one op of the real git: of bytes only those of the pack that came are known, and no phases.
fn forked_op<'c, T: Send + 'c>(
    context: &'c mut ClientContext,
    op: OpId,
    work: impl Future<Output = Result<T, GitError>> + Send + 'c,
    bytes_in: impl FnOnce(&T) -> Option<u64> + Send + 'c,
) -> impl Future<Output = Result<T, Stopped>> + Send + 'c {
    measured_op(context, op, work, |done| Measured { bytes_in: bytes_in(done), ..Measured::default() })
}
