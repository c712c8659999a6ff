//! A clone that a client keeps of a branch, and fetches into or from: the native client remembers a commit's name, the real
//! git has the clone on disk.

use std::num::NonZeroU32;

use e3_git::{
    Branches, ForkedBase, ForkedGit, GitError, ListedRef, ObjectId, RefCount, Remote, RepositoryPath, Updated,
};
use e3_model::OpId;
use e3_workload::{ClientContext, Measured, Stopped};

use super::client::{Client, shallow};
use super::git_op::{git_op, measured, measured_op};

/// A branch with the commit that it points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BranchTip {
    /// The branch's short name.
    pub(crate) branch: String,
    /// The commit.
    pub(crate) commit: ObjectId,
}

/// A client's clone of a branch, at some commit.
pub(crate) enum WorkingCopy {
    /// The client says that it has this commit and all before it.
    Native(Remote, BranchTip),
    /// A clone without history, on disk.
    Forked(ForkedGit, ForkedBase),
}

impl Client {
    /// Looks where a branch points to, or HEAD's where none is named, as one op; none if there is no such branch.
    pub(crate) async fn find_branch(
        &self,
        context: &mut ClientContext,
        op: OpId,
        (repository, branch): (&RepositoryPath, Option<&str>),
    ) -> Result<Option<BranchTip>, Stopped> {
        match self {
            Self::Native(remote) => {
                let look = look(remote, repository, branch);
                git_op(context, op, look, |(_, listed)| listed.transfer).await.map(|(found, _)| found)
            }
            Self::Forked(git) => {
                let look = git.find_branch(repository, branch);
                let found = measured_op(context, op, look, |_| Measured::default()).await?;
                Ok(found.map(|(branch, commit)| BranchTip { branch, commit }))
            }
        }
    }

    /// Makes a clone that is so many commits behind its branch, or as many as there are, as one op.
    pub(crate) async fn fall_behind(
        &self,
        context: &mut ClientContext,
        op: OpId,
        (repository, branch): (&RepositoryPath, Option<&str>),
        behind: u32,
    ) -> Result<WorkingCopy, Stopped> {
        match self {
            Self::Native(remote) => {
                let depth = NonZeroU32::MIN.saturating_add(behind);
                let history = async {
                    let history = e3_git::history(remote, repository, branch, depth).await?;
                    let oldest = history.commits.last().copied();
                    let missing = || GitError::NoBranch {
                        repository: repository.clone(),
                        branch: history.branch.clone(),
                    };
                    let commit = oldest.ok_or_else(missing)?;
                    Ok((BranchTip { branch: history.branch, commit }, history.transfer))
                };
                let (base, _) = git_op(context, op, history, |(_, transfer)| *transfer).await?;
                Ok(WorkingCopy::Native(remote.clone(), base))
            }
            Self::Forked(git) => {
                let base = git.base(repository, branch, behind);
                let base = measured_op(context, op, base, |_| Measured::default()).await?;
                Ok(WorkingCopy::Forked(git.clone(), base))
            }
        }
    }

    /// Clones a branch without history and tags, as one op, for later fetches.
    pub(crate) async fn check_out(
        &self,
        context: &mut ClientContext,
        op: OpId,
        (repository, tip): (&RepositoryPath, &BranchTip),
    ) -> Result<WorkingCopy, Stopped> {
        match self {
            Self::Native(remote) => {
                let options = shallow(Branches::Named(tip.branch.clone()));
                let clone = e3_git::clone_with(remote, repository, &options);
                git_op(context, op, clone, |cloned| cloned.transfer).await?;
                Ok(WorkingCopy::Native(remote.clone(), tip.clone()))
            }
            Self::Forked(git) => {
                let base = git.base(repository, Some(&tip.branch), 0);
                let base = measured_op(context, op, base, |_| Measured::default()).await?;
                Ok(WorkingCopy::Forked(git.clone(), base))
            }
        }
    }
}

impl WorkingCopy {
    /// Returns the commit that it is at.
    pub(crate) fn commit(&self) -> ObjectId {
        match self {
            Self::Native(_, tip) => tip.commit,
            Self::Forked(_, base) => base.commit,
        }
    }

    /// Fetches what the branch has more, as one op, and stays where it is; the op becomes the other where that is nothing.
    pub(crate) async fn fetch(
        &self,
        context: &mut ClientContext,
        (op, nothing_new): (OpId, OpId),
        repository: &RepositoryPath,
    ) -> Result<(), Stopped> {
        let became = |is_new: bool| if is_new { None } else { Some(nothing_new) };
        match self {
            Self::Native(remote, base) => {
                let (updated, haves) = (only(&base.branch), [base.commit]);
                let fetch = e3_git::fetch(remote, repository, &updated, &haves);
                let told = measured_op(context, op, fetch, |fetched| Measured {
                    became: became(fetched.pack.is_some()),
                    ..measured(&fetched.transfer)
                });
                told.await.map(drop)
            }
            Self::Forked(git, base) => {
                let fetch = git.fetch_since(repository, base);
                let told = measured_op(context, op, fetch, |is_new| Measured {
                    became: became(*is_new),
                    ..Measured::default()
                });
                told.await.map(drop)
            }
        }
    }

    /// Fetches what the branch has more, as one op, and goes there; `tip` is where a look just found it.
    pub(crate) async fn update(
        &mut self,
        context: &mut ClientContext,
        op: OpId,
        (repository, tip): (&RepositoryPath, &BranchTip),
    ) -> Result<(), Stopped> {
        match self {
            Self::Native(remote, base) => {
                let (updated, haves) = (only(&base.branch), [base.commit]);
                let fetch = e3_git::fetch(remote, repository, &updated, &haves);
                git_op(context, op, fetch, |fetched| fetched.transfer).await?;
                base.commit = tip.commit;
                Ok(())
            }
            Self::Forked(git, base) => {
                let fetch = git.update(repository, base);
                measured_op(context, op, fetch, |_| Measured::default()).await.map(drop)
            }
        }
    }
}

async fn look(
    remote: &Remote,
    repository: &RepositoryPath,
    branch: Option<&str>,
) -> Result<(Option<BranchTip>, RefCount), GitError> {
    let name = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
    let mut found = None;
    // The prefix of a branch's name may be another branch's whole name.
    let each = |listed: &ListedRef<'_>| {
        if listed.name == name.as_bytes() {
            let target = if branch.is_none() { listed.symref_target } else { Some(name.as_str()) };
            let short = target.and_then(|target| target.strip_prefix("refs/heads/"));
            found = short.map(|short| BranchTip { branch: short.to_owned(), commit: listed.oid });
        }
    };
    let listed = e3_git::each_ref(remote, repository, &[&name], each).await?;
    Ok((found, listed))
}

fn only(branch: &str) -> Updated {
    Updated::Branches(vec![branch.to_owned()])
}
